"""What lies beneath a node's roots, for who looks for a file to cast or to fetch."""

from __future__ import annotations

import heapq
import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal

from castray.core.paths import RootedPath, is_partial_name, shown
from castray.errors import SourceFileError
from castray.transfer.agent_link import MAX_PIECE_BYTES, DirectoryListing, FileStatus
from castray.transfer.beneath import open_directory, open_regular, open_root, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["MAX_ENTRIES", "fetch_listing", "fetch_piece"]

MAX_ENTRIES = 10_000

KINDS: dict[int, Literal["file", "directory", "link", "other"]] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "link",
}


def fetch_listing(path: RootedPath, roots: Sequence[str]) -> DirectoryListing:
    """What is at a path: a file, or a directory with the first of its entries by name.

    Links on the way are followed as long as they stay beneath the root; those in the directory
    are listed as such. What casts are still receiving is left out.

    Raises:
        UnsafePathError: A link leads out.
        SourceFileError: It is not there, or may not be read.
    """
    with _explained(path), open_root(path.root) as root:
        with resolve(root, path.parts, follow=True) as place:
            status = _status(path.parts[-1] if path.parts else path.root, os.fstat(place))
        names: list[str] = []
        entries: list[FileStatus] = []
        if status.kind == "directory":
            with open_directory(root, path.parts, follow=True) as directory:
                names = _first_names(directory)
                entries = list(_statuses(directory, names[:MAX_ENTRIES]))
    return DirectoryListing(
        path=str(path),
        status=status,
        entries=tuple(entries),
        is_truncated=len(names) > MAX_ENTRIES,
        roots=tuple(roots),
    )


def fetch_piece(path: RootedPath, offset: int, length: int) -> bytes:
    """Bytes of a file, fewer at its end, `MAX_PIECE_BYTES` at the most.

    Raises:
        UnsafePathError: It is no file, or a link leads out.
        SourceFileError: It is not there, or may not be read.
    """
    with (
        _explained(path),
        open_root(path.root) as root,
        open_regular(root, path.parts, follow=True) as descriptor,
    ):
        return os.pread(descriptor, min(length, MAX_PIECE_BYTES), offset)


@contextmanager
def _explained(path: RootedPath) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceFileError(shown(str(path)), f"cannot be read: {error.strerror}") from error


def _first_names(directory: int) -> list[str]:
    """The first names, and one more where there are more; never all of them in memory."""
    with os.scandir(directory) as entries:
        names = (entry.name for entry in entries if not is_partial_name(entry.name))
        return heapq.nsmallest(MAX_ENTRIES + 1, names)


def _statuses(directory: int, names: Sequence[str]) -> Iterator[FileStatus]:
    for name in names:
        # It may be gone by now.
        with suppress(FileNotFoundError):
            yield _status(name, os.stat(name, dir_fd=directory, follow_symlinks=False))


def _status(name: str, status: os.stat_result) -> FileStatus:
    kind = KINDS.get(stat.S_IFMT(status.st_mode), "other")
    return FileStatus(
        # A name that is no text cannot be cast; it is listed as it can be told.
        name=os.fsencode(name).decode(errors="backslashreplace"),
        kind=kind,
        size_bytes=status.st_size if kind == "file" else 0,
        modified_ms=status.st_mtime_ns // 1_000_000,
        mode=stat.S_IMODE(status.st_mode),
    )
