"""How the connector looks for clusters, here and through the pollers elsewhere, and at each."""

from __future__ import annotations

import asyncio
import ipaddress
import os
from typing import TYPE_CHECKING

from castray.actors.names import get_handle, poller_name
from castray.discovery.address import own_networks
from castray.discovery.cluster_watch import WatchOptions
from castray.discovery.dashboard import Dashboard
from castray.discovery.dashboard_http import TIMEOUT_S
from castray.discovery.discover import discover
from castray.discovery.locate import Locator
from castray.discovery.probe import NetworkProbe
from castray.discovery.remote import RemoteSource
from castray.discovery.sources import make_sources
from castray.discovery.temp_dir import default_temp_dir
from castray.errors import ClusterTooSlowError, InvalidRequestError
from castray.models import NodeSource, NodeState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from ipaddress import IPv4Network, IPv6Network

    from castray.actors.names import ActorSettings
    from castray.actors.registry_link import RegistryLink
    from castray.discovery.answers import Version
    from castray.discovery.source import DiscoveryReport, Sightings, Source
    from castray.models import Connection, Snapshot

__all__ = ["Lookout"]


class Lookout:
    """Looks for clusters, and at them, as the settings say.

    Args:
        settings: What the actors were started with.
        registry: Knows the home nodes.
        home_session: Session name of the cluster that is none of those looked for.
    """

    def __init__(self, settings: ActorSettings, registry: RegistryLink, home_session: str) -> None:
        self._settings = settings
        self._external = settings.external
        self._registry = registry
        self._home_session = home_session

    def allowed(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks of the settings, and this machine's own addresses."""
        return (*map(ipaddress.ip_network, self._external.allowed_networks), *own_networks())

    async def look(self, connected: Iterable[Connection], *, all_nodes: bool) -> DiscoveryReport:
        """What is there now.

        Args:
            connected: The connected clusters, to ask each with its own token.
            all_nodes: On every home node's machine, not just on this one.
        """
        sources = self._local_sources()
        if all_nodes:
            sources += self._remote_sources(await self._registry.call("snapshot"))
        tokens = {c.dashboard_url: c.token for c in connected if c.token}
        return await discover(
            sources,
            NetworkProbe(self.allowed(), tokens),
            self._external.timeout_s,
            exclude_session=self._home_session,
        )

    async def fetch_dashboard_url(self, address: str, token: str | None) -> str:
        """The dashboard of the cluster at an address of any form.

        Raises:
            InvalidRequestError: That is no address.
            ExternalClusterError: No cluster can be found there.
        """
        deadline_s = self._external.timeout_s
        locator = Locator(self.allowed(), token, self._ports())
        try:
            return await asyncio.wait_for(locator.fetch_dashboard_url(address), deadline_s)
        except asyncio.TimeoutError:
            raise ClusterTooSlowError(
                address, f"did not say within {deadline_s:g} s where its dashboard is."
            ) from None

    async def fetch_version(self, address: str, url: str, token: str | None) -> Version:
        """Which cluster the dashboard at that URL shows; its nodes can be read there.

        Raises:
            InvalidRequestError: It is CastRay's own cluster, which was given as `address`.
            ExternalClusterError: It cannot be read.
        """
        dashboard = await Dashboard.open(
            url, allowed=self.allowed(), token=token, timeout_s=self._answer_timeout_s()
        )
        try:
            version = await dashboard.fetch_version()
            await dashboard.fetch_nodes()
        finally:
            await dashboard.aclose()
        if version.session_name == self._home_session:
            raise InvalidRequestError(
                f"{address} is the cluster that CastRay runs on; its nodes are shown already."
            )
        return version

    def watch_options(self) -> WatchOptions:
        """How a connected cluster is looked at from now on."""
        return WatchOptions(
            allowed=self.allowed(),
            timeout_s=self._answer_timeout_s(),
            monitor_port=self._settings.monitor_port,
            monitor_poll_interval_s=self._settings.monitor_poll_interval_s,
            monitor_timeout_s=self._settings.monitor_timeout_s,
        )

    def _local_sources(self) -> list[Source]:
        return make_sources(
            self._external.discovery_methods,
            temp_dir=default_temp_dir(os.environ),
            ports=self._ports(),
            allowed=self.allowed(),
        )

    def _remote_sources(self, home: Snapshot) -> list[Source]:
        """The same on the machine of every other living home node."""
        return [
            RemoteSource(
                method, node.name, node.address, _ask_poller(self._settings, node.node_id, method)
            )
            for node in home.nodes
            if node.source is NodeSource.HOME and node.state is NodeState.ALIVE and not node.is_head
            for method in self._external.discovery_methods
        ]

    def _answer_timeout_s(self) -> float:
        return min(self._external.timeout_s, TIMEOUT_S)

    def _ports(self) -> range:
        return range(self._external.first_port, self._external.last_port + 1)


def _ask_poller(
    settings: ActorSettings, node_id: str, method: str
) -> Callable[[], Awaitable[Sightings]]:
    async def ask() -> Sightings:
        poller = await asyncio.to_thread(get_handle, poller_name(node_id), settings.namespace)
        sightings: Sightings = await poller.look_for_clusters.remote(
            method, settings.external.first_port, settings.external.last_port
        )
        return sightings

    return ask
