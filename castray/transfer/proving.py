"""Every block is proved here before it counts.

A block counts when each of its segments fits its digest, is written into the partial, and stands
in the journal: in that order. Pieces of a chained file are proved one after the other; who holds
a later one waits for its turn, and gives it up when an earlier one turns out to be nobody's.
"""

from __future__ import annotations

import os
from threading import Lock
from typing import TYPE_CHECKING

from castray.errors import TargetFileError
from castray.transfer.destination import explain
from castray.transfer.filehash import FileDigests, read_exactly
from castray.transfer.hashing import new_hash
from castray.transfer.protocol import SegmentState
from castray.transfer.share import LaterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from castray.transfer.destination import Destination
    from castray.transfer.layout import Segment
    from castray.transfer.protocol import Head
    from castray.transfer.reception import Reception

__all__ = ["Prover"]

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
    ) -> bool:
        """Take in a block that arrived.

        Args:
            block: Its number.
            peer: Who sent it.
            heads: What that peer says of its segments.
            proofs: What the source says of them.
            data: The bytes.

        Returns:
            Whether it is right; if not, the peer is to blame.

        Raises:
            LaterError: It was not this piece's turn, and will not be.
            TargetFileError: It cannot be written.
        """
        offset = 0
        for segment, head, proof in zip(self._manifest.segments(block), heads, proofs, strict=True):
            part, offset = data[offset : offset + head.length], offset + head.length
            if not self._accept_segment(block, segment, head, proof, part):
                self._reception.blame(block, peer)
                return False
        self._reception.journal.add_block(block)
        self._reception.count(block, peer)
        return True

    def look_again(self, block: int, proofs: Sequence[Head], buffer: memoryview) -> bool:
        """Whether a block that the journal claims is really there; then it counts."""
        for segment, proof in zip(self._manifest.segments(block), proofs, strict=True):
            if not self._reception.is_wanted(segment.entry_number):
                continue
            if proof.state is SegmentState.FAILED:
                self._reception.refuse(segment.entry_number, SOURCE_PROBLEM)
                continue
            data = buffer[: segment.length]
            try:
                is_there = self._read(segment, data) and self._prove(block, segment, data, proof)
            except LaterError:
                is_there = False
            if not is_there:
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
                found = digests.get(piece, descriptor)[1]
        with self._lock:
            del self._digests[number]
        return found == digest

    def _accept_segment(
        self, block: int, segment: Segment, head: Head, proof: Head, data: memoryview
    ) -> bool:
        if not self._reception.is_wanted(segment.entry_number):
            return True
        if proof.state is SegmentState.FAILED:
            told = bytes(data).decode(errors="replace") if head is proof else SOURCE_PROBLEM
            self._reception.refuse(segment.entry_number, told)
            return True
        if head.state is SegmentState.FAILED or not self._prove(block, segment, data, proof):
            return False
        self._write(segment, data)
        return True

    def _prove(self, block: int, segment: Segment, data: memoryview, proof: Head) -> bool:
        if not segment.is_whole_file and self._manifest.header.is_chained:
            return self._extend(block, segment, data, proof.digest)
        found = new_hash(self._manifest.header.algorithm)
        found.update(data)
        return found.digest() == proof.digest

    def _extend(self, block: int, segment: Segment, data: memoryview, digest: bytes) -> bool:
        """Prove a piece of a chained file, when it is its turn."""
        digests = self._digests_of(segment.entry_number)
        index = segment.offset // self._manifest.header.block_bytes
        if not self._reception.wait_for_turn(block, block - index, lambda: digests.hashed == index):
            raise LaterError("block", "comes after one that is missing")
        is_right = digests.extend(data, digest)
        self._reception.wake()
        return is_right

    def _digests_of(self, number: int) -> FileDigests:
        with self._lock:
            fresh = FileDigests(self._manifest.header, self._manifest.entry(number).size)
            return self._digests.setdefault(number, fresh)

    def _read(self, segment: Segment, data: memoryview) -> bool:
        try:
            with self._partial.open(segment.entry_number) as descriptor:
                is_sized = os.fstat(descriptor).st_size == segment.entry.size
                read_exactly(descriptor, data, segment.offset)
        except (OSError, EOFError):
            return False
        return is_sized

    def _write(self, segment: Segment, data: memoryview) -> None:
        number, entry = segment.entry_number, segment.entry
        try:
            if segment.is_whole_file:
                self._partial.write_whole(number, entry, data)
            else:
                self._partial.write_piece(number, entry, data, segment.offset)
        except OSError as error:
            raise TargetFileError(self._destination.shown(entry), explain(error)) from error
