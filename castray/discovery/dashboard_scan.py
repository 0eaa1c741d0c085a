"""The ports on which dashboards usually listen."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from castray.core.clusters import DEFAULT_ALLOWED_NETWORKS
from castray.discovery.address import fetch_endpoint, host_and_port
from castray.discovery.source import Candidate, Sightings
from castray.errors import ExternalClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from ipaddress import IPv4Network, IPv6Network

    from castray.discovery.address import Endpoint

__all__ = ["DEFAULT_PORTS", "DashboardScan", "fetch_open_ports"]

DEFAULT_PORTS = range(8265, 8270)
"""Ray takes the first that is free."""

CONNECT_TIMEOUT_S = 1.0
MAX_CONNECTIONS = 64


class DashboardScan:
    """Whatever listens on the usual ports; discovery asks it whether it is a Ray dashboard.

    Args:
        ports: The ports to try.
        hosts: The hosts to try them on.
        allowed: The networks that we may connect to.
    """

    name = "dashboard_scan"

    def __init__(
        self,
        ports: Iterable[int] = DEFAULT_PORTS,
        hosts: Sequence[str] = ("127.0.0.1",),
        allowed: Sequence[IPv4Network | IPv6Network] = DEFAULT_ALLOWED_NETWORKS,
    ) -> None:
        self._ports = tuple(ports)
        self._hosts = tuple(hosts)
        self._allowed = tuple(allowed)

    async def fetch(self) -> Sightings:
        """Try every port of every host once."""
        hosts = self._hosts if self._ports else ()
        looks = await asyncio.gather(*map(self._look_at, hosts))
        return Sightings(
            tuple(candidate for look in looks for candidate in look.candidates),
            tuple(note for look in looks for note in look.notes),
        )

    async def _look_at(self, host: str) -> Sightings:
        try:
            endpoint = await fetch_endpoint(host, self._ports[0], self._allowed)
        except ExternalClusterError as error:
            return Sightings(notes=(str(error),))
        ports = await fetch_open_ports(endpoint, self._ports)
        return Sightings(
            tuple(Candidate(dashboard_url=f"http://{host_and_port(host, port)}") for port in ports)
        )


async def fetch_open_ports(endpoint: Endpoint, ports: Iterable[int]) -> list[int]:
    """Those of the ports on which that host accepts connections; its own port is not looked at."""
    slots = asyncio.Semaphore(MAX_CONNECTIONS)

    async def is_open(port: int) -> bool:
        async with slots:
            return await _accepts(endpoint.ips, port)

    tried = list(ports)
    answers = await asyncio.gather(*map(is_open, tried))
    return [port for port, answer in zip(tried, answers, strict=True) if answer]


async def _accepts(ips: Iterable[str], port: int) -> bool:
    for ip in ips:
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            _, writer = await asyncio.wait_for(asyncio.open_connection(ip, port), CONNECT_TIMEOUT_S)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return True
    return False
