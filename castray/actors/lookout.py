"""Where the connector looks for clusters: on its own machine, and through the pollers on others."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from castray.actors.names import get_handle, poller_name
from castray.discovery.remote import RemoteSource
from castray.discovery.sources import make_sources
from castray.discovery.temp_dir import default_temp_dir
from castray.models import NodeSource, NodeState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from ipaddress import IPv4Network, IPv6Network

    from castray.actors.names import ActorSettings
    from castray.discovery.source import Sightings, Source
    from castray.models import Snapshot

__all__ = ["local_sources", "remote_sources"]


def local_sources(
    settings: ActorSettings, allowed: Sequence[IPv4Network | IPv6Network]
) -> list[Source]:
    """The sources on this machine."""
    external = settings.external
    return make_sources(
        external.discovery_methods,
        temp_dir=default_temp_dir(os.environ),
        ports=range(external.first_port, external.last_port + 1),
        allowed=allowed,
    )


def remote_sources(settings: ActorSettings, home: Snapshot) -> list[Source]:
    """The same on the machine of every other living home node."""
    return [
        RemoteSource(method, node.name, node.address, _ask_poller(settings, node.node_id, method))
        for node in home.nodes
        if node.source is NodeSource.HOME and node.state is NodeState.ALIVE and not node.is_head
        for method in settings.external.discovery_methods
    ]


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
