"""Processes of this machine: remembered without mistaking one for another, ended with all below."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import psutil
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ProcessId", "end_tree", "free_port", "is_port_free", "own_address"]


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
        try:
            process = psutil.Process(self.pid)
            same = process.create_time() == self.created_s
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


def end_tree(root: ProcessId, grace_s: float) -> bool:
    """End a process and everything below it: first asked, killed after `grace_s` seconds.

    Returns:
        Whether there was anything to end.
    """
    process = root.find()
    if process is None:
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        below = process.children(recursive=True)
        process.terminate()
        psutil.wait_procs([process], timeout=grace_s)
        # Those that the root left behind: whatever it could, it has ended itself by now.
        _kill([process, *below])
    return True


def is_port_free(port: int) -> bool:
    """Whether that TCP port can be listened on, on every interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
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


def _kill(processes: Iterable[psutil.Process]) -> None:
    left = [process for process in processes if process.is_running()]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=5)
