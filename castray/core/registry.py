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
from castray.core.nodes import (
    connection_type,
    node_key,
    node_name,
    node_resources,
    without_measurements,
)
from castray.core.state import VersionedState
from castray.core.versioned import Version
from castray.models import (
    HOME_CLUSTER,
    ClusterState,
    Node,
    NodeReport,
    NodeSource,
    NodeState,
    Reason,
    ReasonCode,
    WorkReport,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from castray.core.events import Event, NodeFacts
    from castray.models import Changes, Cluster, Snapshot

__all__ = ["RegistryState"]

STALE_AFTER_S = 3.0
"""A node whose poller was silent for this long is stale: three heartbeats."""

CLUSTER_SILENT_AFTER_S = 6.0
"""The connector speaks of a connected cluster each second, and waits 3 s for a slow one."""

FIRST_REPORT_WITHIN_S = 15.0
"""A new node's poller needs a worker process and CastRay's code on that node first."""

DEAD_NODE_RETENTION_S = 3600.0
"""How long a dead node that nothing replaced is still shown."""


class RegistryState:
    """The registry's state without its actor.

    Args:
        epoch: Larger than that of every registry before, so that versions never go back.
    """

    def __init__(self, epoch: int) -> None:
        self._state = VersionedState(Version(epoch, 0))
        self._first_seen: dict[str, datetime] = {}
        self._last_alive: dict[str, datetime] = {}
        self._last_heard: dict[str, datetime] = {}
        self._dead_since: dict[str, datetime] = {}
        self._clusters_heard: dict[str, datetime] = {}

    @property
    def version(self) -> Version:
        """The version of the newest change."""
        return self._state.version

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
        if report.node_id in self._first_seen:
            self._last_heard[report.node_id] = now
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
        for node in self._state.nodes.values():
            if node.state is not NodeState.ALIVE or node.cluster != HOME_CLUSTER:
                continue
            heard, limit_s = node.last_report, STALE_AFTER_S
            if heard is None:
                heard, limit_s = self._first_seen[node.node_id], FIRST_REPORT_WITHIN_S
            if now - heard > timedelta(seconds=limit_s):
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
        seen = {row.node_id for row in rows}
        for known in (self._first_seen, self._last_alive, self._last_heard, self._dead_since):
            for node_id in known.keys() - seen:
                del known[node_id]
        for row in rows:
            self._first_seen.setdefault(row.node_id, now)
            if row.alive:
                self._last_alive[row.node_id] = now
            else:
                self._dead_since.setdefault(row.node_id, now)
        alive_at: dict[str, list[NodeFacts]] = {}
        for row in rows:
            if row.alive:
                alive_at.setdefault(row.address, []).append(row)
        shown = {
            node_key(HOME_CLUSTER, row.node_id): row
            for row in rows
            if self._shows(row, alive_at.get(row.address, ()), now)
        }
        gone = [
            key
            for key, node in self._state.nodes.items()
            if node.cluster == HOME_CLUSTER and key not in shown
        ]
        return self._state.update(
            nodes=[self._observed(key, row) for key, row in shown.items()], removed_nodes=gone
        )

    def _shows(self, row: NodeFacts, neighbours: Sequence[NodeFacts], now: datetime) -> bool:
        """Whether a row is worth a card: it lives or died lately, and nothing is in its place.

        A raylet that comes back has a new NodeID, and may do so long before Ray notices that the
        one before it died. So what fell silent before a living namesake at its address was first
        seen is the same machine.

        Args:
            row: The row.
            neighbours: The living rows at its address, with itself where it lives.
            now: The time.
        """
        heard = self._last_heard.get(row.node_id)
        if row.alive:
            if heard is None or now - heard <= timedelta(seconds=STALE_AFTER_S):
                return True
        elif now - self._dead_since[row.node_id] > timedelta(seconds=DEAD_NODE_RETENTION_S):
            return False
        seen = heard or self._last_alive.get(row.node_id)
        return not any(
            self._is_namesake(row, other)
            and (
                seen is None
                or self._first_seen[other.node_id] > seen
                # It never spoke to this registry, which may have begun after both.
                or (heard is None and other.node_id in self._last_heard)
            )
            for other in neighbours
            if other.node_id != row.node_id
        )

    def _is_namesake(self, gone: NodeFacts, alive: NodeFacts) -> bool:
        # Ray forgets the resources of the dead, and so the name that came from one of them.
        known = self._state.nodes.get(node_key(HOME_CLUSTER, gone.node_id))
        if known is not None:
            return known.name == _name(alive)
        return gone.host_name == alive.host_name or _name(gone) == _name(alive)

    def _observed(self, key: str, row: NodeFacts) -> Node:
        known = self._state.nodes.get(key)
        if not row.alive:
            return without_measurements(
                known or _new_node(key, row),
                NodeState.DEAD,
                Reason(
                    code=ReasonCode.NODE_DEAD,
                    detail=f"Ray reports this node dead: {row.death_reason or 'no reason given'}.",
                ),
            )
        node = _new_node(key, row)
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
                yield node.model_copy(update={"tasks": tuple(sorted(tasks))})


def _name(row: NodeFacts) -> str:
    return node_name(row.labels, row.resources, row.host_name)


def _new_node(key: str, row: NodeFacts) -> Node:
    return Node(
        key=key,
        id=row.node_id[-8:],
        cluster=HOME_CLUSTER,
        source=NodeSource.HOME,
        node_id=row.node_id,
        name=_name(row),
        host_name=row.host_name,
        address=row.address,
        is_head=row.is_head,
        state=NodeState.ALIVE,
        connection=connection_type(row.labels, row.resources),
        labels=dict(row.labels),
        resources=node_resources(row.resources),
        work=WorkReport(
            reason=Reason(
                code=ReasonCode.NOT_REPORTED_YET,
                detail="The node was found just now; its poller has not reported yet.",
            )
        ),
    )
