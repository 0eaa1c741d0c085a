"""What changed between two versions of everything, as it goes from the registry to its readers."""

from __future__ import annotations

from typing import Generic, TypeVar

from castray.cast_models import Cast
from castray.models import Cluster, Node, Notice, Record

__all__ = [
    "CastChanges",
    "Changes",
    "ClusterChanges",
    "CollectionChanges",
    "NodeChanges",
    "NoticeChanges",
    "RecordT",
]

RecordT = TypeVar("RecordT", bound=Record)
"""Any record that has a place in the versioned state."""


class CollectionChanges(Record, Generic[RecordT]):
    """What changed in one collection: whole records, and the keys of those that went."""

    changed: tuple[RecordT, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.removed)


# Named here because pickle finds a parametrised class only where it was first made at the top of
# a module. A class that it does not find goes along with each record: 20 KB, and 30 ms to read.
NodeChanges = CollectionChanges[Node]
ClusterChanges = CollectionChanges[Cluster]
NoticeChanges = CollectionChanges[Notice]
CastChanges = CollectionChanges[Cast]


class Changes(Record):
    """Everything that changed between two versions; `since` None means: this is everything.

    A version is `EPOCH.SEQUENCE`. Both only grow; the epoch grows when the registry restarts.
    Who holds version `since` and applies this holds `version` afterwards.
    """

    version: str
    since: str | None
    nodes: NodeChanges = NodeChanges()
    clusters: ClusterChanges = ClusterChanges()
    notices: NoticeChanges = NoticeChanges()
    casts: CastChanges = CastChanges()
