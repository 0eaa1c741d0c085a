"""From whatever address of a cluster somebody gave to the URL of its dashboard."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from castray.core.clusters import DEFAULT_ALLOWED_NETWORKS
from castray.discovery.address import (
    AddressKind,
    fetch_endpoint,
    host_and_port,
    is_loopback,
    is_this_host,
    parse_address,
)
from castray.discovery.dashboard import Dashboard
from castray.discovery.dashboard_scan import DEFAULT_PORTS, fetch_open_ports
from castray.discovery.gcs import fetch_dashboard_address
from castray.discovery.process_scan import fetch_processes, parse_processes
from castray.errors import (
    BadAnswerError,
    ClusterUnreachableError,
    ExternalClusterError,
    InvalidRequestError,
    NotARayDashboardError,
    TokenMissingError,
    TokenRefusedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from ipaddress import IPv4Network, IPv6Network

    from castray.discovery.address import Endpoint
    from castray.discovery.process_scan import LocalCluster

__all__ = ["Locator"]


class Locator:
    """Finds dashboards, without joining a cluster.

    Args:
        allowed: The networks that we may connect to.
        token: The cluster's token, if it wants one.
        ports: Where its dashboard may be, if nothing tells.
    """

    def __init__(
        self,
        allowed: Sequence[IPv4Network | IPv6Network] = DEFAULT_ALLOWED_NETWORKS,
        token: str | None = None,
        ports: Sequence[int] = DEFAULT_PORTS,
    ) -> None:
        self._allowed = tuple(allowed)
        self._token = token
        self._ports = tuple(ports)

    async def fetch_dashboard_url(self, text: str) -> str:
        """The URL of the dashboard of the cluster at that address, as `parse_address` takes it.

        A URL is returned as it is, without a look at who answers there.

        Raises:
            InvalidRequestError: That is no address.
            ExternalClusterError: No cluster is there, or nothing tells where its dashboard is.
        """
        address = parse_address(text)
        if address.kind is AddressKind.DASHBOARD:
            return address.dashboard_url
        endpoint = await fetch_endpoint(address.host, address.port, self._allowed)
        if address.kind is AddressKind.RAY_CLIENT:
            return await self._behind_client(endpoint)
        if address.kind is AddressKind.UNKNOWN:
            try:
                if await self._is_dashboard(address.dashboard_url):
                    return address.dashboard_url
            except ClusterUnreachableError:
                # A GCS may hang up on whoever speaks HTTP to it.
                if not await fetch_open_ports(endpoint, [endpoint.port]):
                    raise
        return await self._behind_gcs(endpoint)

    async def _behind_gcs(self, endpoint: Endpoint) -> str:
        try:
            dashboard = await fetch_dashboard_address(endpoint, self._token)
        except (TokenMissingError, TokenRefusedError):
            # The dashboard says the same of the token, if it can be found without the GCS.
            urls = await self._fetch_guesses(
                endpoint, lambda c: (c.gcs_address or "").endswith(f":{endpoint.port}")
            )
            if len(urls) != 1:
                raise
            return urls[0]
        except ClusterUnreachableError as error:
            if not await fetch_open_ports(endpoint, [endpoint.port]):
                raise
            raise NotARayDashboardError(
                error.address, "is neither a Ray dashboard nor a GCS; check the port."
            ) from None
        return _reachable_url(dashboard, endpoint)

    async def _behind_client(self, endpoint: Endpoint) -> str:
        where = host_and_port(endpoint.host, endpoint.port)
        if not await fetch_open_ports(endpoint, [endpoint.port]):
            raise ClusterUnreachableError(
                where, "cannot be reached; make sure that the cluster runs."
            )
        urls = await self._fetch_guesses(endpoint, lambda c: c.client_port == endpoint.port)
        if len(urls) == 1:
            return urls[0]
        seen = f"Its host has several ({', '.join(urls)})" if urls else "Its host shows none"
        raise NotARayDashboardError(
            where, f"does not say which dashboard belongs to it. {seen}; give the dashboard's URL."
        )

    async def _fetch_guesses(
        self, endpoint: Endpoint, belongs: Callable[[LocalCluster], bool]
    ) -> list[str]:
        """Dashboards on that host: those of the processes that belong, else all there are."""
        if is_this_host(endpoint):
            clusters = parse_processes((await fetch_processes()).command_lines)
            if known := [c.dashboard_url for c in clusters if c.dashboard_url and belongs(c)]:
                return known
        ports = await fetch_open_ports(endpoint, self._ports)
        urls = [f"http://{host_and_port(endpoint.host, port)}" for port in ports]
        are_dashboards = await asyncio.gather(*map(self._may_be_dashboard, urls))
        return [url for url, is_one in zip(urls, are_dashboards, strict=True) if is_one]

    async def _may_be_dashboard(self, url: str) -> bool:
        try:
            return await self._is_dashboard(url)
        except ExternalClusterError:
            return False

    async def _is_dashboard(self, url: str) -> bool:
        """Whether a Ray dashboard answers there; faults that say neither are raised.

        It is asked without the token, which is not for whoever else may listen there.
        """
        dashboard = await Dashboard.open(url, allowed=self._allowed)
        try:
            await dashboard.fetch_version()
        except TokenMissingError:
            return True
        except NotARayDashboardError:
            return False
        finally:
            await dashboard.aclose()
        return True


def _reachable_url(dashboard: str, endpoint: Endpoint) -> str:
    """The URL of the dashboard that this GCS named."""
    where = host_and_port(endpoint.host, endpoint.port)
    try:
        address = parse_address(f"http://{dashboard}")
    except InvalidRequestError:
        raise BadAnswerError(where, "names no dashboard that one could connect to.") from None
    if is_loopback(address.host) and not is_this_host(endpoint):
        raise ClusterUnreachableError(
            where,
            "serves its dashboard to its own machine only; start its head with "
            "--dashboard-host=0.0.0.0, or give the address of a tunnel to the dashboard.",
        )
    return address.dashboard_url
