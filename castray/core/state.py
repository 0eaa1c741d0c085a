"""The versioned collections that the registry owns and every API replica mirrors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from castray.core.versioned import Version, VersionedMap
from castray.models import Changes, Cluster, CollectionChanges, Node, RecordT, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["VersionedState"]


class VersionedState:
    """Nodes and clusters at one version, with what changed since earlier ones.

    Args:
        version: Where this state begins; of what was before it knows nothing.
    """

    def __init__(self, version: Version) -> None:
        self.version = version
        self.nodes: VersionedMap[Node] = VersionedMap()
        self.clusters: VersionedMap[Cluster] = VersionedMap()
        self._begins_at = version

    def update(
        self,
        *,
        nodes: Iterable[Node] = (),
        removed_nodes: Iterable[str] = (),
        clusters: Iterable[Cluster] = (),
        removed_clusters: Iterable[str] = (),
    ) -> bool:
        """Put and remove records as one new version; records that are the same change nothing.

        Returns:
            Whether anything changed, and so the version.
        """
        new_nodes = [n for n in nodes if self.nodes.get(n.key) != n]
        new_clusters = [c for c in clusters if self.clusters.get(c.id) != c]
        old_nodes = [key for key in removed_nodes if key in self.nodes]
        old_clusters = [key for key in removed_clusters if key in self.clusters]
        if not (new_nodes or new_clusters or old_nodes or old_clusters):
            return False
        sequence = self.version.sequence + 1
        self._put(sequence, new_nodes, old_nodes, new_clusters, old_clusters)
        self.version = Version(self.version.epoch, sequence)
        return True

    def changes_since(self, since: Version | None) -> Changes:
        """What changed after `since`, or everything where that is no longer known."""
        if since is None or not self._remembers(since):
            return Changes(
                version=str(self.version),
                since=None,
                nodes=CollectionChanges[Node](changed=tuple(self.nodes.values())),
                clusters=CollectionChanges[Cluster](changed=tuple(self.clusters.values())),
            )
        return Changes(
            version=str(self.version),
            since=str(since),
            nodes=_collection_changes(self.nodes, since.sequence, CollectionChanges[Node]),
            clusters=_collection_changes(self.clusters, since.sequence, CollectionChanges[Cluster]),
        )

    def merge(self, changes: Changes) -> None:
        """Take over what another state's `changes_since(self.version)` returned."""
        version = Version.parse(changes.version)
        if changes.since is None:
            self.nodes, self.clusters = VersionedMap(), VersionedMap()
            self._begins_at = version
        self._put(
            version.sequence,
            changes.nodes.changed,
            [key for key in changes.nodes.removed if key in self.nodes],
            changes.clusters.changed,
            [key for key in changes.clusters.removed if key in self.clusters],
        )
        self.version = version

    def snapshot(self) -> Snapshot:
        """Everything at this version."""
        return Snapshot(
            version=str(self.version),
            nodes=tuple(self.nodes.values()),
            clusters=tuple(self.clusters.values()),
        )

    def _remembers(self, since: Version) -> bool:
        return (
            self._begins_at <= since <= self.version
            and since.epoch == self.version.epoch
            and self.nodes.remembers(since.sequence)
            and self.clusters.remembers(since.sequence)
        )

    def _put(
        self,
        sequence: int,
        nodes: Iterable[Node],
        removed_nodes: Iterable[str],
        clusters: Iterable[Cluster],
        removed_clusters: Iterable[str],
    ) -> None:
        for node in nodes:
            self.nodes.put(node.key, node, sequence)
        for key in removed_nodes:
            self.nodes.remove(key, sequence)
        for cluster in clusters:
            self.clusters.put(cluster.id, cluster, sequence)
        for key in removed_clusters:
            self.clusters.remove(key, sequence)


def _collection_changes(
    records: VersionedMap[RecordT], since: int, make: type[CollectionChanges[RecordT]]
) -> CollectionChanges[RecordT]:
    return make(
        changed=tuple(records.changed_since(since)), removed=tuple(records.removed_since(since))
    )
