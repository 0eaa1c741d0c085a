"""Opening what lies beneath a directory, and nothing else.

A path is walked part by part from an open directory, and each part is looked at before anything
is done with it: a symbolic link that leads out, and whatever is no file and no directory, is
refused at the very moment of opening, however the tree changes meanwhile.
"""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from castray.errors import UnsafePathError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "Neighbours",
    "is_there",
    "kind_of",
    "make_directory",
    "open_directory",
    "open_regular",
    "open_root",
    "resolve",
]

MAX_LINKS = 40
"""As many as the kernel follows before it speaks of a loop."""

KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a directory",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def kind_of(mode: int) -> str:
    """What a file of that `st_mode` is, in words."""
    return KINDS.get(stat.S_IFMT(mode), "a file of an unknown kind")


def is_there(directory: int, name: str) -> bool:
    """Whether an open directory has anything of that name, be it a link that leads nowhere."""
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def open_root(root: str) -> Iterator[int]:
    """Open a root of this node.

    Raises:
        OSError: It is missing, or may not be read.
    """
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def resolve(directory: int, parts: Sequence[str], *, follow: bool) -> Iterator[int]:
    """Find what lies at `parts` beneath an open directory; its descriptor serves as a place only.

    Args:
        directory: Descriptor of the directory that nothing may lead out of.
        parts: The names from there on.
        follow: Whether symbolic links are followed; they never lead out.

    Raises:
        UnsafePathError: A link leads out, or is met where none is followed.
        OSError: There is no such file, or it may not be reached.
    """
    opened = [os.open(".", os.O_PATH, dir_fd=directory)]
    try:
        _walk(opened, parts, follow=follow)
        yield opened[-1]
    finally:
        for descriptor in opened:
            os.close(descriptor)


@contextmanager
def open_directory(directory: int, parts: Sequence[str], *, follow: bool) -> Iterator[int]:
    """Open a directory beneath another, to list it and to work in it.

    Raises:
        UnsafePathError: As with `resolve`.
        OSError: There is none, it is no directory, or may not be read.
    """
    with resolve(directory, parts, follow=follow) as place:
        descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=place)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def open_regular(directory: int, parts: Sequence[str], *, follow: bool) -> Iterator[int]:
    """Open a regular file beneath a directory for reading.

    Raises:
        UnsafePathError: As with `resolve`; or it is a device, a FIFO, a socket or a directory.
        OSError: There is none, or it may not be read.
    """
    with resolve(directory, parts, follow=follow) as place:
        descriptor = _reopen(place, parts)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class Neighbours:
    """Opens files beneath a root for reading, one after the other; no symbolic link is followed.

    The directory of the latest one stays open, so that its neighbours are found at once.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._above: tuple[str, ...] = ()
        self._directory = ExitStack()
        self._descriptor: int | None = None

    def close(self) -> None:
        """Let go of the directory."""
        self._directory.close()
        self._descriptor = None

    def open(self, parts: tuple[str, ...]) -> int:
        """Open a regular file; its descriptor is the caller's.

        Raises:
            UnsafePathError: A link is met; or it is a device, a FIFO, a socket or a directory.
            OSError: There is none, or it may not be read.
        """
        *above, name = parts
        if self._descriptor is None or parts[:-1] != self._above:
            self.close()
            root = self._directory.enter_context(open_root(self._root))
            place = self._directory.enter_context(resolve(root, above, follow=False))
            self._above, self._descriptor = parts[:-1], place
        place = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=self._descriptor)
        try:
            return _reopen(place, parts)
        finally:
            os.close(place)


def make_directory(directory: int, parts: Sequence[str]) -> bool:
    """Make the directory at `parts` beneath an open one; those above it must be there.

    Returns:
        Whether it was made; False where there is one already.

    Raises:
        UnsafePathError: A link is in the way.
        OSError: A file is in the way, or nothing may be made there.
    """
    with resolve(directory, parts[:-1], follow=False) as parent:
        try:
            os.mkdir(parts[-1], dir_fd=parent)
        except FileExistsError:
            with resolve(parent, parts[-1:], follow=False) as place:
                if not stat.S_ISDIR(os.fstat(place).st_mode):
                    raise
            return False
    return True


def _reopen(place: int, parts: Sequence[str]) -> int:
    """Open for reading what was only found, if it is a regular file."""
    mode = os.fstat(place).st_mode
    if stat.S_ISLNK(mode):
        raise _link_met(parts, parts[-1])
    if not stat.S_ISREG(mode):
        raise UnsafePathError("/".join(parts), f"is {kind_of(mode)}; only files can be read")
    # By its descriptor, so that what is opened is what was looked at.
    return os.open(f"/proc/self/fd/{place}", os.O_RDONLY)


def _walk(opened: list[int], parts: Sequence[str], *, follow: bool) -> None:
    remaining = list(reversed(parts))
    links = 0
    while remaining:
        part = remaining.pop()
        if part == "..":
            # Only a link can say so: a caller's path has no such part.
            if len(opened) == 1:
                raise UnsafePathError("/".join(parts), "has a symbolic link that leads out")
            os.close(opened.pop())
            continue
        place = os.open(part, os.O_PATH | os.O_NOFOLLOW, dir_fd=opened[-1])
        if not stat.S_ISLNK(os.fstat(place).st_mode):
            opened.append(place)
            continue
        os.close(place)
        links += 1
        if not follow or links > MAX_LINKS:
            raise _link_met(parts, part)
        remaining += reversed(_link_parts(part, opened[-1], parts))


def _link_met(parts: Sequence[str], name: str) -> UnsafePathError:
    return UnsafePathError("/".join(parts), f"goes through the symbolic link {name!r}")


def _link_parts(name: str, directory: int, parts: Sequence[str]) -> list[str]:
    target = os.readlink(name, dir_fd=directory)
    if target.startswith("/"):
        raise UnsafePathError("/".join(parts), f"has a symbolic link that leads out: {name!r}")
    return [part for part in target.split("/") if part not in ("", ".")]
