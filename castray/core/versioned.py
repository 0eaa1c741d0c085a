"""Records by key, each with the version at which it last changed: the ground of every delta."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from castray.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Version", "VersionedMap"]

MAX_TOMBSTONES = 10_000

V = TypeVar("V")


class Version(NamedTuple):
    """A point in the registry's life, written `EPOCH.SEQUENCE`; later ones compare greater."""

    epoch: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.sequence}"

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read `EPOCH.SEQUENCE`.

        Raises:
            InvalidRequestError: The text is no version.
        """
        epoch, dot, sequence = text.partition(".")
        if not (dot and epoch.isdecimal() and sequence.isdecimal() and len(text) < 64):
            raise InvalidRequestError(f"{text!r} is no version: one reads like 3.141.")
        return cls(int(epoch), int(sequence))


class VersionedMap(Generic[V]):
    """A mapping that tells what changed since a sequence number, at the cost of what changed."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, tuple[int, V]] = OrderedDict()
        self._tombstones: OrderedDict[str, int] = OrderedDict()
        self._forgotten_until = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def get(self, key: str) -> V | None:
        """The value of that key, or None."""
        entry = self._entries.get(key)
        return None if entry is None else entry[1]

    def values(self) -> Iterator[V]:
        """All values, the least recently changed first."""
        return (value for _, value in self._entries.values())

    def items(self) -> Iterator[tuple[str, V]]:
        """All keys and values, the least recently changed first."""
        return ((key, value) for key, (_, value) in self._entries.items())

    def put(self, key: str, value: V, sequence: int) -> None:
        """Set a value at that sequence number, which must be no lower than any before."""
        self._entries[key] = (sequence, value)
        self._entries.move_to_end(key)
        self._tombstones.pop(key, None)

    def remove(self, key: str, sequence: int) -> None:
        """Remove a key at that sequence number, and remember that it went, even if it never was.

        A copy may skip the version at which a record was there; who saw it there must still learn
        from the copy that it went.
        """
        self._entries.pop(key, None)
        self._tombstones[key] = sequence
        self._tombstones.move_to_end(key)
        while len(self._tombstones) > MAX_TOMBSTONES:
            _, self._forgotten_until = self._tombstones.popitem(last=False)

    def remembers(self, since: int) -> bool:
        """Whether every removal after that sequence number is still known."""
        return since >= self._forgotten_until

    def changed_since(self, since: int) -> list[V]:
        """The values changed after that sequence number, the oldest change first."""
        found: list[V] = []
        for sequence, value in reversed(self._entries.values()):
            if sequence <= since:
                break
            found.append(value)
        found.reverse()
        return found

    def removed_since(self, since: int) -> list[str]:
        """The keys removed after that sequence number and not put back."""
        found: list[str] = []
        for key, sequence in reversed(self._tombstones.items()):
            if sequence <= since:
                break
            found.append(key)
        found.reverse()
        return found
