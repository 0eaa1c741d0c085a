"""Nodes and casts as tests of the core speak of them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from castray.cast_models import Cast, CastRequest, CastSource, CastTarget
from castray.core.events import MembershipObserved, NodeFacts, NodeReported
from castray.core.nodes import node_key
from castray.models import (
    HOME_CLUSTER,
    Cluster,
    ClusterState,
    Load,
    LogicalResource,
    MonitorKind,
    MonitorView,
    Node,
    NodeReport,
    NodeSource,
    NodeState,
    WorkReport,
    WorkStatus,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "NOON",
    "cast_to",
    "home_cluster",
    "key_of",
    "later",
    "members",
    "node",
    "node_facts",
    "reported",
]

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


def later(seconds: float) -> datetime:
    """That long after noon."""
    return NOON + timedelta(seconds=seconds)


def key_of(node_id: str) -> str:
    """The key of a node of the home cluster."""
    return node_key(HOME_CLUSTER, node_id)


def node_facts(node_id: str = "m1", *, alive: bool = True, **more: object) -> NodeFacts:
    """A row of Ray's node table; one of a dead node has no resources, as in Ray."""
    facts: dict[str, object] = {
        "host_name": f"host-{node_id}",
        "address": "10.0.0.1",
        "is_head": False,
        "resources": {"CPU": 4.0, node_id.upper(): 1.0} if alive else {},
    }
    return NodeFacts(node_id=node_id, alive=alive, **{**facts, **more})  # type: ignore[arg-type]


def members(*rows: NodeFacts | str) -> MembershipObserved:
    """Ray's whole node table."""
    return MembershipObserved(tuple(node_facts(r) if isinstance(r, str) else r for r in rows))


def reported(
    node_id: str = "m1", status: WorkStatus = WorkStatus.DETECTING, task: str | None = None
) -> NodeReported:
    """What a poller says whose monitor answers."""
    return NodeReported(
        NodeReport(
            node_id=node_id,
            work=WorkReport(status=status, since=NOON, current_task=task),
            monitor=MonitorView(reachable=True, port=8000, kind=MonitorKind.STREAM, last_seen=NOON),
            load=Load(measured_at=NOON, cpu_percent=12.5, memory_percent=40.0),
        )
    )


def node(node_id: str = "m1", cluster: str = HOME_CLUSTER, **more: object) -> Node:
    """A node's record, as it is right after it was found."""
    facts: dict[str, object] = {
        "id": node_id[-8:],
        "name": node_id.upper(),
        "host_name": f"host-{node_id}",
        "address": "10.0.0.1",
        "is_head": False,
        "state": NodeState.ALIVE,
        "source": NodeSource.HOME if cluster == HOME_CLUSTER else NodeSource.EXTERNAL,
    }
    key = node_key(cluster, node_id)
    return Node.model_validate(
        {"key": key, "node_id": node_id, "cluster": cluster, **facts, **more}
    )


def home_cluster(
    resources: Mapping[str, tuple[float, float]] | None = None, **more: object
) -> Cluster:
    """The home cluster; resources are total and available by name."""
    return Cluster(
        id=HOME_CLUSTER,
        name=HOME_CLUSTER,
        source=NodeSource.HOME,
        state=ClusterState.CONNECTED,
        resources={
            name: LogicalResource(total=total, available=available)
            for name, (total, available) in (resources or {}).items()
        },
        **more,
    )


def cast_to(*targets: str, id_: str = "cast-1", source: str = "s", **more: object) -> Cast:
    """A cast of `x` between nodes of the home cluster, as it is right after it was asked for."""
    request = CastRequest(
        source=CastSource(node=source, path="x"), destination="x", targets=targets
    )
    facts: dict[str, object] = {"created": NOON, **more}
    return Cast.model_validate(
        {
            "id": id_,
            "request": request,
            "source": key_of(source),
            "targets": tuple(CastTarget(node=key_of(target), path="x") for target in targets),
            **facts,
        }
    )
