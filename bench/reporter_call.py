"""How long `StatusReporter` holds up its script: microseconds a call.

Measured in a loop that computes a little between calls, with the monitor up, with nothing on its
port, and with a server there that accepts and never answers.

    python -m bench.reporter_call
"""

from __future__ import annotations

import logging
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from statistics import fmean, quantiles
from typing import TYPE_CHECKING

from castray.monitor.reporter import StatusReporter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS = 5_000
LIMIT_US = 50


def main() -> None:
    """Print one line for each state of the monitor and each kind of call."""
    logging.disable()
    print(f"StatusReporter, {ROUNDS} calls of each kind; the limit is {LIMIT_US} µs a call")
    print(
        f"{'monitor':<10}{'call':<12}" + "".join(f"{n:>9}" for n in ("mean", "p50", "p99")) + " µs"
    )
    for name, monitor in (("up", _up), ("down", _down), ("hanging", _hanging)):
        with monitor() as url, StatusReporter(url) as reporter:
            for call, times_us in measure(reporter).items():
                figures = (fmean(times_us), *(quantiles(times_us, n=100)[i] for i in (49, 98)))
                print(f"{name:<10}{call:<12}" + "".join(f"{figure:9.2f}" for figure in figures))


def measure(reporter: StatusReporter) -> dict[str, list[float]]:
    """The time of each call, in microseconds, by the name of the call."""
    calls: dict[str, Callable[[], object]] = {
        "detecting": lambda: reporter.detecting("camera 2"),
        "result": lambda: reporter.result(confidence=0.4, inference_ms=3.2),
        "sending": lambda: reporter.sending("frame 7"),
        "idle": reporter.idle,
    }
    times_us: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            began_ns = time.perf_counter_ns()
            call()
            times_us[name].append((time.perf_counter_ns() - began_ns) / 1000)
            sum(range(5_000))
    return times_us


@contextmanager
def _up() -> Iterator[str]:
    command = [sys.executable, "-m", "castray.monitor", "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as monitor:
        assert monitor.stdout is not None
        address = re.search(r"http://\S+", monitor.stdout.readline())
        assert address is not None
        yield address.group()
        monitor.terminate()


@contextmanager
def _down() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


@contextmanager
def _hanging() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


if __name__ == "__main__":
    main()
