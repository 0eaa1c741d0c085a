"""Clusters, and what a discovery saw, as tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from castray.models import ClusterState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from castray.discovery.source import FoundCluster, SourceReport
    from castray.models import Cluster

__all__ = ["clusters_table", "found_table", "sources_table"]

STATES = {
    ClusterState.CONNECTED: ("●", "green"),
    ClusterState.FOUND: ("○", "yellow"),
    ClusterState.LOST: ("✕", "red"),
}


def clusters_table(clusters: Iterable[Cluster]) -> Table:
    """One row a cluster; what is unknown is a dash, with its reason in the last column."""
    table = Table("Cluster", "Name", "State", "Ray", "Nodes", "CPU", "Dashboard", box=None)
    table.add_column("Found by, or what is wrong", overflow="fold")
    for cluster in clusters:
        symbol, colour = STATES[cluster.state]
        cpu = cluster.resources.get("CPU")
        reason = cluster.state_reason
        table.add_row(
            cluster.id,
            cluster.name,
            Text(f"{symbol} {cluster.state.value}", style=colour),
            cluster.ray_version or "–",
            _number(cluster.node_count),
            f"{cpu.total - cpu.available:g} of {cpu.total:g}" if cpu else "–",
            cluster.dashboard_url or "–",
            reason.detail if reason else ", ".join(cluster.sources) or "–",
        )
    return table


def found_table(clusters: Iterable[FoundCluster]) -> Table:
    """One row for each cluster that a discovery found."""
    table = Table("Found", "Ray", "Nodes", "CPU", "Seen by", box=None)
    table.add_column("What is wrong", overflow="fold")
    for found in clusters:
        cpu = found.resources.get("CPU")
        table.add_row(
            found.dashboard_url or found.gcs_address or found.session_name or "–",
            found.ray_version or "–",
            _number(found.nodes),
            "–" if cpu is None else f"{cpu:g}",
            ", ".join(found.sources),
            found.error or "–",
        )
    return table


def sources_table(sources: Iterable[SourceReport]) -> Table:
    """One row for each way to look: what it saw, what of that is no cluster, and its notes."""
    table = Table("Source", "Clusters", "Time", box=None)
    table.add_column("What else it saw", overflow="fold")
    for source in sources:
        others = [rejected.why for rejected in source.rejected]
        failure = [source.error] if source.error else []
        table.add_row(
            source.name,
            str(len(source.clusters)),
            f"{source.duration_s:.1f} s",
            " ".join([*failure, *others, *source.notes]) or "–",
        )
    return table


def _number(count: int | None) -> str:
    return "–" if count is None else str(count)
