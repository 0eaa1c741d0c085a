"""Ray's temporary directories: the sessions in them that still run."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from castray.discovery.process_scan import fetch_processes, parse_processes
from castray.discovery.source import Candidate, Sightings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["TempDirScan", "default_temp_dir", "parse_dashboard_log", "read_current_address"]

DASHBOARD_LINE = re.compile(r"Dashboard head http address: (\S+)")
ALL_INTERFACES = re.compile(r"^(0\.0\.0\.0|\[::\])(?=:)")

LOG_HEAD_BYTES = 64 * 1024
"""A dashboard says where it listens before it does anything else."""

MAX_ADDRESS_BYTES = 300

MAX_SESSIONS = 50
"""The newest of a directory: Ray itself never removes those that ended."""


class TempDirScan:
    """The clusters whose session directories are on this machine.

    Args:
        directories: Where to look, besides what the command lines of Ray's processes name.
    """

    name = "temp_dir"

    def __init__(self, directories: Sequence[Path]) -> None:
        self._directories = tuple(directories)

    async def fetch(self) -> Sightings:
        """Look into every directory once."""
        processes = await fetch_processes()
        named = [Path(c.temp_dir) for c in parse_processes(processes.command_lines) if c.temp_dir]
        return await asyncio.to_thread(_look_into, dict.fromkeys([*self._directories, *named]))


def default_temp_dir(environ: Mapping[str, str]) -> Path:
    """Where Ray puts its sessions when nobody says where."""
    return Path(environ.get("RAY_TMPDIR") or environ.get("TMPDIR") or "/tmp") / "ray"  # noqa: S108


def read_current_address(directory: Path) -> str | None:
    """The GCS of the cluster that was started last in that directory; it may have ended since."""
    return _read_head(directory / "ray_current_cluster", MAX_ADDRESS_BYTES).strip() or None


def parse_dashboard_log(text: str) -> str | None:
    """The dashboard's URL on its own machine, from the beginning of its log."""
    match = DASHBOARD_LINE.search(text)
    return f"http://{ALL_INTERFACES.sub('127.0.0.1', match[1])}" if match else None


def _look_into(directories: Iterable[Path]) -> Sightings:
    candidates: list[Candidate] = []
    ended = 0
    for directory in directories:
        if address := read_current_address(directory):
            candidates.append(Candidate(ray_address=f"gcs://{address}"))
        for session in _newest_sessions(directory):
            if not _is_alive(session):
                ended += 1
            elif url := parse_dashboard_log(_read_head(session / "logs/dashboard.log")):
                candidates.append(Candidate(dashboard_url=url, session_name=session.name))
    note = f"Session directories of clusters that ended: {ended}."
    return Sightings(tuple(candidates), (note,) if ended else ())


def _newest_sessions(directory: Path) -> list[Path]:
    # Their names begin with the time of their start.
    try:
        sessions = [path for path in directory.glob("session_*") if not path.is_symlink()]
    except OSError:
        return []
    return sorted(sessions, reverse=True)[:MAX_SESSIONS]


def _is_alive(session: Path) -> bool:
    """Whether a process of that session listens, or may: others' sockets say nothing."""
    try:
        return any(_listens(path) for path in (session / "sockets").iterdir() if path.is_socket())
    except OSError:
        return False


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.setblocking(False)
        try:
            client.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:  # it is full, or not ours to open: somebody listens, or we cannot know
            return True
    return True


def _read_head(path: Path, size: int = LOG_HEAD_BYTES) -> str:
    """The beginning of a file; nothing where it cannot be read.

    Directories in /tmp are anybody's: opened without waiting, a named pipe cannot hold us.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            return os.read(descriptor, size).decode(errors="replace")
        finally:
            os.close(descriptor)
    except OSError:
        return ""
