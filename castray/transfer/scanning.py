"""Finding what a source path stands for: a file, a directory with all in it, or a glob's matches.

Nothing is read here but names and file status: a cast's first byte does not wait for its last to
be hashed. What cannot be cast is noted with its reason and does not hold up the rest.
"""

from __future__ import annotations

import fnmatch
import os
import stat
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from castray.core.paths import RootedPath, is_glob, is_partial_name, link_stays_inside, parse_parts
from castray.core.paths import shown as shown_path
from castray.errors import SourceFileError, UnsafePathError
from castray.transfer.beneath import kind_of, open_directory, open_root, resolve
from castray.transfer.manifest import Manifest, ManifestBuilder
from castray.transfer.pages import DIRECTORY, FILE, LINK, Entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from castray.transfer.hashing import Algorithm

__all__ = ["ScannedSource", "scan"]

MAX_DEPTH = 100
"""Directories within directories; each one holds a descriptor while it is scanned."""

MODE_BITS = 0o777
"""What of a mode is kept: never set-user-ID and its like."""

ENTRY_KINDS: dict[int, Literal["f", "d", "l"]] = {
    stat.S_IFREG: FILE,
    stat.S_IFDIR: DIRECTORY,
    stat.S_IFLNK: LINK,
}


class _Top(NamedTuple):
    """One thing that was asked for: its place among the entries, and where it really lies."""

    first_entry: int
    shown_parts: int
    location: tuple[str, ...]


@dataclass(frozen=True)
class ScannedSource:
    """What was found beneath `root`; `inodes` has each file's, by its entry's number."""

    root: str
    manifest: Manifest
    inodes: array[int]
    tops: list[_Top]

    def location(self, number: int) -> tuple[str, ...]:
        """Where an entry lies beneath the root."""
        top = self.tops[bisect_right(self.tops, number, key=lambda t: t.first_entry) - 1]
        parts = self.manifest.entry(number).path.split("/")
        return (*top.location, *parts[top.shown_parts :])


def scan(path: RootedPath, algorithm: Algorithm, *, is_chained: bool) -> ScannedSource:
    """List everything that a path stands for.

    Args:
        path: A file, a directory, or a glob; a file that is called like one comes first.
        algorithm: What the cast is verified with.
        is_chained: See `ManifestHeader`.

    Raises:
        UnsafePathError: It leads out, or is neither a file nor a directory.
        SourceFileError: There is no such file, it may not be read, or a glob matches nothing.
    """
    try:
        return _Scanner(path).scan(algorithm, is_chained=is_chained)
    except OSError as error:
        raise SourceFileError(shown_path(str(path)), f"cannot be read: {error.strerror}") from error


class _Scanner:
    def __init__(self, path: RootedPath) -> None:
        self._path = path
        self._builder = ManifestBuilder()
        self._inodes = array("Q")
        self._tops: list[_Top] = []

    def scan(self, algorithm: Algorithm, *, is_chained: bool) -> ScannedSource:
        parts = self._path.parts
        if not parts:
            raise UnsafePathError(
                str(self._path), "is a whole root: name something in it, or end it with '/*'"
            )
        with open_root(self._path.root) as root:
            fixed = next((i for i, part in enumerate(parts) if is_glob([part])), len(parts))
            if fixed == len(parts) or _exists(root, parts):
                self._add_top(root, parts, parts[-1:])
            else:
                self._add_matches(root, parts[:fixed], parts[fixed:])
        manifest = self._builder.build(algorithm, is_chained=is_chained)
        return ScannedSource(self._path.root, manifest, self._inodes, self._tops)

    def _add_matches(self, root: int, base: tuple[str, ...], pattern: tuple[str, ...]) -> None:
        for match in _matches(root, base, pattern):
            try:
                self._add_top(root, base + match, match)
            except (UnsafePathError, SourceFileError) as error:
                self._builder.skip(shown_path("/".join(match)), error.problem)
        if not self._tops:
            raise SourceFileError(str(self._path), "matches nothing that can be cast")

    def _add_top(self, root: int, parts: tuple[str, ...], shown: tuple[str, ...]) -> None:
        parse_parts("/".join(shown))
        with resolve(root, parts, follow=True) as place:
            status = os.fstat(place)
            location = _beneath(root, place)
            if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
                raise UnsafePathError(
                    str(self._path), f"is {kind_of(status.st_mode)}, and that cannot be cast"
                )
            self._tops.append(_Top(self._builder.entries, len(shown), location))
            self._add(shown, status)
            if stat.S_ISDIR(status.st_mode):
                with open_directory(place, (), follow=False) as directory:
                    self._add_content(directory, shown, len(shown) - 1)

    def _add_content(self, directory: int, parts: tuple[str, ...], top: int) -> None:
        for name in sorted(os.listdir(directory)):
            path = "/".join([*parts, name])
            if is_partial_name(name):
                continue
            try:
                parse_parts(path)
                self._add_child(directory, (*parts, name), top)
            except UnsafePathError as error:
                self._builder.skip(shown_path(path), error.problem)
            except OSError as error:
                self._builder.skip(shown_path(path), f"cannot be read: {error.strerror}")

    def _add_child(self, directory: int, parts: tuple[str, ...], top: int) -> None:
        status = os.stat(parts[-1], dir_fd=directory, follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            target = os.readlink(parts[-1], dir_fd=directory)
            if not link_stays_inside(parts[top:], target):
                raise UnsafePathError(
                    "/".join(parts), f"is a symbolic link that leads out: to {shown_path(target)}"
                )
            self._add(parts, status, target)
        elif stat.S_ISDIR(status.st_mode):
            if len(parts) > MAX_DEPTH:
                raise UnsafePathError("/".join(parts), f"lies deeper than {MAX_DEPTH} levels")
            with open_directory(directory, parts[-1:], follow=False) as child:
                self._add(parts, status)
                self._add_content(child, parts, top)
        elif stat.S_ISREG(status.st_mode):
            self._add(parts, status)
        else:
            raise UnsafePathError(
                "/".join(parts), f"is {kind_of(status.st_mode)}, and that cannot be cast"
            )

    def _add(self, parts: tuple[str, ...], status: os.stat_result, link: str = "") -> None:
        kind = ENTRY_KINDS[stat.S_IFMT(status.st_mode)]
        size = status.st_size if kind == FILE else 0
        mode = status.st_mode & MODE_BITS
        self._builder.add(Entry("/".join(parts), kind, size, mode, status.st_mtime_ns, link))
        self._inodes.append(status.st_ino)


def _exists(root: int, parts: tuple[str, ...]) -> bool:
    try:
        with resolve(root, parts, follow=True):
            return True
    except OSError:
        return False


def _beneath(root: int, place: int) -> tuple[str, ...]:
    """The real path of something open beneath a root, links followed."""
    open_files = Path("/proc/self/fd")
    top, path = ((open_files / str(descriptor)).readlink() for descriptor in (root, place))
    return path.relative_to(top).parts


def _matches(
    root: int, base: tuple[str, ...], pattern: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    """What fits a pattern of one or more parts, in order; hidden files only by their dot."""
    with open_directory(root, base, follow=True) as directory:
        names = sorted(os.listdir(directory))  # noqa: PTH208
    for name in names:
        is_hidden = name.startswith(".") and not pattern[0].startswith(".")
        if is_hidden or is_partial_name(name) or not fnmatch.fnmatchcase(name, pattern[0]):
            continue
        if len(pattern) == 1:
            yield (name,)
            continue
        try:
            yield from ((name, *rest) for rest in _matches(root, (*base, name), pattern[1:]))
        except (OSError, UnsafePathError):
            continue
