"""What a discovery found, as records of the wire contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from castray.models import (
    Cluster,
    ClusterState,
    DiscoveredCluster,
    NodeSource,
    Reason,
    ReasonCode,
)

if TYPE_CHECKING:
    from castray.discovery.source import FoundCluster

__all__ = ["discovered_cluster", "found_address", "found_record"]


def found_address(found: FoundCluster) -> str:
    """Where a found cluster can be connected, as well as is known."""
    return (found.dashboard_url or found.gcs_address or "").removeprefix("http://")


def found_record(found: FoundCluster, cluster_id: str) -> Cluster:
    """A cluster that was found and that nobody is connected to."""
    code = ReasonCode.CLUSTER_WANTS_TOKEN if found.needs_token else ReasonCode.CLUSTER_UNREADABLE
    address = found_address(found)
    return Cluster(
        id=cluster_id,
        name=address,
        source=NodeSource.EXTERNAL,
        state=ClusterState.FOUND,
        state_reason=Reason(code=code, detail=found.error) if found.error else None,
        ray_version=found.ray_version,
        session_name=found.session_name,
        dashboard_url=found.dashboard_url,
        address=address,
        sources=found.sources,
        needs_token=found.needs_token,
        node_count=found.nodes,
    )


def discovered_cluster(found: FoundCluster) -> DiscoveredCluster:
    """A found cluster as clients of old know it."""
    return DiscoveredCluster(
        nodes=found.nodes, dashboard_url=found.dashboard_url, resources=found.resources
    )
