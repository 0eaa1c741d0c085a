"""The shapes of the calls about external clusters, as clients of old know them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from castray.models import ClusterState, NodeSource, NodeState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from castray.models import Cluster, Node

__all__ = [
    "ConnectedNode",
    "ExternalInfo",
    "ExternalNode",
    "ListedNode",
    "render_connected_nodes",
    "render_external_info",
    "render_listed_nodes",
]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class ExternalNode(_Shape):
    """One node of an external cluster; a stale one is alive to its Ray."""

    address: str
    status: Literal["alive", "dead"]
    last_seen: datetime | None


class ConnectedNode(_Shape):
    """One node, as the calls that connect clusters return it."""

    address: str
    status: Literal["alive", "dead"]
    cluster_source: str = Field(description="What found its cluster, or `manual`.")
    cluster: str


class ListedNode(ConnectedNode):
    """One node, as `GET /api/nodes/external` lists it."""

    id: str
    name: str
    type: Literal["external"] = "external"
    last_seen: datetime | None


class ExternalInfo(_Shape):
    """The external clusters that are connected, and their nodes by short id."""

    is_connected: bool
    external_nodes: dict[str, ExternalNode]
    connected_cluster: str | None = Field(description="HOST:PORT of the first one's dashboard.")
    connected_clusters: tuple[str, ...] = Field(description="The ids of all.")


def render_external_info(nodes: Sequence[Node], clusters: Sequence[Cluster]) -> ExternalInfo:
    """What is known of external clusters; a lost one does not count as connected."""
    connected = [
        c for c in clusters if c.source is NodeSource.EXTERNAL and c.state is ClusterState.CONNECTED
    ]
    dashboards = [urlsplit(c.dashboard_url).netloc for c in connected if c.dashboard_url]
    return ExternalInfo(
        is_connected=bool(connected),
        external_nodes={
            n.id: ExternalNode(address=n.address, status=_status(n), last_seen=n.last_report)
            for n in _external(nodes)
        },
        connected_cluster=dashboards[0] if dashboards else None,
        connected_clusters=tuple(c.id for c in connected),
    )


def render_connected_nodes(
    nodes: Sequence[Node], clusters: Sequence[Cluster]
) -> dict[str, ConnectedNode]:
    """The external nodes by short id."""
    sources = _sources(clusters)
    return {
        n.id: ConnectedNode(
            address=n.address,
            status=_status(n),
            cluster_source=sources.get(n.cluster, "manual"),
            cluster=n.cluster,
        )
        for n in _external(nodes)
    }


def render_listed_nodes(
    nodes: Sequence[Node], clusters: Sequence[Cluster]
) -> tuple[ListedNode, ...]:
    """The external nodes as a list."""
    sources = _sources(clusters)
    return tuple(
        ListedNode(
            id=n.id,
            name=n.name,
            address=n.address,
            status=_status(n),
            cluster_source=sources.get(n.cluster, "manual"),
            cluster=n.cluster,
            last_seen=n.last_report,
        )
        for n in _external(nodes)
    )


def _external(nodes: Sequence[Node]) -> list[Node]:
    return [n for n in nodes if n.source is NodeSource.EXTERNAL]


def _sources(clusters: Sequence[Cluster]) -> dict[str, str]:
    return {c.id: c.sources[0] for c in clusters if c.sources}


def _status(node: Node) -> Literal["alive", "dead"]:
    return "dead" if node.state is NodeState.DEAD else "alive"
