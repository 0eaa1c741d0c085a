"""The one cluster that `ray status` would report on, found without paying for that command."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from castray.discovery.process_scan import fetch_processes, parse_processes
from castray.discovery.source import Candidate, Sightings
from castray.discovery.temp_dir import read_current_address

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from castray.discovery.process_scan import LocalCluster

__all__ = ["RayStatus", "plan_candidate"]


class RayStatus:
    """The cluster that a Ray program on this machine would join by default.

    Args:
        ray_address: What `RAY_ADDRESS` says, if anything.
        temp_dir: Ray's default directory.
    """

    name = "ray_status"

    def __init__(self, ray_address: str | None, temp_dir: Path) -> None:
        self._ray_address = ray_address
        self._temp_dir = temp_dir

    async def fetch(self) -> Sightings:
        """Look where Ray looks."""
        current = await asyncio.to_thread(read_current_address, self._temp_dir)
        processes = await fetch_processes()
        running = parse_processes(processes.command_lines)
        candidate = plan_candidate(self._ray_address, current, running)
        return Sightings((candidate,) if candidate else ())


def plan_candidate(
    ray_address: str | None, current: str | None, running: Sequence[LocalCluster]
) -> Candidate | None:
    """Which cluster Ray would take: the variable's, the one started last, or one that runs."""
    is_set = ray_address not in {None, "", "auto", "local"}
    address = ray_address if is_set else current
    if not address:
        return running[0].candidate() if running else None
    # Its own processes know more of it: its name, where it wants a token.
    known = next((cluster for cluster in running if cluster.gcs_address == address), None)
    if known:
        return known.candidate()
    return Candidate(ray_address=address if "://" in address else f"gcs://{address}")
