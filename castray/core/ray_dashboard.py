"""The fixed shapes of `GET /api/ray-dashboard` and of `cluster_status` on `/ws`.

Existing dashboards parse these keys, so none is ever renamed, retyped or dropped. What nobody
measured is null, with `usageKnown` false beside it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from castray.core.status import shown_work_status
from castray.models import ConnectionType, NodeSource, NodeState, WorkStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from castray.models import Cluster, LogicalResource, Node

__all__ = [
    "BytesSummary",
    "ClusterStatus",
    "DashboardData",
    "DashboardMonitor",
    "DashboardNode",
    "DashboardResources",
    "DashboardSummary",
    "RayDashboard",
    "ResourceSummary",
    "SummaryResources",
    "render_node",
    "render_summary",
]

GIB = 1024**3
NODE_ID_TAIL = 8
"""How many of the last characters of a NodeID make the short id of this shape."""


class _CamelModel(BaseModel):
    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True
    )


class DashboardMonitor(_CamelModel):
    """How the node's monitor is seen; `error` is a sentence."""

    reachable: bool | None
    last_seen: datetime | None
    error: str | None


class DashboardResources(_CamelModel):
    """What Ray has to give out on the node: cores, GiB and GPUs."""

    total_cpu: float
    total_memory: float
    total_gpu: float
    object_store: float


class DashboardNode(_CamelModel):
    """One node; `cpu`, `memory` and `gpu` are percentages, null where nobody measured them."""

    id: str
    name: str
    full_name: str
    node_ip: str
    node_id: str
    state: Literal["ALIVE", "DEAD"]
    is_head_node: bool
    cpu: float | None
    memory: float | None
    gpu: float | None
    usage_known: bool
    tasks: tuple[str, ...]
    status: Literal["active", "dead"]
    state_message: str
    connection_type: ConnectionType
    work_status: WorkStatus
    work_status_timestamp: datetime | None
    work_status_confirmed: bool = Field(
        description="False where `workStatus` is only the fallback, because nobody said so."
    )
    resources: DashboardResources
    cluster: str
    source: NodeSource
    monitor: DashboardMonitor


class ResourceSummary(_CamelModel):
    """Ray's own account of one resource of the home cluster; null while it is not known."""

    total: float | None
    used: float | None
    available: float | None
    usage_percent: float | None
    usage_known: bool


class BytesSummary(ResourceSummary):
    """The same for a resource that is counted in bytes; `…GB` are GiB."""

    total_gb: float | None = Field(alias="totalGB")
    used_gb: float | None = Field(alias="usedGB")


class SummaryResources(_CamelModel):
    """The home cluster's resources."""

    cpu: ResourceSummary
    memory: BytesSummary
    gpu: ResourceSummary
    object_store: BytesSummary


class DashboardSummary(_CamelModel):
    """All nodes counted; a stale node is alive to Ray and counts as such."""

    total_nodes: int
    alive_nodes: int
    dead_nodes: int
    head_nodes: int
    resources: SummaryResources


class ClusterStatus(_CamelModel):
    """The data of a `cluster_status` message."""

    nodes: tuple[DashboardNode, ...]
    summary: DashboardSummary


class DashboardData(ClusterStatus):
    """The data of `GET /api/ray-dashboard`."""

    dashboard_url: str | None
    next_cursor: str | None = Field(
        description="Give it as `cursor` for the next page; null on the last."
    )


class RayDashboard(_CamelModel):
    """The answer of `GET /api/ray-dashboard`; `timestamp` is when this state was taken over."""

    result: Literal[True]
    msg: str
    timestamp: datetime
    data: DashboardData


def render_node(node: Node, fallback: WorkStatus) -> DashboardNode:
    """A node in the fixed shape, with `fallback` shown where its work status is unknown."""
    dead = node.state is NodeState.DEAD
    status, confirmed = shown_work_status(node.work, fallback)
    return DashboardNode(
        id=node.node_id[-NODE_ID_TAIL:],
        name=node.name,
        full_name=node.host_name,
        node_ip=node.address,
        node_id=node.node_id,
        state="DEAD" if dead else "ALIVE",
        is_head_node=node.is_head,
        cpu=node.load and node.load.cpu_percent,
        memory=node.load and node.load.memory_percent,
        gpu=node.load and node.load.gpu_percent,
        usage_known=node.load is not None,
        tasks=_tasks(node),
        status="dead" if dead else "active",
        state_message=node.state_reason.detail if node.state_reason else "",
        connection_type=node.connection,
        work_status=status,
        work_status_timestamp=node.work.since,
        work_status_confirmed=confirmed,
        resources=DashboardResources(
            total_cpu=node.resources.cpu_cores,
            total_memory=_gib(node.resources.memory_bytes),
            total_gpu=node.resources.gpu_count,
            object_store=_gib(node.resources.object_store_bytes),
        ),
        cluster=node.cluster,
        source=node.source,
        monitor=DashboardMonitor(
            reachable=node.monitor.reachable,
            last_seen=node.monitor.last_seen,
            error=node.monitor.error.detail if node.monitor.error else None,
        ),
    )


def render_summary(nodes: Sequence[Node], home: Cluster | None) -> DashboardSummary:
    """The summary of all nodes, with the home cluster's resources as Ray accounts for them."""
    dead = sum(node.state is NodeState.DEAD for node in nodes)
    resources = home.resources if home else {}
    return DashboardSummary(
        total_nodes=len(nodes),
        alive_nodes=len(nodes) - dead,
        dead_nodes=dead,
        head_nodes=sum(node.is_head for node in nodes),
        resources=SummaryResources(
            cpu=_account(resources, "CPU"),
            memory=_bytes_account(resources, "memory"),
            gpu=_account(resources, "GPU"),
            object_store=_bytes_account(resources, "object_store_memory"),
        ),
    )


def _tasks(node: Node) -> tuple[str, ...]:
    """What runs: the task of a script that is at work, then Ray's actors and jobs."""
    busy = node.work.status in (WorkStatus.DETECTING, WorkStatus.SENDING)
    current = (node.work.current_task,) if busy and node.work.current_task else ()
    return current + node.tasks


def _account(resources: Mapping[str, LogicalResource], name: str) -> ResourceSummary:
    if not resources:
        return ResourceSummary(
            total=None, used=None, available=None, usage_percent=None, usage_known=False
        )
    # Ray lists only what there is: a cluster without GPUs has no entry for them.
    resource = resources.get(name)
    total, available = (resource.total, resource.available) if resource else (0.0, 0.0)
    used = max(total - available, 0.0)
    return ResourceSummary(
        total=total,
        used=used,
        available=available,
        usage_percent=round(100 * used / total, 1) if total else 0.0,
        usage_known=True,
    )


def _bytes_account(resources: Mapping[str, LogicalResource], name: str) -> BytesSummary:
    account = _account(resources, name)
    return BytesSummary(
        **account.model_dump(by_alias=False),
        total_gb=None if account.total is None else _gib(account.total),
        used_gb=None if account.used is None else _gib(account.used),
    )


def _gib(size_bytes: float) -> float:
    return round(size_bytes / GIB, 2)
