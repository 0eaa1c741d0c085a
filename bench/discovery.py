"""One discovery with every source, three clusters on the machine, beside one `ray status`.

The clusters have temp directories and ports of their own, one wants a token. CastRay discovers
within a process that runs; what the same takes in a new process is shown too. Other clusters on
the machine are found as well, and slow both sides down.

    python -m bench.discovery [--rounds 5]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple, get_args

from bench.figures import Limit, describe_machine, print_limits, print_table
from bench.programs import OBJECT_STORE_BYTES, REPOSITORY, running, wait_for_ray
from castray.cli.processes import is_port_free
from castray.config import DiscoveryMethod
from castray.discovery.discover import discover
from castray.discovery.probe import NetworkProbe
from castray.discovery.sources import make_sources
from castray.discovery.temp_dir import default_temp_dir

if TYPE_CHECKING:
    from collections.abc import Iterator

    from castray.discovery.source import DiscoveryReport

__all__ = ["main"]

DEADLINE_S = 10.0
RATIO_LIMIT = 0.5
LOOPBACK = "127.0.0.1"
RAY = [sys.executable, "-m", "ray.scripts.scripts"]
OPEN = {"RAY_AUTH_MODE": "disabled"}
"""Where its user has a token, Ray would want one by default."""

ENVIRONMENTS = [OPEN, OPEN, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "only-for-this-bench"}]
"""Of the three clusters."""

PORT_OPTIONS = [
    "--ray-client-server-port",
    "--node-manager-port",
    "--object-manager-port",
    "--runtime-env-agent-port",
    "--dashboard-agent-grpc-port",
    "--dashboard-agent-listen-port",
    "--metrics-export-port",
]
PORTS = range(20_000, 32_000)
"""Below those that the system gives out: Ray's servers share a port without a word."""

IN_A_NEW_PROCESS = "import asyncio, bench.discovery as b; asyncio.run(b.discover_all({ports}))"


class _Head(NamedTuple):
    """Where a cluster is."""

    gcs_address: str
    dashboard_port: int


class _Seconds(NamedTuple):
    """How long each round took."""

    status: list[float]
    discovery: list[float]
    new_process: list[float]


def main() -> None:
    """Measure, print, and say whether the limit is met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="of each, in turns; medians count")
    rounds = parser.parse_args().rounds
    print(f"discovery: {len(ENVIRONMENTS)} clusters, {rounds} rounds; {describe_machine()}\n")
    with ExitStack() as ends:
        heads = [
            ends.enter_context(_running_head(_free_ports(50), environment))
            for environment in ENVIRONMENTS
        ]
        _print(asyncio.run(_measure(heads, rounds)))


async def discover_all(dashboard_ports: list[int]) -> DiscoveryReport:
    """One discovery, as CastRay does it: `dashboard_scan` looks on these ports."""
    sources = make_sources(
        get_args(DiscoveryMethod), temp_dir=default_temp_dir(os.environ), ports=dashboard_ports
    )
    return await discover(sources, NetworkProbe(), DEADLINE_S)


async def _measure(heads: list[_Head], rounds: int) -> _Seconds:
    seconds = _Seconds([], [], [])
    ports = [head.dashboard_port for head in heads]
    new_process = [sys.executable, "-c", IN_A_NEW_PROCESS.format(ports=ports)]
    for _ in range(rounds):
        seconds.status.append(_time([*RAY, "status", f"--address={heads[0].gcs_address}"]))
        began = time.perf_counter()
        report = await discover_all(ports)
        seconds.discovery.append(time.perf_counter() - began)
        seconds.new_process.append(_time(new_process))
        found = {cluster.dashboard_url for cluster in report.clusters}
        if missing := {f"http://{LOOPBACK}:{port}" for port in ports} - found:
            raise RuntimeError(f"{missing} were not found: {report}")
    return seconds


def _time(command: list[str]) -> float:
    environment = {**os.environ, **OPEN}
    began = time.perf_counter()
    subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


@contextmanager
def _running_head(first_port: int, environment: dict[str, str]) -> Iterator[_Head]:
    """A cluster of one node, on ports of its own from that one on."""
    ports = count(first_port)
    head = _Head(f"{LOOPBACK}:{next(ports)}", next(ports))
    options = {
        "--node-ip-address": LOOPBACK,
        "--port": first_port,
        "--dashboard-port": head.dashboard_port,
        "--include-dashboard": "true",
        **{name: next(ports) for name in PORT_OPTIONS},
        "--min-worker-port": first_port + 20,
        "--max-worker-port": first_port + 49,
        "--num-cpus": 1,
        "--object-store-memory": OBJECT_STORE_BYTES,
    }
    # The path of a socket must be short.
    with TemporaryDirectory(prefix="ray") as directory:
        log = Path(directory, "ray.log")
        command = [*RAY, "start", "--head", "--block", "--disable-usage-stats"]
        command += [f"{name}={value}" for name, value in options.items()]
        command.append(f"--temp-dir={directory}/ray")
        with running(command, log=log, environment={**os.environ, **environment}):
            wait_for_ray(log)
            yield head


def _free_ports(wanted: int) -> int:
    """The first of so many ports in a row on which nobody listens."""
    for first in range(PORTS.start, PORTS.stop, wanted):
        if all(is_port_free(port) for port in range(first, first + wanted)):
            return first
    raise RuntimeError(f"there are no {wanted} free ports in a row in {PORTS}")


def _print(seconds: _Seconds) -> None:
    status_s = median(seconds.status)
    rows = {
        "one `ray status`": seconds.status,
        "discovery": seconds.discovery,
        "discovery in a new process": seconds.new_process,
    }
    print_table(
        ("ms", "median", "longest", "median / `ray status`"),
        [
            (
                name,
                f"{1000 * median(values):.0f}",
                f"{1000 * max(values):.0f}",
                f"{median(values) / status_s:.2f}",
            )
            for name, values in rows.items()
        ],
    )
    ratio = median(seconds.discovery) / status_s
    print_limits(
        [
            Limit(
                "discovery / `ray status`", f"≤ {RATIO_LIMIT}", f"{ratio:.2f}", ratio <= RATIO_LIMIT
            )
        ]
    )


if __name__ == "__main__":
    main()
