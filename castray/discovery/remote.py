"""A source that looks on another machine, through whoever answers for us there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from castray.discovery.address import host_and_port, is_loopback

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from castray.discovery.source import Candidate, Sightings

__all__ = ["RemoteSource", "seen_from_here"]


class RemoteSource:
    """One way to find clusters, tried on another node's machine.

    Args:
        method: The source's name there.
        node_name: The node's name, for the report.
        address: The node's address.
        ask: Lets the source look there once.
    """

    def __init__(
        self, method: str, node_name: str, address: str, ask: Callable[[], Awaitable[Sightings]]
    ) -> None:
        self.name = f"{method}@{node_name}"
        self._address = address
        self._ask = ask

    async def fetch(self) -> Sightings:
        """Look there once; what is on that machine's loopback gets the machine's address."""
        sightings = await self._ask()
        return replace(
            sightings,
            candidates=tuple(seen_from_here(c, self._address) for c in sightings.candidates),
        )


def seen_from_here(candidate: Candidate, address: str) -> Candidate:
    """The candidate of the machine at `address`, as it can be reached from another one."""
    return replace(
        candidate,
        dashboard_url=_moved(candidate.dashboard_url, address),
        ray_address=_moved(candidate.ray_address, address),
    )


def _moved(url: str | None, address: str) -> str | None:
    if url is None:
        return None
    parts = urlsplit(url)
    if not is_loopback(parts.hostname or "") or parts.port is None:
        return url
    return f"{parts.scheme}://{host_and_port(address, parts.port)}{parts.path}"
