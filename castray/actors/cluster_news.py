"""What the connector tells of external clusters: to the registry, and what is new to people."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from castray.core.events import ClusterForgotten, ClusterObserved, ClustersFound, Noticed
from castray.core.notices import (
    connected_notice,
    disconnected_notice,
    discovered_notice,
    lost_notice,
)
from castray.discovery.records import discovered_cluster
from castray.models import Cluster, ClusterState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from castray.actors.registry_link import RegistryLink
    from castray.core.events import Event
    from castray.discovery.source import FoundCluster
    from castray.models import Node

__all__ = ["ClusterNews"]


class ClusterNews:
    """Knows what was told last of each connected cluster.

    Args:
        registry: Whom to tell; every method raises RegistryUnavailableError where it is away.
    """

    def __init__(self, registry: RegistryLink) -> None:
        self._registry = registry
        self._told: dict[str, Cluster] = {}
        self._expected: set[str] = set()

    def expect(self, cluster: str) -> None:
        """It was connected before our restart, too: that it is now is no news."""
        self._expected.add(cluster)

    def name_of(self, cluster: str) -> str | None:
        """What it was called last."""
        last = self._told.get(cluster)
        return last.name if last else None

    async def observe(self, cluster: Cluster, nodes: Sequence[Node]) -> None:
        """A watch saw this; told to people when it is a loss or a return."""
        before = self._told.get(cluster.id)
        self._told[cluster.id] = cluster
        await self._tell(ClusterObserved(cluster, tuple(nodes)))
        was = before.state if before else None
        if cluster.id in self._expected:
            self._expected.discard(cluster.id)
        elif cluster.state is ClusterState.LOST and was is ClusterState.CONNECTED:
            await self._tell(Noticed(lost_notice(cluster, _now())))
        elif cluster.state is ClusterState.CONNECTED and was is not ClusterState.CONNECTED:
            await self._tell(Noticed(connected_notice(cluster, _now())))

    async def forget(self, cluster: str, left_behind: str | None = None) -> None:
        """It is not connected any more; `left_behind` says why our outpost is there still."""
        last = self._told.pop(cluster, None)
        await self._tell(ClusterForgotten(cluster))
        if last is not None:
            await self._tell(Noticed(disconnected_notice(last, _now(), left_behind)))

    async def discovered(
        self, found: Sequence[FoundCluster], unconnected: Sequence[Cluster]
    ) -> None:
        """A discovery found these, of which some are connected now."""
        await self._tell(ClustersFound(tuple(unconnected)))
        if found:
            nodes = sum(cluster.node_count or 0 for cluster in self._told.values())
            notice = discovered_notice([discovered_cluster(f) for f in found], nodes, _now())
            await self._tell(Noticed(notice))

    async def _tell(self, event: Event) -> None:
        await self._registry.call("observe", event)


def _now() -> datetime:
    return datetime.now(timezone.utc)
