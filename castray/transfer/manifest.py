"""What a cast consists of: its files, directories and links, and the blocks they are sent in.

The entries stand in pages of bounded size, kept compressed, so that a million files cost a few
megabytes. A block is either a piece of one file that is larger than a block, or a pack of whole
small files. Source and receivers derive the same blocks from the same pages, and so can speak of
a block by its number.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import OrderedDict
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from castray.errors import CastError
from castray.models import Record
from castray.transfer.hashing import Algorithm
from castray.transfer.layout import Segment, plan_block_bytes, plan_runs
from castray.transfer.pages import FILE, MAX_PAGE_ENTRIES, pack_page, parse_page, unpack_page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from castray.transfer.layout import Run
    from castray.transfer.pages import Entry

__all__ = ["Manifest", "ManifestBuilder", "ManifestHeader", "SkippedPath"]

CACHED_PAGES = 8


class SkippedPath(Record):
    """Something beneath the source that is not cast, and why."""

    path: str
    problem: str


class ManifestHeader(Record):
    """What is said of a cast's content before its pages."""

    algorithm: Algorithm
    is_chained: bool = Field(
        description="Whether the digest of a piece of a large file is that of the file up to its "
        "end. Then one pass verifies pieces and file, but only in their order: for one receiver."
    )
    block_bytes: Annotated[int, Field(ge=1)]
    pages: Annotated[int, Field(ge=0)]
    entries: Annotated[int, Field(ge=0)]
    files: Annotated[int, Field(ge=0)]
    bytes_total: Annotated[int, Field(ge=0)]
    digest: str = Field(description="SHA-256 of everything above and all pages: its identity.")
    skipped: tuple[SkippedPath, ...] = Field((), description="The first of those not cast.")
    skipped_total: int = 0


class Manifest:
    """The content of one cast.

    Args:
        header: What the source says of it.
        pages: The compressed pages, all of them.

    Raises:
        CastError: Pages and header do not fit, or a page is broken.
    """

    def __init__(self, header: ManifestHeader, pages: Sequence[bytes]) -> None:
        self.header = header
        self.pages = pages
        self._cache: OrderedDict[int, tuple[list[Entry], list[Run]]] = OrderedDict()
        self._lock = Lock()
        self._index: list[_Page] = []
        self.blocks = 0
        self._build_index()

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """All entries with their numbers, directories before what is in them."""
        for number, page in enumerate(self._index):
            for offset, entry in enumerate(self._page(number)[0]):
                yield page.first_entry + offset, entry

    def entry(self, number: int) -> Entry:
        """The entry of that number.

        Raises:
            IndexError: There is none.
        """
        page = bisect_right(self._index, number, key=lambda p: p.first_entry) - 1
        return self._page(page)[0][number - self._index[page].first_entry]

    def segments(self, block: int) -> list[Segment]:
        """What a block consists of.

        Raises:
            IndexError: There is no such block.
        """
        if not 0 <= block < self.blocks:
            raise IndexError(f"there are {self.blocks} blocks, and no block {block}")
        page = bisect_right(self._index, block, key=lambda p: p.first_block) - 1
        entries, runs = self._page(page)
        run = runs[bisect_right(runs, block, key=lambda r: r.first_block) - 1]
        offset = run.first_entry - self._index[page].first_entry
        if run.entries == 1:
            return [self._piece(run, entries[offset], block - run.first_block)]
        return [
            Segment(run.first_entry + i, entries[offset + i], 0, entries[offset + i].size)
            for i in range(run.entries)
            if entries[offset + i].size
        ]

    def blocks_of(self, number: int) -> range:
        """The blocks that an entry's content is in; none for what has no content."""
        if not self.entry(number).size:
            return range(0)
        page = bisect_right(self._index, number, key=lambda p: p.first_entry) - 1
        runs = self._page(page)[1]
        run = runs[bisect_right(runs, number, key=lambda r: r.first_entry) - 1]
        return range(run.first_block, run.first_block + run.blocks)

    def block_length(self, block: int) -> int:
        """How many bytes a block has."""
        return sum(segment.length for segment in self.segments(block))

    def _piece(self, run: Run, entry: Entry, number: int) -> Segment:
        offset = number * self.header.block_bytes
        length = min(self.header.block_bytes, entry.size - offset)
        return Segment(run.first_entry, entry, offset, length)

    def _page(self, number: int) -> tuple[list[Entry], list[Run]]:
        with self._lock:
            if number in self._cache:
                self._cache.move_to_end(number)
                return self._cache[number]
        entries = parse_page(unpack_page(self.pages[number]))
        page = self._index[number]
        runs = plan_runs(entries, page.first_entry, page.first_block, self.header.block_bytes)
        with self._lock:
            self._cache[number] = entries, runs
            while len(self._cache) > CACHED_PAGES:
                self._cache.popitem(last=False)
        return entries, runs

    def _build_index(self) -> None:
        identity = _Identity(self.header)
        entries_seen = bytes_seen = 0
        for packed in self.pages:
            page = unpack_page(packed)
            identity.update(page)
            entries = parse_page(page)
            runs = plan_runs(entries, entries_seen, self.blocks, self.header.block_bytes)
            if len(self._index) < CACHED_PAGES:
                self._cache[len(self._index)] = entries, runs
            self._index.append(_Page(entries_seen, self.blocks))
            self.blocks += sum(run.blocks for run in runs)
            entries_seen += len(entries)
            bytes_seen += sum(entry.size for entry in entries)
        told = (self.header.entries, self.header.bytes_total, self.header.digest)
        if told != (entries_seen, bytes_seen, identity.hexdigest()):
            raise CastError("manifest", "its pages are not those that its header speaks of")


class ManifestBuilder:
    """Collects entries into a manifest."""

    MAX_SKIPPED_TOLD = 100

    def __init__(self) -> None:
        self.entries = 0
        self._files = 0
        self._bytes = 0
        self._rows: list[Entry] = []
        self._pages: list[bytes] = []
        self._skipped: list[SkippedPath] = []
        self._skipped_total = 0

    def add(self, entry: Entry) -> None:
        """Take one more entry; a directory comes before what is in it."""
        self._rows.append(entry)
        self.entries += 1
        self._files += entry.kind == FILE
        self._bytes += entry.size
        if len(self._rows) == MAX_PAGE_ENTRIES:
            self._end_page()

    def skip(self, path: str, problem: str) -> None:
        """Note something that is not cast."""
        self._skipped_total += 1
        if len(self._skipped) < self.MAX_SKIPPED_TOLD:
            self._skipped.append(SkippedPath(path=path, problem=problem))

    def build(self, algorithm: Algorithm, *, is_chained: bool) -> Manifest:
        """The manifest of everything added."""
        if self._rows:
            self._end_page()
        header = ManifestHeader(
            algorithm=algorithm,
            is_chained=is_chained,
            block_bytes=plan_block_bytes(self._bytes),
            pages=len(self._pages),
            entries=self.entries,
            files=self._files,
            bytes_total=self._bytes,
            digest="",
            skipped=tuple(self._skipped),
            skipped_total=self._skipped_total,
        )
        identity = _Identity(header)
        for page in self._pages:
            identity.update(unpack_page(page))
        header = header.model_copy(update={"digest": identity.hexdigest()})
        return Manifest(header, self._pages)

    def _end_page(self) -> None:
        self._pages.append(pack_page(self._rows))
        self._rows = []


class _Page(NamedTuple):
    first_entry: int
    first_block: int


class _Identity:
    """The digest over all that makes two casts the same."""

    def __init__(self, header: ManifestHeader) -> None:
        fixed = [header.algorithm, header.is_chained, header.block_bytes]
        self._hash = sha256(json.dumps(fixed).encode())

    def update(self, page: bytes) -> None:
        self._hash.update(sha256(page).digest())

    def hexdigest(self) -> str:
        return self._hash.hexdigest()
