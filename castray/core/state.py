"""The versioned collections that the registry owns and every API replica mirrors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from castray.changes import (
    CastChanges,
    Changes,
    ClusterChanges,
    CollectionChanges,
    NodeChanges,
    NoticeChanges,
    RecordT,
)
from castray.core.versioned import Version, VersionedMap
from castray.models import Cluster, Node, Notice, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from castray.cast_models import Cast

__all__ = ["VersionedState"]

MAX_NOTICES = 50
"""Older ones are dropped: a notice is news, not history."""

MAX_ENDED_CASTS = 50
"""Everybody is told of so many casts that have ended; the store knows the older ones."""


class VersionedState:
    """Nodes, clusters, notices and casts at one version, with what changed since earlier ones.

    Args:
        version: Where this state begins; of what was before it knows nothing.
    """

    def __init__(self, version: Version) -> None:
        self.version = version
        self._clear()

    def update(
        self,
        *,
        nodes: Iterable[Node] = (),
        removed_nodes: Iterable[str] = (),
        clusters: Iterable[Cluster] = (),
        removed_clusters: Iterable[str] = (),
        notices: Sequence[Notice] = (),
        casts: Sequence[Cast] = (),
    ) -> bool:
        """Put and remove records as one new version; records that are the same change nothing.

        Returns:
            Whether anything changed, and so the version.
        """
        edits = [
            _real_edit(self.nodes, nodes, removed_nodes),
            _real_edit(self.clusters, clusters, removed_clusters),
        ]
        if notices:
            edits.append(_real_edit(self.notices, notices, self._old_notices(len(notices))))
        if casts:
            edits.append(_real_edit(self.casts, *self._trim_casts(casts)))
        if not any(edit.changed or edit.removed for edit in edits):
            return False
        sequence = self.version.sequence + 1
        for edit in edits:
            edit.apply(sequence)
        self.version = Version(self.version.epoch, sequence)
        return True

    def changes_since(self, since: Version | None) -> Changes:
        """What changed after `since`, or everything where that is no longer known."""
        if since is None or not self._remembers(since):
            return Changes(
                version=str(self.version),
                since=None,
                nodes=NodeChanges(changed=tuple(self.nodes.values())),
                clusters=ClusterChanges(changed=tuple(self.clusters.values())),
                notices=NoticeChanges(changed=tuple(self.notices.values())),
                casts=CastChanges(changed=tuple(self.casts.values())),
            )
        at = since.sequence
        return Changes(
            version=str(self.version),
            since=str(since),
            nodes=_collection_changes(self.nodes, at, NodeChanges),
            clusters=_collection_changes(self.clusters, at, ClusterChanges),
            notices=_collection_changes(self.notices, at, NoticeChanges),
            casts=_collection_changes(self.casts, at, CastChanges),
        )

    def merge(self, changes: Changes) -> None:
        """Take over what another state's `changes_since(self.version)` returned."""
        self.version = Version.parse(changes.version)
        if changes.since is None:
            self._clear()
        for edit in (
            _merged_edit(self.nodes, changes.nodes),
            _merged_edit(self.clusters, changes.clusters),
            _merged_edit(self.notices, changes.notices),
            _merged_edit(self.casts, changes.casts),
        ):
            edit.apply(self.version.sequence)

    def snapshot(self) -> Snapshot:
        """Every node and cluster at this version."""
        return Snapshot(
            version=str(self.version),
            nodes=tuple(self.nodes.values()),
            clusters=tuple(self.clusters.values()),
        )

    def _clear(self) -> None:
        self.nodes: VersionedMap[Node] = VersionedMap()
        self.clusters: VersionedMap[Cluster] = VersionedMap()
        self.notices: VersionedMap[Notice] = VersionedMap()
        self.casts: VersionedMap[Cast] = VersionedMap()
        self._begins_at = self.version

    def _old_notices(self, new: int) -> list[str]:
        surplus = len(self.notices) + new - MAX_NOTICES
        return [key for key, _ in self.notices.items()][: max(surplus, 0)]

    def _trim_casts(self, new: Sequence[Cast]) -> tuple[list[Cast], list[str]]:
        """Those of the new casts that are worth telling, and the ids of those that are no more."""
        known = {cast.id: cast for cast in (*self.casts.values(), *new)}
        ended = [cast for cast in known.values() if cast.ended is not None]
        ended.sort(key=lambda cast: (cast.created, cast.id), reverse=True)
        old = [cast.id for cast in ended[MAX_ENDED_CASTS:]]
        return [cast for cast in new if cast.id not in old], old

    def _remembers(self, since: Version) -> bool:
        return (
            self._begins_at <= since <= self.version
            and since.epoch == self.version.epoch
            and all(
                records.remembers(since.sequence)
                for records in (self.nodes, self.clusters, self.notices, self.casts)
            )
        )


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


class _Edit(NamedTuple):
    """What is put into one collection and removed from it, at one version."""

    records: VersionedMap[Any]
    changed: Sequence[_Keyed]
    removed: Sequence[str]

    def apply(self, sequence: int) -> None:
        for record in self.changed:
            self.records.put(record.key, record, sequence)
        for key in self.removed:
            self.records.remove(key, sequence)


def _real_edit(
    records: VersionedMap[Any], changed: Iterable[_Keyed], removed: Iterable[str]
) -> _Edit:
    """The edit without what would change nothing."""
    return _Edit(
        records,
        [record for record in changed if records.get(record.key) != record],
        [key for key in removed if key in records],
    )


def _merged_edit(records: VersionedMap[Any], changes: CollectionChanges[Any]) -> _Edit:
    """The edit that another state made; its versions count even where nothing differs."""
    return _Edit(records, changes.changed, changes.removed)


def _collection_changes(
    records: VersionedMap[RecordT], since: int, make: type[CollectionChanges[RecordT]]
) -> CollectionChanges[RecordT]:
    return make(
        changed=tuple(records.changed_since(since)), removed=tuple(records.removed_since(since))
    )
