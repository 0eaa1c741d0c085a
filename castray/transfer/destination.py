"""Where the entries of a cast go on this host, and what may be there already."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from castray.errors import TargetFileError
from castray.transfer.beneath import make_directory, open_directory, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from castray.core.paths import RootedPath
    from castray.transfer.manifest import Manifest
    from castray.transfer.pages import Entry

__all__ = ["PROBLEMS", "Destination", "explain", "plan_destination"]

PROBLEMS = {
    errno.ENOSPC: "cannot be written: the disk is full",
    errno.EDQUOT: "cannot be written: the quota of the disk is used up",
    errno.EROFS: "cannot be written: the file system is read-only",
    errno.EACCES: "may not be written by the user that CastRay runs as",
    errno.EPERM: "may not be written by the user that CastRay runs as",
    errno.EEXIST: "is there already; choose overwrite, skip or rename",
    errno.ENOTDIR: "needs a directory where there is a file",
    errno.EISDIR: "is a directory there; end the destination with '/' to put something in it",
    errno.EXDEV: "lies on another file system than what has arrived; cast to it directly",
}


class Destination:
    """The directory beneath a root that entries go to, and the name that the first one gets."""

    def __init__(self, path: RootedPath) -> None:
        self.path = path
        keeps_name = path.names_directory or not path.parts
        self.directory = path.parts if keeps_name else path.parts[:-1]
        self.new_name = None if keeps_name else path.parts[-1]

    def parts(self, entry: Entry) -> tuple[str, ...]:
        """Where an entry goes, from the directory on."""
        top, *rest = entry.path.split("/")
        return (self.new_name or top, *rest)

    def shown(self, entry: Entry) -> str:
        """The same as a path that a person knows."""
        return "/".join([self.path.root.rstrip("/"), *self.directory, *self.parts(entry)])

    @contextmanager
    def open(self, root: int) -> Iterator[int]:
        """Open the directory beneath its root; it is made where it is missing.

        Raises:
            UnsafePathError: A link leads out of the root.
            OSError: It cannot be made.
        """
        for end in range(1, len(self.directory) + 1):
            try:
                with resolve(root, self.directory[:end], follow=True):
                    pass
            except FileNotFoundError:
                with resolve(root, self.directory[: end - 1], follow=True) as parent:
                    make_directory(parent, self.directory[end - 1 : end])
        with open_directory(root, self.directory, follow=True) as directory:
            yield directory

    def find(self, root: int, entry: Entry) -> os.stat_result | None:
        """What is at an entry's place now, or None.

        Raises:
            UnsafePathError: A link is in the way.
            OSError: A file is in the way.
        """
        try:
            with open_directory(root, self.directory, follow=True) as directory:
                parts = self.parts(entry)
                with resolve(directory, parts[:-1], follow=False) as parent:
                    return os.stat(parts[-1], dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return None


def plan_destination(path: RootedPath, manifest: Manifest) -> Destination:
    """Where a cast's content goes when somebody asked for that path.

    A path that ends in "/" is the directory that everything is put into; any other is the name
    that the one file or directory gets.

    Raises:
        TargetFileError: There are several, and the path does not end in "/".
    """
    destination = Destination(path)
    if destination.new_name is not None:
        tops = {entry.path.partition("/")[0] for _, entry in manifest.entries()}
        if len(tops) > 1:
            raise TargetFileError(
                str(path), f"is one name for {len(tops)} things; end it with '/' for a directory"
            )
    return destination


def explain(error: OSError) -> str:
    """What is wrong with a target, and what to do, in words."""
    known = PROBLEMS.get(error.errno or 0)
    return known or f"cannot be written: {error.strerror or error}"
