"""Clusters for the command line to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from castray.core.events import ClusterObserved, ClustersFound
from castray.discovery.source import DiscoveryReport, FoundCluster, Rejected, SourceReport
from castray.models import (
    Cluster,
    ClusterState,
    LogicalResource,
    NodeSource,
    Reason,
    ReasonCode,
)

if TYPE_CHECKING:
    from castray.core.events import Event

__all__ = ["BLUE", "LOCKED", "REPORT", "blue_and_locked"]

WANTS_TOKEN = "http://127.0.0.1:8267 wants a token; connect with the cluster's own."

BLUE = Cluster(
    id="ray_cluster_001",
    name="blue",
    source=NodeSource.EXTERNAL,
    state=ClusterState.CONNECTED,
    ray_version="2.60.0",
    session_name="session_blue",
    dashboard_url="http://127.0.0.1:8266",
    resources={"CPU": LogicalResource(total=8, available=5)},
    sources=("dashboard_scan", "temp_dir"),
    node_count=2,
)

LOCKED = Cluster(
    id="ray_cluster_002",
    name="127.0.0.1:8267",
    source=NodeSource.EXTERNAL,
    state=ClusterState.FOUND,
    state_reason=Reason(code=ReasonCode.CLUSTER_WANTS_TOKEN, detail=WANTS_TOKEN),
    dashboard_url="http://127.0.0.1:8267",
    sources=("dashboard_scan",),
    needs_token=True,
)

REPORT = DiscoveryReport(
    clusters=(
        FoundCluster(
            session_name="session_blue",
            dashboard_url="http://127.0.0.1:8266",
            gcs_address=None,
            ray_version="2.60.0",
            nodes=2,
            resources={"CPU": 8.0},
            sources=("dashboard_scan", "temp_dir"),
            needs_token=False,
            error=None,
        ),
        FoundCluster(
            session_name=None,
            dashboard_url="http://127.0.0.1:8267",
            gcs_address=None,
            ray_version=None,
            nodes=None,
            resources={},
            sources=("dashboard_scan",),
            needs_token=True,
            error=WANTS_TOKEN,
        ),
    ),
    sources=(
        SourceReport(
            name="dashboard_scan",
            duration_s=0.12,
            error=None,
            clusters=("http://127.0.0.1:8266", "http://127.0.0.1:8267"),
            rejected=(
                Rejected(address="http://127.0.0.1:8269", why="http://127.0.0.1:8269 is no Ray."),
            ),
            notes=(),
        ),
    ),
    duration_s=0.2,
)


def blue_and_locked() -> tuple[Event, ...]:
    """What the registry is told where one cluster is connected and one is found."""
    return ClusterObserved(BLUE, ()), ClustersFound((LOCKED,))
