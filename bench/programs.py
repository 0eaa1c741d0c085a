"""Child processes of a bench: started in a session of their own, and ended with all below them."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from castray.cli.processes import ProcessId, end_session, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = [
    "OBJECT_STORE_BYTES",
    "PING_INTERVAL_S",
    "REPOSITORY",
    "running",
    "running_uvicorn",
    "wait_for_port",
    "wait_for_ray",
    "wait_until",
]

END_GRACE_S = 10.0
START_TIMEOUT_S = 60.0
RAY_START_TIMEOUT_S = 180.0
LOOK_INTERVAL_S = 0.05
PING_INTERVAL_S = 3600
"""For servers whose clients answer no pings."""

OBJECT_STORE_BYTES = 80 * 2**20
"""Ray refuses less than 75 MiB; nothing is stored here."""

REPOSITORY = Path(__file__).resolve().parents[1]


@contextmanager
def running(
    command: Sequence[str], *, log: Path | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """The program runs, from the repository's root, until the block ends.

    Args:
        command: What to run.
        log: Where its words go; None: nowhere.
        environment: Its variables; None: ours.
    """
    with (log or Path("/dev/null")).open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    leader = ProcessId.of(process.pid)
    try:
        yield
    finally:
        end_session(leader, END_GRACE_S)
        process.wait()


@contextmanager
def running_uvicorn(app: str) -> Iterator[str]:
    """That application, such as `bench.bare_server:app`, runs on uvicorn; gives its address."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", app, f"--port={port}", "--no-access-log"]
    command += [f"--ws-ping-interval={PING_INTERVAL_S}"]
    with running(command):
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}"


def wait_for_port(port: int) -> None:
    """Return once that port of this machine takes connections.

    Raises:
        TimeoutError: It does not, within a minute.
    """

    def connects() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(connects, START_TIMEOUT_S, lambda: f"nothing listens on port {port}")


def wait_for_ray(log: Path) -> None:
    """Return once a `ray start --block` that writes to that file is up.

    Raises:
        TimeoutError: It is not, within three minutes.
    """

    def words() -> str:
        return log.read_text(errors="replace")

    wait_until(
        lambda: "Ray runtime started" in words(),
        RAY_START_TIMEOUT_S,
        lambda: f"Ray does not start: {words()[-2000:]}",
    )


def wait_until(is_so: Callable[[], bool], timeout_s: float, problem: Callable[[], str]) -> None:
    """Return once that is so; for what other programs do without telling anybody.

    Args:
        is_so: Asked again and again.
        timeout_s: For how long.
        problem: What to say where it does not become so.

    Raises:
        TimeoutError: It does not become so in time.
    """
    deadline = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(problem())
        time.sleep(LOOK_INTERVAL_S)
