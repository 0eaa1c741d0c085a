"""What the dashboard of another cluster says of its nodes, as CastRay's own records."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from castray.core.nodes import dead_node, facts_name, new_node, without_measurements
from castray.models import (
    Load,
    MonitorView,
    Node,
    NodeState,
    Reason,
    ReasonCode,
    WorkReport,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from castray.core.events import NodeFacts
    from castray.models import LogicalResource, NodeReport

__all__ = ["ClusterReading", "NodeReading", "UsageClock", "external_nodes", "lost_nodes"]

USAGE_FRESH_S = 15.0
"""A dashboard renews each node's usage every 5 s: older than this, three were missed."""

DEAD_NODE_RETENTION_S = 3600.0
"""How long a dead node that nothing replaced is still shown; Ray itself never forgets it."""

DEATH_SEEN_WITHIN_S = 65.0
"""A node whose link is cut is dead to Ray after a minute, and may be back long before that."""

NOT_REPORTED_YET = WorkReport(
    reason=Reason(
        code=ReasonCode.NOT_REPORTED_YET,
        detail="The node was found just now; its monitor has not been read yet.",
    )
)


@dataclass(frozen=True)
class NodeReading:
    """One node of another cluster; `load.measured_at` is by that node's own clock."""

    facts: NodeFacts
    load: Load | None = None
    tasks: tuple[str, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class ClusterReading:
    """What one look at a dashboard gave; `faults` says which parts could not be read, and why."""

    session_name: str
    ray_version: str
    nodes: tuple[NodeReading, ...]
    resources: Mapping[str, LogicalResource] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


class UsageClock:
    """Tells by our clock when each node was measured, whatever the node's own clock says.

    A measurement is new when the node's own time of it moved on. Only the first of a node has
    nothing to be compared with, so there its own time counts unless it lies in the future.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[datetime, datetime]] = {}

    def observe(self, nodes: Iterable[NodeReading], now: datetime) -> dict[str, datetime]:
        """When each measured node was measured; nodes that are not given are forgotten."""
        self._seen = {
            node.facts.node_id: self._observed(node.facts.node_id, node.load.measured_at, now)
            for node in nodes
            if node.load is not None
        }
        return {node_id: ours for node_id, (_, ours) in self._seen.items()}

    def _observed(self, node_id: str, theirs: datetime, now: datetime) -> tuple[datetime, datetime]:
        known = self._seen.get(node_id)
        if known is None:
            return theirs, min(theirs, now)
        return known if known[0] == theirs else (theirs, now)


def external_nodes(
    cluster: str,
    nodes: Sequence[NodeReading],
    *,
    measured_at: Mapping[str, datetime],
    id_of: Callable[[str], str],
    reports: Mapping[str, NodeReport],
    now: datetime,
) -> list[Node]:
    """The records of another cluster's nodes.

    Args:
        cluster: The cluster's id.
        nodes: What its dashboard said just now.
        measured_at: When each node was measured, as `UsageClock.observe` says.
        id_of: The short id of a NodeID.
        reports: The newest report of each node's monitor, by NodeID, where there is one.
        now: The time.
    """
    return [
        _external_node(cluster, node, measured_at, id_of(node.facts.node_id), reports, now)
        for node in nodes
        if _is_shown(node, nodes, now)
    ]


def lost_nodes(nodes: Iterable[Node], reason: Reason) -> list[Node]:
    """The nodes of a cluster that does not answer: nobody vouches for what was alive."""
    return [
        node
        if node.state is NodeState.DEAD
        else without_measurements(node, NodeState.STALE, reason)
        for node in nodes
    ]


def _is_shown(node: NodeReading, nodes: Sequence[NodeReading], now: datetime) -> bool:
    """Whether a node is alive, or dead lately with nothing in its place."""
    if node.facts.alive:
        return True
    if node.ended_at is None or now - node.ended_at > timedelta(seconds=DEAD_NODE_RETENTION_S):
        return False
    may_have_died = node.ended_at - timedelta(seconds=DEATH_SEEN_WITHIN_S)
    return not any(
        other.facts.alive
        and other.started_at is not None
        and other.started_at > may_have_died
        and (other.facts.address, facts_name(other.facts))
        == (node.facts.address, facts_name(node.facts))
        for other in nodes
    )


def _external_node(
    cluster: str,
    reading: NodeReading,
    measured_at: Mapping[str, datetime],
    short_id: str,
    reports: Mapping[str, NodeReport],
    now: datetime,
) -> Node:
    facts = reading.facts
    report = reports.get(facts.node_id)
    work = report.work if report else NOT_REPORTED_YET
    monitor = report.monitor if report else MonitorView()
    node = new_node(facts, cluster, short_id, work).model_copy(
        update={"monitor": monitor, "tasks": reading.tasks, "last_report": now}
    )
    if not facts.alive:
        return dead_node(node, facts)
    load = _newest_load(reading, measured_at, report)
    if load is None:
        return node
    # Of a measured node this is the time of the report, so that it changes no oftener than those.
    measured = load.measured_at
    if now - measured > timedelta(seconds=USAGE_FRESH_S):
        silent = {"state": NodeState.STALE, "state_reason": _silence(measured)}
        return node.model_copy(update={**silent, "last_report": measured})
    return node.model_copy(update={"load": load, "last_report": measured})


def _newest_load(
    reading: NodeReading, measured_at: Mapping[str, datetime], report: NodeReport | None
) -> Load | None:
    """What the dashboard or our own agent there measured last."""
    loads = [] if report is None or report.load is None else [report.load]
    if reading.load is not None:
        measured = measured_at[reading.facts.node_id]
        loads.append(reading.load.model_copy(update={"measured_at": measured}))
    return max(loads, key=lambda load: load.measured_at, default=None)


def _silence(measured: datetime) -> Reason:
    return Reason(
        code=ReasonCode.REPORTS_STOPPED,
        detail=f"The Ray agent on this node stopped measuring at {measured:%H:%M:%S %z}: the node "
        "or its network is down. It resumes by itself.",
    )
