"""The hidden directory beside a target, in which a cast collects what has arrived.

It lies in the same directory as the target, or in the nearest one above it that exists already,
so that nothing else appears before it is complete, and renaming stays within one file system.
Each file is called by the number of its entry. A lock shows that somebody is at work in it.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from contextlib import ExitStack, contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING

from castray.core.paths import PARTIAL_PREFIX, PARTIAL_SUFFIX
from castray.errors import TargetFileError
from castray.transfer.beneath import is_there, open_directory
from castray.transfer.linux import reserve, start_writing, sync_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from castray.transfer.pages import Entry

__all__ = [
    "JOURNAL_NAME",
    "Partial",
    "has_partial",
    "open_partial",
    "partial_name",
    "remove_partial",
]

JOURNAL_NAME = "journal"

FEW_FILES = 16
"""So many files are synced one by one; more of them together, with all else on the disk."""

CREATE = os.O_RDWR | os.O_CREAT
OURS = 0o600

CLOSED = -1

LOCK_WITHIN_S = 10.0
"""An agent that is ended, or that has lost its node, may work in a partial a moment longer."""

LOCK_POLL_S = 0.1


class Partial:
    """An open directory of what has arrived.

    Attributes:
        descriptor: The directory itself; no file can be opened in it once it is closed.
        parent: The directory in which it lies.
        depth: How many parts of the target's directory that one has.
        journal: The journal's file.
    """

    def __init__(self, descriptor: int, parent: int, depth: int, name: str, journal: int) -> None:
        self.descriptor = descriptor
        self.parent = parent
        self.depth = depth
        self.journal = journal
        self._name = name
        self._writing = Lock()
        """Held by the one thread that writes to a large file: several of them would wait for each
        other in the kernel, and burn the processor that the one needs."""

    def write_whole(self, number: int, entry: Entry, data: memoryview) -> None:
        """Write a small file, or an empty one, with its mode and time.

        Raises:
            OSError: The disk is full or fails.
        """
        with _opened(str(number), CREATE | os.O_TRUNC, self.descriptor) as descriptor:
            _write(descriptor, data, 0)
            _set_status(descriptor, entry)

    def write_piece(self, number: int, entry: Entry, data: memoryview, offset: int) -> None:
        """Write a piece of a large file, for which the whole place is reserved at first.

        Raises:
            OSError: The disk is full or fails.
        """
        with _opened(str(number), CREATE, self.descriptor) as descriptor:
            if os.fstat(descriptor).st_size != entry.size:
                reserve(descriptor, entry.size)
            with self._writing:
                _write(descriptor, data, offset)
            start_writing(descriptor, offset, len(data))

    def make_link(self, number: int, entry: Entry) -> None:
        """Make a symbolic link, to be placed like a file."""
        self.drop(number)
        name, times = str(number), (entry.mtime_ns, entry.mtime_ns)
        os.symlink(entry.link, name, dir_fd=self.descriptor)
        os.utime(name, ns=times, dir_fd=self.descriptor, follow_symlinks=False)

    def finish(self, number: int, entry: Entry) -> None:
        """Give a large file that is complete its mode and time."""
        with self.open(number) as descriptor:
            _set_status(descriptor, entry)

    def set_mode(self, number: int, entry: Entry) -> None:
        """Give a file that is about to be placed the very mode that it shall have."""
        if entry.mode & OURS != OURS:
            os.chmod(str(number), entry.mode, dir_fd=self.descriptor)

    def open(self, number: int) -> AbstractContextManager[int]:
        """Open a file that arrived, for reading.

        Raises:
            FileNotFoundError: It is not there, or no longer.
        """
        return _opened(str(number), os.O_RDONLY, self.descriptor)

    def has(self, number: int) -> bool:
        """Whether something of that entry is here."""
        return is_there(self.descriptor, str(number))

    def drop(self, number: int) -> None:
        """Remove what arrived of an entry."""
        with suppress(FileNotFoundError):
            os.unlink(str(number), dir_fd=self.descriptor)

    def clear(self) -> None:
        """Remove everything but the journal."""
        for name in _names(self.descriptor):
            if name != JOURNAL_NAME:
                os.unlink(name, dir_fd=self.descriptor)

    def sync(self) -> None:
        """Bring all that arrived to the disk.

        Raises:
            OSError: The disk fails.
        """
        names = _names(self.descriptor)
        if len(names) > FEW_FILES:
            sync_all(self.descriptor)
            return
        for name in names:
            if not _is_link(name, self.descriptor):
                with _opened(name, os.O_RDONLY, self.descriptor) as descriptor:
                    os.fsync(descriptor)
        os.fsync(self.descriptor)

    def discard(self) -> None:
        """Remove the directory with all that is in it."""
        remove_partial(self.parent, self._name)


def partial_name(cast_id: str) -> str:
    """How the directory of a cast is called."""
    return f"{PARTIAL_PREFIX}{cast_id}{PARTIAL_SUFFIX}"


@contextmanager
def open_partial(root: int, parts: Sequence[str], cast_id: str) -> Iterator[Partial]:
    """Open the directory in which a cast collects, beside `parts` beneath a root; or make it.

    Raises:
        TargetFileError: Another receiver of the same cast is at work in it.
        UnsafePathError: A link is in its place, or leads out on the way to it.
        OSError: It cannot be made.
    """
    name = partial_name(cast_id)
    with ExitStack() as stack:
        depth = _find_depth(root, parts, name)
        parent = stack.enter_context(open_directory(root, parts[:depth], follow=True))
        with suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=parent)
        directory = stack.enter_context(open_directory(parent, [name], follow=False))
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        journal = stack.enter_context(_opened(JOURNAL_NAME, flags, directory))
        _lock(journal, name)
        partial = Partial(directory, parent, depth, name, journal)
        try:
            yield partial
        finally:
            partial.descriptor = CLOSED


def has_partial(root: int, parts: Sequence[str], cast_id: str) -> bool:
    """Whether such a directory is there, or something else in its place.

    Raises:
        UnsafePathError: A link leads out on the way to it.
    """
    name = partial_name(cast_id)
    with open_directory(root, parts[: _find_depth(root, parts, name)], follow=True) as parent:
        return is_there(parent, name)


def _lock(journal: int, name: str) -> None:
    deadline = time.monotonic() + LOCK_WITHIN_S
    while True:
        try:
            fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                problem = "is in use by another receiver of this cast"
                raise TargetFileError(name, problem) from error
            time.sleep(LOCK_POLL_S)
        else:
            return


def remove_partial(parent: int, name: str) -> None:
    """Remove a directory of what has arrived, with all that is in it.

    Raises:
        OSError: It cannot be removed.
    """
    with open_directory(parent, [name], follow=False) as directory:
        for inner in _names(directory):
            os.unlink(inner, dir_fd=directory)
    os.rmdir(name, dir_fd=parent)


def _find_depth(root: int, parts: Sequence[str], name: str) -> int:
    """How far down `parts` the directory is, or else how far down directories exist."""
    deepest = None
    for depth in range(len(parts), -1, -1):
        try:
            with open_directory(root, parts[:depth], follow=True) as directory:
                deepest = depth if deepest is None else deepest
                os.stat(name, dir_fd=directory, follow_symlinks=False)
                return depth
        except FileNotFoundError:
            continue
    return deepest or 0


@contextmanager
def _opened(name: str, flags: int, directory: int) -> Iterator[int]:
    descriptor = os.open(name, flags | os.O_NOFOLLOW, 0o600, dir_fd=directory)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _names(directory: int) -> list[str]:
    return os.listdir(directory)


def _is_link(name: str, directory: int) -> bool:
    return stat.S_ISLNK(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)


def _write(descriptor: int, data: memoryview, offset: int) -> None:
    written = 0
    while written < len(data):
        written += os.pwrite(descriptor, data[written:], offset + written)


def _set_status(descriptor: int, entry: Entry) -> None:
    # Readable and writable by us until it is placed, which `set_mode` then mends.
    os.fchmod(descriptor, entry.mode | OURS)
    os.utime(descriptor, ns=(entry.mtime_ns, entry.mtime_ns))
