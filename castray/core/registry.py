"""What the registry decides: events in, one new version of the state out.

Sources speak in events: Ray's membership, a poller's report, the clock. `RegistryState.apply`
turns each into records. A record never claims more than somebody measured: a node that stopped
reporting loses its work status and its load at once, and keeps the time it was last heard.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from castray.core.clusters import silent_cluster
from castray.core.events import (
    CastChanged,
    ClusterForgotten,
    ClusterObserved,
    ClustersFound,
    MembershipObserved,
    NodeReported,
    Noticed,
    PollerFailed,
    TasksObserved,
    TimePassed,
)
from castray.core.external_nodes import lost_nodes
from castray.core.membership import STALE_AFTER_HEARTBEATS, Membership
from castray.core.nodes import dead_node, new_node, node_key, without_measurements
from castray.core.state import VersionedState
from castray.core.versioned import Version
from castray.models import (
    HOME_CLUSTER,
    ClusterState,
    Node,
    NodeReport,
    NodeState,
    Reason,
    ReasonCode,
    WorkReport,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from castray.changes import Changes
    from castray.core.events import Event, NodeFacts
    from castray.models import Cluster, Snapshot

__all__ = ["RegistryState"]

CLUSTER_SILENT_AFTER_S = 6.0
"""The connector speaks of a connected cluster each second, and waits 3 s for a slow one."""

POLLER_START_RETRY_S = 10.0

NOT_REPORTED_YET = WorkReport(
    reason=Reason(
        code=ReasonCode.NOT_REPORTED_YET,
        detail="The node was found just now; its poller has not reported yet.",
    )
)


class RegistryState:
    """The registry's state without its actor.

    Args:
        epoch: Larger than that of every registry before, so that versions never go back.
    """

    def __init__(self, epoch: int) -> None:
        self._state = VersionedState(Version(epoch, 0))
        self._membership = Membership()
        self._rows: dict[str, NodeFacts] = {}
        self._clusters_heard: dict[str, datetime] = {}

    @property
    def version(self) -> Version:
        """The version of the newest change."""
        return self._state.version

    @property
    def heartbeat_s(self) -> float:
        """So often each poller of the home cluster is to speak."""
        return self._membership.heartbeat_s

    def apply(self, event: Event, now: datetime) -> bool:
        """Take an event in.

        Returns:
            Whether anything that readers see has changed.
        """
        match event:
            case NodeReported(report):
                return self._state.update(nodes=self._reported(report, now))
            case TimePassed():
                silent = self._silent_clusters(now)
                nodes = [*self._silent(now), *self._nodes_of_lost(silent)]
                return self._state.update(nodes=nodes, clusters=silent)
            case MembershipObserved(rows):
                return self._apply_membership(rows, now)
            case TasksObserved():
                return self._state.update(nodes=self._with_tasks(event))
            case PollerFailed():
                return self._state.update(nodes=self._poller_failed(event))
            case ClusterObserved(cluster, nodes):
                return self._apply_cluster(cluster, nodes, now)
            case ClustersFound(clusters):
                return self._apply_found(clusters)
            case ClusterForgotten(cluster_id):
                self._clusters_heard.pop(cluster_id, None)
                return self._state.update(
                    removed_nodes=self._keys_of(cluster_id), removed_clusters=[cluster_id]
                )
            case Noticed() | CastChanged():
                return self._take_over(event)

    def changes_since(self, since: Version | None) -> Changes:
        """What changed after that version, or everything where that is not known."""
        return self._state.changes_since(since)

    def snapshot(self) -> Snapshot:
        """Everything at the newest version."""
        return self._state.snapshot()

    def nodes(self) -> list[Node]:
        """Every node of every cluster, the dead included."""
        return list(self._state.nodes.values())

    def live_nodes(self) -> list[Node]:
        """The home cluster's nodes that Ray calls alive: each wants a poller."""
        return [
            n
            for n in self._state.nodes.values()
            if n.cluster == HOME_CLUSTER and n.state is not NodeState.DEAD
        ]

    def lacks_poller(self, node: Node, now: datetime) -> bool:
        """Whether a live node is silent for so long that its poller is to be started again."""
        patience_s = max(POLLER_START_RETRY_S, STALE_AFTER_HEARTBEATS * self.heartbeat_s)
        return node.last_report is None or now - node.last_report > timedelta(seconds=patience_s)

    def _take_over(self, event: Noticed | CastChanged) -> bool:
        if isinstance(event, Noticed):
            return self._state.update(notices=[event.notice])
        return self._state.update(casts=[event.cast])

    def _apply_cluster(
        self, cluster: Cluster, nodes: tuple[Node, ...] | None, now: datetime
    ) -> bool:
        if nodes is None:
            return self._state.update(clusters=[cluster])
        self._clusters_heard[cluster.id] = now
        gone = set(self._keys_of(cluster.id)).difference(node.key for node in nodes)
        return self._state.update(clusters=[cluster], nodes=nodes, removed_nodes=gone)

    def _apply_found(self, clusters: tuple[Cluster, ...]) -> bool:
        known = {c.id: c.state for c in self._state.clusters.values()}
        found = {c.id for c in clusters}
        return self._state.update(
            clusters=[
                c for c in clusters if known.get(c.id, ClusterState.FOUND) is ClusterState.FOUND
            ],
            removed_clusters=[
                id_
                for id_, state in known.items()
                if state is ClusterState.FOUND and id_ not in found
            ],
        )

    def _silent_clusters(self, now: datetime) -> list[Cluster]:
        """The connected clusters of which nobody speaks any more, as lost ones."""
        limit = timedelta(seconds=CLUSTER_SILENT_AFTER_S)
        return [
            silent_cluster(cluster, heard)
            for cluster_id, heard in self._clusters_heard.items()
            if (cluster := self._state.clusters.get(cluster_id)) is not None
            and cluster.state is ClusterState.CONNECTED
            and now - heard > limit
        ]

    def _nodes_of_lost(self, clusters: Sequence[Cluster]) -> Iterator[Node]:
        for cluster in clusters:
            nodes = [n for n in self._state.nodes.values() if n.cluster == cluster.id]
            if cluster.state_reason is not None:
                yield from lost_nodes(nodes, cluster.state_reason)

    def _keys_of(self, cluster_id: str) -> list[str]:
        return [key for key, node in self._state.nodes.items() if node.cluster == cluster_id]

    def _reported(self, report: NodeReport, now: datetime) -> Iterator[Node]:
        self._membership.hear(report.node_id, now)
        node = self._state.nodes.get(node_key(HOME_CLUSTER, report.node_id))
        # A node that Ray has not shown yet is taken in with its next report; a dead one stays dead.
        if node is not None and node.state is not NodeState.DEAD:
            yield node.model_copy(
                update={
                    "state": NodeState.ALIVE,
                    "state_reason": None,
                    "work": report.work,
                    "monitor": report.monitor,
                    "load": report.load,
                    "last_report": now,
                }
            )

    def _poller_failed(self, event: PollerFailed) -> Iterator[Node]:
        node = self._state.nodes.get(node_key(HOME_CLUSTER, event.node_id))
        if node is not None and node.state is not NodeState.DEAD:
            yield without_measurements(
                node,
                NodeState.STALE,
                Reason(
                    code=ReasonCode.POLLER_FAILED,
                    detail=f"CastRay's poller could not start on this node: {event.detail} "
                    "It is tried again by itself.",
                ),
            )

    def _silent(self, now: datetime) -> Iterator[Node]:
        for node_id in self._membership.silent(now):
            node = self._state.nodes.get(node_key(HOME_CLUSTER, node_id))
            if node is not None and node.state is NodeState.ALIVE:
                yield without_measurements(
                    node,
                    NodeState.STALE,
                    Reason(
                        code=ReasonCode.REPORTS_STOPPED,
                        detail="The poller on this node does not report: the node, its network "
                        "or the poller is down. Reports resume by themselves.",
                    ),
                )

    def _apply_membership(self, rows: tuple[NodeFacts, ...], now: datetime) -> bool:
        before = {n.node_id: n.name for n in self.nodes() if n.cluster == HOME_CLUSTER}
        shown = self._membership.observe(rows, before, now)
        kept = {row.node_id for row in shown}
        gone = [node_key(HOME_CLUSTER, node_id) for node_id in before if node_id not in kept]
        news = [row for row in shown if self._is_news(row)]
        self._rows = {row.node_id: row for row in shown}
        return self._state.update(nodes=map(self._observed, news), removed_nodes=gone)

    def _is_news(self, row: NodeFacts) -> bool:
        """Whether a row says something else than last time, or than the node's record."""
        known = self._state.nodes.get(node_key(HOME_CLUSTER, row.node_id))
        return (
            known is None
            or (known.state is NodeState.DEAD) is row.alive
            or self._rows.get(row.node_id) != row
        )

    def _observed(self, row: NodeFacts) -> Node:
        known = self._state.nodes.get(node_key(HOME_CLUSTER, row.node_id))
        if not row.alive:
            return dead_node(known or _new_node(row), row)
        node = _new_node(row)
        if known is None or known.state is NodeState.DEAD:
            return node
        kept = ("state", "state_reason", "work", "monitor", "load", "tasks", "last_report")
        return node.model_copy(update={name: getattr(known, name) for name in kept})

    def _with_tasks(self, event: TasksObserved) -> Iterator[Node]:
        names: dict[str, list[str]] = {}
        for place, name in (*event.actors, *event.jobs):
            names.setdefault(place, []).append(name)
        for node in self._state.nodes.values():
            if node.cluster == HOME_CLUSTER and node.state is not NodeState.DEAD:
                tasks = (*names.get(node.node_id, ()), *names.get(node.address, ()))
                if tasks or node.tasks:
                    yield node.model_copy(update={"tasks": tuple(sorted(tasks))})


def _new_node(row: NodeFacts) -> Node:
    return new_node(row, HOME_CLUSTER, row.node_id[-8:], NOT_REPORTED_YET)
