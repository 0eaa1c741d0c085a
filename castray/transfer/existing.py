"""What is at the targets before anything is sent, and what that means for each entry."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from castray.cast_models import IfExists
from castray.errors import CastCancelledError, CastError, PeerError, UnsafePathError
from castray.transfer.beneath import kind_of, open_directory, open_regular
from castray.transfer.buffers import read_buffer
from castray.transfer.destination import PROBLEMS, explain
from castray.transfer.hashing import new_hash
from castray.transfer.pages import DIRECTORY, FILE

if TYPE_CHECKING:
    from castray.transfer.control import SourceControl
    from castray.transfer.destination import Destination
    from castray.transfer.pages import Entry
    from castray.transfer.reception import Reception
    from castray.transfer.steering import Steering

__all__ = ["ExistingCheck"]

DIFFERS = "is there already, with other content; choose overwrite or rename"


@dataclass(frozen=True)
class ExistingCheck:
    """Refuses or keeps the entries at whose places there is something already.

    Attributes:
        root: Descriptor of the root that the destination lies in.
        destination: Where entries go.
        if_exists: What to do where something is there.
        reception: Is told.
        control: The line to the source, for the digests of what may be the same.
        steering: Ends it when the cast ends.
    """

    root: int
    destination: Destination
    if_exists: IfExists
    reception: Reception
    control: SourceControl
    steering: Steering

    def run(self) -> None:
        """Look at all places.

        Raises:
            PeerError: The source does not answer.
            CastCancelledError: The cast was ended meanwhile.
        """
        missing = None
        for number, entry in self.reception.manifest.entries():
            if missing and entry.path.startswith(missing):
                continue
            self.steering.check()
            try:
                there = self.destination.find(self.root, entry)
                # What lies in a directory that is not there is not there either.
                missing = None if there or entry.kind != DIRECTORY else f"{entry.path}/"
                problem = self._problem(number, entry, there) if there else None
            except (UnsafePathError, OSError) as error:
                problem = explain(error) if isinstance(error, OSError) else error.problem
            if problem is not None:
                self.reception.refuse(number, problem)

    def _problem(self, number: int, entry: Entry, there: os.stat_result) -> str | None:
        """Why an entry cannot take its place; one that is the same there is kept."""
        is_directory = stat.S_ISDIR(there.st_mode)
        if entry.kind == DIRECTORY:
            return (
                None
                if is_directory
                else f"needs a directory where there is {kind_of(there.st_mode)}"
            )
        if self.if_exists is IfExists.RENAME:
            return None
        if is_directory:
            return PROBLEMS[errno.EISDIR]
        if self.if_exists is IfExists.SKIP:
            if not self._is_same(number, entry, there):
                return DIFFERS
            self.reception.keep(number)
        return PROBLEMS[errno.EEXIST] if self.if_exists is IfExists.FAIL else None

    def _is_same(self, number: int, entry: Entry, there: os.stat_result) -> bool:
        """Whether what is there has the entry's content."""
        parts = self.destination.parts(entry)
        with open_directory(self.root, self.destination.directory, follow=True) as base:
            if entry.kind != FILE:
                is_link = stat.S_ISLNK(there.st_mode)
                with open_directory(base, parts[:-1], follow=False) as parent:
                    return is_link and os.readlink(parts[-1], dir_fd=parent) == entry.link
            if not stat.S_ISREG(there.st_mode) or there.st_size != entry.size:
                return False
            with open_regular(base, parts, follow=False) as descriptor:
                mine = self._digest(descriptor)
        try:
            return mine == self.control.ask(lambda source: source.fetch_whole(number))
        except (PeerError, CastCancelledError):
            raise
        except CastError:
            # The source cannot read it: nobody knows, and when it is fetched all hear why.
            return False

    def _digest(self, descriptor: int) -> bytes:
        found = new_hash(self.reception.manifest.header.algorithm)
        offset = 0
        with read_buffer() as buffer:
            while count := os.preadv(descriptor, [buffer], offset):
                self.steering.check()
                found.update(buffer[:count])
                offset += count
        return found.digest()
