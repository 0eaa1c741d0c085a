"""An API replica's own copy of the registry's state, and what its readers are shown of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from castray.cast_models import Cast
from castray.core.nodes import without_measurements
from castray.core.state import VersionedState
from castray.core.versioned import Version
from castray.errors import AmbiguousNameError, InvalidRequestError, NotFoundError
from castray.models import HOME_CLUSTER, ClusterState, Node, NodeState, Reason, ReasonCode

if TYPE_CHECKING:
    from datetime import datetime

    from castray.changes import Changes
    from castray.models import Cluster

__all__ = ["Replica", "View"]


@dataclass(frozen=True)
class View:
    """Everything that readers are shown at one moment; the same object until that changes."""

    version: str
    as_of: datetime
    """When this version arrived."""
    feed_lost_since: datetime | None
    nodes: tuple[Node, ...]
    """The home cluster first, heads first, then by name."""
    clusters: tuple[Cluster, ...]
    """The home cluster first, then by id."""
    casts: tuple[Cast, ...] = ()
    """All that have not ended and the newest that have, the newest first."""

    @property
    def home(self) -> Cluster | None:
        """The home cluster, or None before anything was heard of it."""
        return next((c for c in self.clusters if c.id == HOME_CLUSTER), None)

    def find_node(self, name: str) -> Node:
        """The node with that key, NodeID, short id or name.

        Raises:
            NotFoundError: There is none.
            AmbiguousNameError: There are several.
        """
        found = [n for n in self.nodes if name in (n.key, n.node_id, n.id, n.name)]
        if not found:
            raise NotFoundError("node", name)
        if len(found) > 1:
            raise AmbiguousNameError("node", name, [n.key for n in found])
        return found[0]


class Replica:
    """A copy of the registry's state that is kept up by merging its changes.

    While the feed of changes is lost, readers are shown unknowns instead of old figures.
    """

    def __init__(self) -> None:
        self.feed_lost_since: datetime | None = None
        self._state = VersionedState(Version(0, 0))
        self.version: str | None = None
        """The version of this copy, or None while it has nothing."""
        self.news_version: str | None = None
        """The version when it last changed in what people wait for, not only loads and figures."""
        self._as_of: datetime | None = None
        self._view: View | None = None

    def merge(self, changes: Changes, now: datetime) -> bool:
        """Take over changes, which also shows that the feed is there.

        Returns:
            Whether readers are shown anything new.

        Raises:
            InvalidRequestError: The changes begin at another version than this copy's.
        """
        if changes.since not in (None, self.version):
            raise InvalidRequestError(
                f"Changes since {changes.since} do not fit a copy at {self.version}: "
                "ask for everything."
            )
        if changes.version == self.version and self.feed_lost_since is None:
            return False
        if self._brings_news(changes):
            self.news_version = changes.version
        self._state.merge(changes)
        self.version, self._as_of = changes.version, now
        self.feed_lost_since, self._view = None, None
        return True

    def lose_feed(self, since: datetime) -> None:
        """From now on nothing is vouched for, until changes come again."""
        self.feed_lost_since, self._view = since, None

    def changes_since(self, since: str | None) -> Changes:
        """What changed after that version, or everything where that is not known.

        Raises:
            InvalidRequestError: `since` is no version.
        """
        return self._state.changes_since(None if since is None else Version.parse(since))

    def view(self) -> View | None:
        """What readers are shown now, or None while this copy has nothing."""
        if self._view is None and self._as_of is not None:
            self._view = self._make_view(self._as_of)
        return self._view

    def _brings_news(self, changes: Changes) -> bool:
        nodes, clusters = changes.nodes, changes.clusters
        return bool(
            changes.since is None
            or nodes.removed
            or clusters.removed
            or changes.notices
            or any(_lamp(node) != _lamp(self._state.nodes.get(node.key)) for node in nodes.changed)
            or any(_lamp(c) != _lamp(self._state.clusters.get(c.id)) for c in clusters.changed)
            or any(_lamp(c) != _lamp(self._state.casts.get(c.id)) for c in changes.casts.changed)
        )

    def _make_view(self, as_of: datetime) -> View:
        nodes = sorted(self._state.nodes.values(), key=_order)
        clusters = sorted(self._state.clusters.values(), key=lambda c: (c.id != HOME_CLUSTER, c.id))
        if self.feed_lost_since is not None:
            nodes = [_lost_node(node, self.feed_lost_since) for node in nodes]
            clusters = [_lost_cluster(cluster, self.feed_lost_since) for cluster in clusters]
        return View(
            version=str(self._state.version),
            as_of=as_of,
            feed_lost_since=self.feed_lost_since,
            nodes=tuple(nodes),
            clusters=tuple(clusters),
            casts=tuple(
                sorted(self._state.casts.values(), key=lambda c: (c.created, c.id), reverse=True)
            ),
        )


def _lamp(record: Node | Cluster | Cast | None) -> object:
    """What is seen of a node, a cluster or a cast from afar."""
    if isinstance(record, Node):
        return record.state, record.work.status
    if isinstance(record, Cast):
        return record.state, [target.state for target in record.targets]
    return record and record.state


def _order(node: Node) -> tuple[bool, str, bool, str, str]:
    return node.cluster != HOME_CLUSTER, node.cluster, not node.is_head, node.name, node.key


def _feed_lost(since: datetime) -> Reason:
    return Reason(
        code=ReasonCode.FEED_LOST,
        detail=f"CastRay's registry has not answered since {since.isoformat(timespec='seconds')}. "
        "It comes back by itself while the head node lives.",
    )


def _lost_node(node: Node, since: datetime) -> Node:
    if node.state is NodeState.DEAD:
        return node
    return without_measurements(node, NodeState.STALE, _feed_lost(since))


def _lost_cluster(cluster: Cluster, since: datetime) -> Cluster:
    return cluster.model_copy(
        update={
            "state": ClusterState.LOST,
            "state_reason": _feed_lost(since),
            "resources": {},
        }
    )
