"""External clusters as a test has them: records, what a discovery says of them, their cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from castray.core.events import ClustersFound
from castray.core.nodes import node_key
from castray.discovery.source import DiscoveryReport, FoundCluster, SourceReport
from castray.models import (
    Cluster,
    ClusterState,
    LogicalResource,
    Node,
    NodeSource,
    NodeState,
    Reason,
    ReasonCode,
)

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

__all__ = [
    "LAB",
    "REFUSED",
    "WANTS_TOKEN",
    "cluster",
    "cluster_card",
    "discovery",
    "external_node",
    "lost_cluster",
    "source_report",
    "wants_token",
]

LAB = "ray_cluster_001"

REFUSED = "refuses the connection: is Ray running there, and is this its dashboard's port?"
WANTS_TOKEN = "wants a token; connect with the cluster's own."


def cluster(id_: str = LAB, state: ClusterState = ClusterState.CONNECTED, **more: Any) -> Cluster:
    """An external cluster of two nodes and 8 cores, 3 of which are free."""
    facts: dict[str, Any] = {
        "name": id_,
        "address": f"127.0.0.1:82{id_[-2:]}",
        "dashboard_url": f"http://127.0.0.1:82{id_[-2:]}",
        "ray_version": "2.60.0",
        "session_name": f"session_{id_}",
        "sources": ("process_scan", "dashboard_scan"),
        "node_count": 2,
        "resources": {"CPU": LogicalResource(total=8, available=3)},
    }
    return Cluster(id=id_, source=NodeSource.EXTERNAL, state=state, **{**facts, **more})


def lost_cluster(id_: str, detail: str, **more: Any) -> Cluster:
    """An external cluster that does not answer."""
    reason = Reason(code=ReasonCode.CLUSTER_LOST, detail=detail)
    unmeasured: dict[str, Any] = {"resources": {}, "node_count": None}
    return cluster(id_, ClusterState.LOST, state_reason=reason, **{**unmeasured, **more})


def wants_token(cluster_id: str) -> ClustersFound:
    """A discovery found that cluster, which let nobody in."""
    reason = Reason(code=ReasonCode.CLUSTER_WANTS_TOKEN, detail=f"{cluster_id} {WANTS_TOKEN}")
    unread: dict[str, Any] = {"ray_version": None, "node_count": None, "resources": {}}
    found = cluster(cluster_id, ClusterState.FOUND, needs_token=True, state_reason=reason, **unread)
    return ClustersFound((found,))


def external_node(name: str, cluster_id: str = LAB) -> Node:
    """A living node of an external cluster."""
    return Node(
        key=node_key(cluster_id, f"id-of-{name}"),
        id=f"ray_node_{name}",
        cluster=cluster_id,
        source=NodeSource.EXTERNAL,
        node_id=f"id-of-{name}",
        name=name,
        host_name=f"host-of-{name}",
        address="127.0.0.1",
        is_head=True,
        state=NodeState.ALIVE,
    )


def source_report(name: str, **more: Any) -> SourceReport:
    """What a source saw: nothing, unless said otherwise."""
    facts: dict[str, Any] = {"error": None, "clusters": (), "rejected": (), "notes": ()}
    return SourceReport(name=name, duration_s=0.42, **{**facts, **more})


def discovery(found: tuple[Cluster, ...], *sources: SourceReport) -> DiscoveryReport:
    """What a discovery says that found these clusters."""
    clusters = tuple(
        FoundCluster(
            session_name=each.session_name,
            dashboard_url=each.dashboard_url,
            gcs_address=None,
            ray_version=each.ray_version,
            nodes=each.node_count,
            resources={},
            sources=each.sources,
            needs_token=each.needs_token,
            error=each.state_reason.detail if each.state_reason else None,
        )
        for each in found
    )
    return DiscoveryReport(clusters=clusters, sources=sources, duration_s=0.5)


def cluster_card(page: Page, cluster_id: str) -> Locator:
    """The card of that cluster."""
    return page.locator(f'[data-testid="cluster-card"][data-cluster="{cluster_id}"]')
