"""What people are told once about external clusters, in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from castray.models import DiscoveredCluster, Notice, NoticeType

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from castray.models import Cluster

__all__ = ["connected_notice", "disconnected_notice", "discovered_notice", "lost_notice"]


def discovered_notice(
    clusters: Sequence[DiscoveredCluster], external_nodes_count: int, now: datetime
) -> Notice:
    """A discovery found something."""
    return Notice(
        key=_key(now, "discovered"),
        type=NoticeType.DISCOVERED,
        at=now,
        discovered_clusters=tuple(clusters),
        external_nodes_count=external_nodes_count,
        message=f"Found {len(clusters)} external Ray cluster(s).",
        message_zh=f"发现 {len(clusters)} 个外部 Ray 集群。",
    )


def connected_notice(cluster: Cluster, now: datetime) -> Notice:
    """A cluster is connected, or again."""
    return _cluster_notice(
        NoticeType.CONNECTED,
        cluster,
        now,
        f"Connected to {cluster.name} at {cluster.address}.",
        f"已连接到 {cluster.name}({cluster.address})。",
    )


def disconnected_notice(cluster: Cluster, now: datetime, left_behind: str | None = None) -> Notice:
    """Somebody disconnected a cluster; `left_behind` says why our outpost is there still."""
    more, more_zh = "", ""
    if left_behind is not None:
        more = (
            f" CastRay's outpost there could not be removed: {left_behind} It ends by itself a day"
            " after it was last asked for anything."
        )
        more_zh = "无法移除该集群上的 CastRay 前哨,它在一天无人使用后会自动退出。"
    return _cluster_notice(
        NoticeType.DISCONNECTED,
        cluster,
        now,
        f"Disconnected from {cluster.name} at {cluster.address}.{more}",
        f"已断开与 {cluster.name}({cluster.address})的连接。{more_zh}",
    )


def lost_notice(cluster: Cluster, now: datetime) -> Notice:
    """A connected cluster does not answer."""
    why = f" {cluster.state_reason.detail}" if cluster.state_reason else ""
    why_zh = cluster.state_reason_zh or "将自动重试。"
    return _cluster_notice(
        NoticeType.DISCONNECTED,
        cluster,
        now,
        f"Lost {cluster.name} at {cluster.address}.{why}",
        f"与 {cluster.name}({cluster.address})的连接已丢失。{why_zh}",
    )


def _cluster_notice(
    type_: NoticeType, cluster: Cluster, now: datetime, message: str, message_zh: str
) -> Notice:
    return Notice(
        key=_key(now, cluster.id),
        type=type_,
        at=now,
        cluster=cluster.id,
        cluster_address=cluster.address,
        external_nodes_count=cluster.node_count or 0,
        message=message,
        message_zh=message_zh,
    )


def _key(now: datetime, subject: str) -> str:
    return f"{now.isoformat()}/{subject}"
