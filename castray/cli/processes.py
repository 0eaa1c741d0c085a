"""Processes of this machine: remembered without mistaking one for another, and ended whole."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import TYPE_CHECKING

import psutil
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ProcessId",
    "end_session",
    "free_port",
    "is_own_host",
    "is_port_free",
    "own_address",
]

KILL_TIMEOUT_S = 5.0
POLL_S = 0.05


class ProcessId(BaseModel):
    """A process for good: its number alone may be given to another one later."""

    model_config = ConfigDict(frozen=True)

    pid: int
    created_s: float

    @classmethod
    def of(cls, pid: int) -> ProcessId:
        """The process that has that number now."""
        return cls(pid=pid, created_s=psutil.Process(pid).create_time())

    def find(self) -> psutil.Process | None:
        """The process, or None where it has ended."""
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            if process.create_time() == self.created_s and _lives(process):
                return process
        return None


def end_session(leader: ProcessId, grace_s: float) -> bool:
    """End a process that leads a session of its own, and everything that belongs to it.

    The leader is asked first. What is left after `grace_s` seconds is killed, also where the
    leader was gone before.

    Returns:
        Whether there was anything to end.
    """
    members = _members(leader)
    if (process := leader.find()) is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
        _wait([process], grace_s)
    left = members | _members(leader)
    for member in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    _wait(left, KILL_TIMEOUT_S)
    return bool(members)


def is_port_free(port: int) -> bool:
    """Whether that TCP port can be listened on, on every interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def is_own_host(host: str) -> bool:
    """Whether that address, or what that name stands for, is this machine's."""
    with socket.socket() as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port


def own_address() -> str:
    """This host's address towards the others; no packet is sent to learn it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address


def _members(leader: ProcessId) -> set[psutil.Process]:
    """The living processes of the leader's session, and those that it started elsewhere."""
    try:
        process = psutil.Process(leader.pid)
        if process.create_time() != leader.created_s:
            # A number is given again only when nothing of its session is left.
            return set()
        found = {process, *process.children(recursive=True)}
    except psutil.NoSuchProcess:
        found = set()
    found |= {p for p in psutil.process_iter() if _session_of(p.pid) == leader.pid}
    return {process for process in found if _lives(process)}


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _wait(processes: Iterable[psutil.Process], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while any(map(_lives, processes)) and time.monotonic() < deadline:
        time.sleep(POLL_S)
