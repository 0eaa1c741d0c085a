"""The entries of a cast, and the compressed pages in which they are kept and sent."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field, TypeAdapter, ValidationError

from castray.core.paths import link_stays_inside, parse_parts
from castray.errors import CastError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "DIRECTORY",
    "FILE",
    "LINK",
    "MAX_PAGE_ENTRIES",
    "Entry",
    "pack_page",
    "parse_page",
    "unpack_page",
]

MAX_PAGE_ENTRIES = 512

MAX_PAGE_BYTES = 8 << 20
"""What 512 entries with the longest paths and links may take."""

FILE: Literal["f"] = "f"
DIRECTORY: Literal["d"] = "d"
LINK: Literal["l"] = "l"

Count = Annotated[int, Field(ge=0)]
Row = tuple[str, Literal["f", "d", "l"], Count, Count, int, str]
ROWS: TypeAdapter[list[Row]] = TypeAdapter(Annotated[list[Row], Field(max_length=MAX_PAGE_ENTRIES)])


class Entry(NamedTuple):
    """One file, directory or symbolic link.

    `path` begins with the name of what was cast. Times are nanoseconds since 1970; `link` is
    where a symbolic link leads.
    """

    path: str
    kind: Literal["f", "d", "l"]
    size: int
    mode: int
    mtime_ns: int
    link: str = ""


def pack_page(entries: Sequence[Entry]) -> bytes:
    """Encode and compress a page."""
    page = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    return zlib.compress(page, 1)


def unpack_page(packed: bytes) -> bytes:
    """Decompress a page.

    Raises:
        CastError: It is broken, or larger than a page can be.
    """
    unpacker = zlib.decompressobj()
    try:
        page = unpacker.decompress(packed, MAX_PAGE_BYTES)
    except zlib.error as error:
        raise CastError("manifest", f"one of its pages is broken: {error}") from error
    if not unpacker.eof:
        raise CastError("manifest", f"one of its pages is larger than {MAX_PAGE_BYTES} bytes")
    return page


def parse_page(page: bytes) -> list[Entry]:
    """Read an unpacked page.

    Raises:
        CastError: It is broken, or names what no cast may bring.
    """
    try:
        entries = [Entry(*row) for row in ROWS.validate_json(page)]
    except ValidationError as error:
        raise CastError("manifest", f"one of its pages is broken: {error}") from error
    for entry in entries:
        parts = parse_parts(entry.path)
        if not parts or "/".join(parts) != entry.path:
            raise CastError("manifest", f"it names a file {entry.path!r}")
        if entry.kind == LINK and not link_stays_inside(parts, entry.link):
            raise CastError("manifest", f"its link {entry.path!r} leads out")
        if entry.kind != FILE and entry.size:
            raise CastError("manifest", f"it gives {entry.path!r} a size, and that is no file")
    return entries
