"""Every block is proved here before it counts.

A block counts when each of its segments fits its digest, is written into the partial, and stands
in the journal: in that order. Only pieces of a chained file stand there first: `Chain`.
"""

from __future__ import annotations

import logging
import os
from threading import Lock
from typing import TYPE_CHECKING

from castray.errors import CastError, TargetFileError
from castray.transfer.destination import explain
from castray.transfer.filehash import FileDigests, read_exactly
from castray.transfer.hashing import new_hash
from castray.transfer.protocol import SegmentState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from castray.transfer.destination import Destination
    from castray.transfer.layout import Segment
    from castray.transfer.protocol import Head
    from castray.transfer.reception import Reception

__all__ = ["Prover"]

logger = logging.getLogger(__name__)

MAX_BAD_IN_A_ROW = 8

SOURCE_PROBLEM = "cannot be read at the source any more: it changed there, or vanished"


class Prover:
    """Proves and writes what arrives; for many threads.

    Args:
        reception: Is told what is here.
        destination: Says what an entry is called, for people.
    """

    def __init__(self, reception: Reception, destination: Destination) -> None:
        self._reception = reception
        self._destination = destination
        self._manifest = reception.manifest
        self._partial = reception.partial
        self._digests: dict[int, FileDigests] = {}
        self._lock = Lock()

    def accept(
        self,
        block: int,
        peer: str,
        heads: Sequence[Head],
        proofs: Sequence[Head],
        data: memoryview,
    ) -> None:
        """Take in a block that arrived; a damaged one is to be sent again.

        Args:
            block: Its number.
            peer: Who sent it.
            heads: What that peer says of its segments.
            proofs: What the source says of them.
            data: The bytes.

        Raises:
            CastError: It is damaged, like too many before it.
            TargetFileError: It cannot be written.
        """
        offset = 0
        for segment, head, proof in zip(self._manifest.segments(block), heads, proofs, strict=True):
            part, offset = data[offset : offset + head.length], offset + head.length
            if not self._accept_segment(segment, head, proof, part):
                self.blame(block, peer)
                return
        self._reception.journal.add_block(block)
        self._reception.count(block, peer)

    def blame(self, block: int, peer: str) -> None:
        """Take note of a damaged block.

        Raises:
            CastError: It comes from the source, like too many before it, and nothing right between.
        """
        logger.warning("block %d arrived damaged from %s", block, peer)
        self._reception.blame(block, peer)
        if peer == self._reception.source and self._reception.bad_in_a_row >= MAX_BAD_IN_A_ROW:
            raise CastError(
                peer,
                f"sent {self._reception.bad_in_a_row} damaged blocks in a row: its disk, its "
                "memory or the network between changes bytes",
            )

    def look_again(self, block: int, proofs: Sequence[Head], buffer: memoryview) -> bool:
        """Whether a block that the journal claims is really there; then it counts."""
        for segment, proof in zip(self._manifest.segments(block), proofs, strict=True):
            if not self._reception.is_wanted(segment.entry_number):
                continue
            if proof.state is SegmentState.FAILED:
                self._reception.refuse(segment.entry_number, SOURCE_PROBLEM)
                continue
            data = buffer[: segment.length]
            if not (self._read(segment, data) and self._prove(segment, data, proof)):
                return False
        self._reception.count(block, None)
        return True

    def prove_whole(self, number: int, digest: bytes) -> bool:
        """Whether a large file, read from the disk again, has the digest that it should.

        Raises:
            OSError: It cannot be read.
        """
        pieces = len(self._manifest.blocks_of(number))
        digests = self._digests_of(number)
        with self._partial.open(number) as descriptor:
            # Piece by piece, for a digest that takes long is refused.
            for piece in range(pieces):
                digests.get(piece, descriptor)
        with self._lock:
            del self._digests[number]
        return digests.digest() == digest

    def is_due(self, segment: Segment) -> bool:
        """Whether a piece of a chained file comes next there, or the file is wanted no more."""
        index = segment.offset // self._manifest.header.block_bytes
        is_next = self._digests_of(segment.entry_number).hashed == index
        return is_next or not self._reception.is_wanted(segment.entry_number)

    def extend(self, segment: Segment, data: memoryview, digest: bytes) -> bool:
        """Prove the piece of a chained file that is due."""
        return self._digests_of(segment.entry_number).extend(data, digest)

    def write(self, segment: Segment, data: memoryview) -> None:
        """Write a segment into the partial.

        Raises:
            TargetFileError: It cannot be written.
        """
        number, entry = segment.entry_number, segment.entry
        try:
            if segment.is_whole_file:
                self._partial.write_whole(number, entry, data)
            else:
                self._partial.write_piece(number, entry, data, segment.offset)
        except OSError as error:
            raise TargetFileError(self._destination.shown(entry), explain(error)) from error

    def _accept_segment(self, segment: Segment, head: Head, proof: Head, data: memoryview) -> bool:
        if not self._reception.is_wanted(segment.entry_number):
            return True
        if proof.state is SegmentState.FAILED:
            told = bytes(data).decode(errors="replace") if head is proof else SOURCE_PROBLEM
            self._reception.refuse(segment.entry_number, told)
            return True
        if head.state is SegmentState.FAILED or not self._prove(segment, data, proof):
            return False
        self.write(segment, data)
        return True

    def _prove(self, segment: Segment, data: memoryview, proof: Head) -> bool:
        if not segment.is_whole_file and self._manifest.header.is_chained:
            return self.is_due(segment) and self.extend(segment, data, proof.digest)
        found = new_hash(self._manifest.header.algorithm)
        found.update(data)
        return found.digest() == proof.digest

    def _digests_of(self, number: int) -> FileDigests:
        with self._lock:
            if number not in self._digests:
                size = self._manifest.entry(number).size
                self._digests[number] = FileDigests(self._manifest.header, size)
            return self._digests[number]

    def _read(self, segment: Segment, data: memoryview) -> bool:
        try:
            with self._partial.open(segment.entry_number) as descriptor:
                is_sized = os.fstat(descriptor).st_size == segment.entry.size
                read_exactly(descriptor, data, segment.offset)
        except (OSError, EOFError):
            return False
        return is_sized
