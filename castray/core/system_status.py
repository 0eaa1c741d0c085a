"""The shape of `GET /api/status`: the whole system, home and external clusters together.

It has no top-level `status`, `latest_state` or `stats`: a poller must never take it for the
answer of a monitor, which lives at the same path and often at the same port.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from castray.core.external_status import ExternalInfo
from castray.models import NodeSource, NodeState, WorkStatus

if TYPE_CHECKING:
    from castray.models import Cluster, Node

__all__ = [
    "RayAccount",
    "SystemNode",
    "SystemStatus",
    "render_ray_account",
    "render_system_node",
]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class SystemNode(_Shape):
    """One node in short; `GET /api/nodes` has all of it."""

    id: str
    key: str
    name: str
    address: str
    type: NodeSource
    cluster: str
    is_head: bool
    status: NodeState
    work_status: WorkStatus
    last_seen: datetime | None


class RayAccount(_Shape):
    """Ray's own account of the home cluster; empty while it is not known."""

    cluster_resources: dict[str, float]
    available_resources: dict[str, float]


class SystemStatus(_Shape):
    """The answer of `GET /api/status`."""

    service: Literal["castray"]
    version: str
    timestamp: datetime
    uptime_s: float = Field(description="How long this API replica has been up.")
    total_nodes: int
    active_nodes: int
    external: ExternalInfo
    ray_cluster: RayAccount
    nodes: tuple[SystemNode, ...]


def render_system_node(node: Node) -> SystemNode:
    """A node in short."""
    return SystemNode(
        id=node.id,
        key=node.key,
        name=node.name,
        address=node.address,
        type=node.source,
        cluster=node.cluster,
        is_head=node.is_head,
        status=node.state,
        work_status=node.work.status,
        last_seen=node.last_report,
    )


def render_ray_account(home: Cluster | None) -> RayAccount:
    """The home cluster's logical resources, as `ray.cluster_resources()` names them."""
    resources = home.resources if home else {}
    return RayAccount(
        cluster_resources={name: r.total for name, r in resources.items()},
        available_resources={name: r.available for name, r in resources.items()},
    )
