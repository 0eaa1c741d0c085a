"""How the files of a cast are cut into blocks.

A block is either a piece of one file that is larger than a block, or a pack of whole small files:
one request brings many of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from castray.transfer.pages import Entry

__all__ = ["MAX_PACKED_FILES", "Run", "Segment", "plan_block_bytes", "plan_runs"]

MIN_BLOCK_BYTES = 1 << 20
MAX_BLOCK_BYTES = 4 << 20
"""Between them a block is large enough to outweigh its request, and small enough to hold."""

BLOCKS_WANTED = 256
"""Enough for every receiver to have something that another one lacks."""

MAX_BLOCKS = 1 << 20
"""More than this and blocks grow beyond their largest size: above 4 TiB."""

MAX_PACKED_FILES = 128


class Segment(NamedTuple):
    """Bytes of one file: a whole small one, or a piece of a large one."""

    entry_number: int
    entry: Entry
    offset: int
    length: int

    @property
    def is_whole_file(self) -> bool:
        """Whether there is no more of the file than this."""
        return self.length == self.entry.size


class Run(NamedTuple):
    """Neighbours in a page: a pack of small files, or one large file with its blocks."""

    first_block: int
    blocks: int
    first_entry: int
    entries: int


def plan_block_bytes(bytes_total: int) -> int:
    """The size of a block for so much content: a power of two."""
    size = MIN_BLOCK_BYTES
    while size < MAX_BLOCK_BYTES and bytes_total > size * BLOCKS_WANTED:
        size *= 2
    while bytes_total > size * MAX_BLOCKS:
        size *= 2
    return size


def plan_runs(
    entries: Sequence[Entry], first_entry: int, first_block: int, block_bytes: int
) -> list[Run]:
    """Cut a page into packs and large files; what has no content rides along in the packs."""
    runs: list[Run] = []
    for start, end in _groups([entry.size for entry in entries], block_bytes):
        blocks = -(-sum(entry.size for entry in entries[start:end]) // block_bytes)
        runs.append(Run(first_block, blocks, first_entry + start, end - start))
        first_block += blocks
    return runs


def _groups(sizes: Sequence[int], block_bytes: int) -> Iterator[tuple[int, int]]:
    """Where each run begins and ends: as many as fit a block, or one that is larger."""
    start = total = 0
    for end, size in enumerate(sizes):
        if end > start and (total + size > block_bytes or end - start == MAX_PACKED_FILES):
            yield start, end
            start, total = end, 0
        total += size
    if sizes:
        yield start, len(sizes)
