"""Giving verified files their final names: each appears at once and complete, or not at all."""

from __future__ import annotations

import os
from array import array
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from castray.cast_models import IfExists
from castray.core.paths import MAX_NAME_BYTES
from castray.errors import UnsafePathError
from castray.transfer.beneath import is_there, make_directory, open_directory
from castray.transfer.destination import explain
from castray.transfer.linux import rename_new, sync_all
from castray.transfer.pages import DIRECTORY, LINK

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from castray.transfer.destination import Destination
    from castray.transfer.journal import Journal
    from castray.transfer.manifest import Manifest
    from castray.transfer.pages import Entry
    from castray.transfer.partial import Partial

__all__ = ["Placer", "other_names"]

FEW_DIRECTORIES = 16
"""So many are synced one by one; more of them together, with all else on the disk."""


@dataclass(frozen=True)
class Placer:
    """Puts the entries of a cast into the destination's directory.

    Attributes:
        directory: Descriptor of the destination's directory.
        destination: Says what is called how in it.
        if_exists: What to do where something of that name is there.
        partial: Where what has arrived lies.
        journal: Is told of every name that is not the entry's own.
        manifest: The entries.
        made: The directories that an earlier receiver made, or was about to make.
    """

    directory: int
    destination: Destination
    if_exists: IfExists
    partial: Partial
    journal: Journal
    manifest: Manifest
    made: Collection[int]

    def run(
        self, is_wanted: Callable[[int], bool], refuse: Callable[[int, str], None]
    ) -> dict[int, str]:
        """Place everything that is wanted; what cannot be placed does not hold up the rest.

        Args:
            is_wanted: Whether to place the entry of that number.
            refuse: Is told why an entry cannot be placed.

        Returns:
            The names that are not the entries' own.

        Raises:
            OSError: The disk fails when it is synced.
        """
        names: dict[int, str] = {}
        made = array("I")
        with _Parents(self.directory) as parents:
            for number, entry in self.manifest.entries():
                if is_wanted(number):
                    with _refusing(number, refuse):
                        *above, name = self.destination.parts(entry)
                        parent = parents.enter(tuple(above))
                        if entry.kind != DIRECTORY:
                            now = self._place(number, entry, parent, name)
                            names |= {} if now == name else {number: now}
                        elif self._make_directory(number, parent, name):
                            made.append(number)
            for number in reversed(made):
                with _refusing(number, refuse):
                    self._finish_directory(self.manifest.entry(number))
            parents.sync()
        return names

    def _place(self, number: int, entry: Entry, parent: int, name: str) -> str:
        """Put one file or link in its place; returns what it is called there."""
        if entry.kind != LINK:
            self.partial.set_mode(number, entry)
        old, places = str(number), (self.partial.descriptor, parent)
        if self.if_exists is IfExists.OVERWRITE:
            os.replace(old, name, src_dir_fd=places[0], dst_dir_fd=places[1])
            return name
        for candidate in other_names(name):
            try:
                if candidate != name:
                    self.journal.add_name(number, candidate)
                rename_new(old, candidate, *places)
            except FileExistsError:
                if self.if_exists is not IfExists.RENAME:
                    raise
            else:
                return candidate
        raise AssertionError("there is always another name")

    def _make_directory(self, number: int, parent: int, name: str) -> bool:
        """Make a directory where there is none; whether it is ours to finish."""
        if number in self.made:
            make_directory(parent, [name])
            return True
        if not is_there(parent, name):
            self.journal.add_directory(number)
        return make_directory(parent, [name])

    def _finish_directory(self, entry: Entry) -> None:
        """Give a directory that we made its mode and time, now that all is in it."""
        parts = self.destination.parts(entry)
        with open_directory(self.directory, parts, follow=False) as directory:
            os.fchmod(directory, entry.mode)
            os.utime(directory, ns=(entry.mtime_ns, entry.mtime_ns))


@contextmanager
def _refusing(number: int, refuse: Callable[[int, str], None]) -> Iterator[None]:
    """Tell of what is wrong with one entry, and go on with the others."""
    try:
        yield
    except OSError as error:
        refuse(number, explain(error))
    except UnsafePathError as error:
        refuse(number, error.problem)


class _Parents:
    """The directories that entries are put into; the one in use stays open."""

    def __init__(self, directory: int) -> None:
        self._directory = directory
        self._open = ExitStack()
        self._parts: tuple[str, ...] | None = None
        self._descriptor = -1
        self._touched: set[tuple[str, ...]] = set()

    def __enter__(self) -> _Parents:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def enter(self, parts: tuple[str, ...]) -> int:
        """The directory at `parts`; it and those above it are made where they are missing."""
        if parts != self._parts:
            self._open.close()
            self._parts = None
            for end in range(1, len(parts) + 1):
                make_directory(self._directory, parts[:end])
            opening = open_directory(self._directory, parts, follow=False)
            self._descriptor = self._open.enter_context(opening)
            self._parts = parts
            if len(self._touched) <= FEW_DIRECTORIES:
                self._touched.add(parts)
        return self._descriptor

    def sync(self) -> None:
        """Bring the new names to the disk."""
        if len(self._touched) > FEW_DIRECTORIES:
            sync_all(self._directory)
            return
        for parts in self._touched:
            with open_directory(self._directory, parts, follow=False) as directory:
                os.fsync(directory)


def other_names(name: str) -> Iterator[str]:
    """A name, and then what it may be called where that is taken: `a.bin`, `a (1).bin`, ..."""
    yield name
    stem, dot, suffix = name.rpartition(".")
    if not stem:
        stem, dot, suffix = name, "", ""
    for number in count(1):
        ending = f" ({number}){dot}{suffix}"
        room = MAX_NAME_BYTES - len(ending.encode())
        # Where the suffix alone fills the name, it goes.
        if room <= 0:
            ending, room = f" ({number})", MAX_NAME_BYTES - len(str(number)) - 3
        yield stem.encode()[:room].decode(errors="ignore") + ending
