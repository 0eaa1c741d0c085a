"""Which paths of a node may be read or written, as far as their text tells.

A path is taken apart here and never put together again: what opens it walks from the root, part
by part, and so meets the links and the devices that no text shows (`castray.transfer.beneath`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from castray.errors import UnsafePathError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "MAX_NAME_BYTES",
    "PARTIAL_PREFIX",
    "PARTIAL_SUFFIX",
    "RootedPath",
    "is_glob",
    "is_partial_name",
    "link_stays_inside",
    "parse_parts",
    "plan_path",
    "shown",
]

MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 4095
"""What Linux takes for one name and for a whole path."""

PARTIAL_PREFIX = ".castray-"
PARTIAL_SUFFIX = ".partial"
"""How a directory with what has arrived so far is called; nobody may read or write in it."""


@dataclass(frozen=True)
class RootedPath:
    """A path beneath one of a node's roots; no `parts` means the root itself."""

    root: str
    parts: tuple[str, ...]
    names_directory: bool = False
    """Whether it was written with a slash at its end."""

    def __str__(self) -> str:
        return "/".join([self.root.rstrip("/"), *self.parts])


def plan_path(text: str, roots: Sequence[str]) -> RootedPath:
    """Find the root that a caller's path lies in; a relative one lies in the first root.

    Args:
        text: The path as it was given.
        roots: The node's roots, absolute and without `..`.

    Raises:
        UnsafePathError: It lies in no root, or is no path that we read or write.
    """
    names_directory = text.endswith("/")
    if not text.startswith("/"):
        return RootedPath(roots[0], parse_parts(text), names_directory)
    parts = parse_parts(text[1:], shown_as=text)
    for root in sorted(roots, key=len, reverse=True):
        above = tuple(part for part in root.split("/") if part)
        if parts[: len(above)] == above:
            return RootedPath(root, parts[len(above) :], names_directory)
    raise UnsafePathError(
        shown(text),
        f"lies outside of what this node shares: {', '.join(roots)} (setting transfer.roots)",
    )


def parse_parts(text: str, *, shown_as: str | None = None) -> tuple[str, ...]:
    """The names in a relative path, from the outermost to the last.

    Raises:
        UnsafePathError: It leads upwards, is absolute, or has a name that we do not take.
    """
    told = shown(text if shown_as is None else shown_as)
    if text.startswith("/"):
        raise UnsafePathError(told, "is absolute where a path beneath a directory was expected")
    parts = tuple(part for part in text.split("/") if part not in ("", "."))
    for part in parts:
        if problem := _name_problem(part):
            raise UnsafePathError(told, problem)
    if len(text.encode("utf-8", "surrogateescape")) > MAX_PATH_BYTES:
        raise UnsafePathError(told, f"is longer than {MAX_PATH_BYTES} bytes")
    return parts


def is_partial_name(name: str) -> bool:
    """Whether this is the directory in which a cast collects what has arrived."""
    return name.startswith(PARTIAL_PREFIX) and name.endswith(PARTIAL_SUFFIX)


def is_glob(parts: Sequence[str]) -> bool:
    """Whether a path may stand for several, by `*`, `?` or `[...]`."""
    return any(character in part for part in parts for character in "*?[")


def link_stays_inside(parts: Sequence[str], target: str) -> bool:
    """Whether a symbolic link at `parts` of a tree leads to a place in that tree.

    The first of the parts is the tree itself, and a link may not lead out of it.
    """
    if len(parts) < 2 or not target or target.startswith("/"):
        return False
    place = list(parts[:-1])
    for part in target.split("/"):
        if part == "..":
            if len(place) <= 1:
                return False
            place.pop()
        elif part not in ("", "."):
            place.append(part)
    return True


def shown(text: str) -> str:
    """A path as it can be printed, whatever bytes are in it; long ones are cut."""
    printable = text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
    return printable if len(printable) <= 200 else f"{printable[:120]}…{printable[-60:]}"


def _name_problem(name: str) -> str | None:
    if name == "..":
        return "leads upwards by '..', which is not allowed"
    if "\0" in name:
        return "has a NUL character in it"
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return "has a name that is not UTF-8: rename it, then cast it"
    if length > MAX_NAME_BYTES:
        return f"has a name of {length} bytes; {MAX_NAME_BYTES} is the most"
    if is_partial_name(name):
        return "lies in what a cast is still receiving"
    return None
