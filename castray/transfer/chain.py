"""Proves the pieces of large files in a chained cast, each after the one before it.

The digest of such a piece covers its file from the start, so that one pass proves the pieces and
the whole. Streams write what has arrived, and whoever wrote the piece that is due proves it, and
those after it that have arrived, while the other streams pull on: out of the memory that it came
into, and while it is in the processor's cache. A sudden end in between costs nothing: what the
journal claims is proved again by whoever goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from castray.transfer.buffers import new_buffer
from castray.transfer.protocol import SegmentState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from castray.transfer.layout import Segment
    from castray.transfer.protocol import Head
    from castray.transfer.proving import Prover
    from castray.transfer.reception import Reception

__all__ = ["Chain"]

SPARE_BUFFERS = 2
"""So many blocks may wait to be proved while each stream receives its next one."""


class _Arrival(NamedTuple):
    """A piece that has been written."""

    block: int
    peer: str
    segment: Segment
    digest: bytes
    buffer: memoryview


class Chain:
    """The pieces of one cast that have arrived and are not proved yet; for many threads.

    Args:
        reception: Is told what is here.
        prover: Writes and proves.
    """

    def __init__(self, reception: Reception, prover: Prover) -> None:
        self._reception = reception
        self._prover = prover
        self._changed = reception.changed
        self._arrivals: list[_Arrival] = []
        self._spares: list[memoryview] = []
        self._spares_made = 0
        self._is_proving = False
        self._is_done = False

    def takes(self, block: int, heads: Sequence[Head]) -> bool:
        """Whether a block that arrived is for `add`: a good piece of a large file."""
        segment = self._reception.manifest.segments(block)[0]
        return (
            self._reception.manifest.header.is_chained
            and not segment.is_whole_file
            and heads[0].state is SegmentState.OK
            and self._reception.is_wanted(segment.entry_number)
        )

    def add(self, block: int, peer: str, digest: bytes, buffer: memoryview) -> memoryview:
        """Take in a piece, and return when those before it have arrived or nobody brings them.

        Args:
            block: Its number.
            peer: Who sent it.
            digest: What the source says of it.
            buffer: Begins with its bytes, and is the chain's from now on.

        Returns:
            As large a buffer, for the next one.

        Raises:
            TargetFileError: It cannot be written.
        """
        segment = self._reception.manifest.segments(block)[0]
        self._prover.write(segment, buffer[: segment.length])
        self._reception.journal.add_block(block)
        with self._changed:
            self._arrivals.append(_Arrival(block, peer, segment, digest, buffer))
            self._reception.arrive(block)
        spare = self._prove_until_spare(len(buffer))
        self._reception.wait_for_earlier(block, segment.entry_number)
        return spare

    def stop(self) -> None:
        """Have nobody wait any more."""
        with self._changed:
            self._is_done = True
            self._changed.notify_all()

    def _prove_until_spare(self, size: int) -> memoryview:
        """Prove what is due, unless somebody does, until there is a buffer for what comes next."""
        while True:
            with self._changed:
                arrival = self._next()
                if arrival is None:
                    if self._spares:
                        return self._spares.pop()
                    if self._is_done or self._spares_made < SPARE_BUFFERS:
                        self._spares_made += 1
                        return new_buffer(size)
                    self._changed.wait()
                    continue
                self._is_proving = True
            try:
                self._prove(arrival)
            finally:
                with self._changed:
                    self._is_proving = False
                    self._changed.notify_all()

    def _next(self) -> _Arrival | None:
        """Take the arrival that is due, if nobody else is at it."""
        if not self._is_proving and not self._is_done:
            for arrival in self._arrivals:
                if self._prover.is_due(arrival.segment):
                    self._arrivals.remove(arrival)
                    return arrival
        return None

    def _prove(self, arrival: _Arrival) -> None:
        segment = arrival.segment
        data = arrival.buffer[: segment.length]
        is_wanted = self._reception.is_wanted(segment.entry_number)
        is_right = not is_wanted or self._prover.extend(segment, data, arrival.digest)
        self._spares.append(arrival.buffer)
        if is_right:
            self._reception.count(arrival.block, arrival.peer)
        else:
            self._drop(segment.entry_number)
            self._prover.blame(arrival.block, arrival.peer)

    def _drop(self, entry_number: int) -> None:
        """Have what came after a damaged piece sent again: it could only wait in memory."""
        with self._changed:
            for late in [a for a in self._arrivals if a.segment.entry_number == entry_number]:
                self._arrivals.remove(late)
                self._spares.append(late.buffer)
                self._reception.stop(late.block, late.peer, was_sent=True)
