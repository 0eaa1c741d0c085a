"""Proves the pieces of large files in a chained cast, each after the one before it.

The digest of such a piece covers its file from the start, so that one pass proves the pieces and
the whole. Streams write what has arrived and pull on; one thread proves it behind them, out of
the memory that it came into. A sudden end in between costs nothing: what the journal claims is
proved again by whoever goes on.
"""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

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
        self._thread: Thread | None = None
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
            if self._thread is None:
                self._thread = Thread(target=self._run, name="castray-prove", daemon=True)
                self._thread.start()
            self._reception.arrive(block)
            spare = self._wait_for_spare(len(buffer))
        self._reception.wait_for_earlier(block, segment.entry_number)
        return spare

    def stop(self) -> None:
        """Prove no more."""
        with self._changed:
            self._is_done = True
            self._changed.notify_all()

    def join(self) -> None:
        """Wait until the thread has ended, after `stop`."""
        if self._thread is not None:
            self._thread.join()

    def _wait_for_spare(self, size: int) -> memoryview:
        while not self._is_done:
            if self._spares:
                return self._spares.pop()
            if self._spares_made < SPARE_BUFFERS:
                self._spares_made += 1
                break
            self._changed.wait()
        return memoryview(bytearray(size))

    def _run(self) -> None:
        try:
            while (arrival := self._next()) is not None:
                self._prove(arrival)
        except Exception as error:  # noqa: BLE001 - the receiver raises it to its owner
            self._reception.fail(error)

    def _next(self) -> _Arrival | None:
        with self._changed:
            while not self._is_done:
                for arrival in self._arrivals:
                    if self._prover.is_due(arrival.segment):
                        self._arrivals.remove(arrival)
                        return arrival
                self._changed.wait()
        return None

    def _prove(self, arrival: _Arrival) -> None:
        segment = arrival.segment
        data = arrival.buffer[: segment.length]
        is_wanted = self._reception.is_wanted(segment.entry_number)
        is_right = not is_wanted or self._prover.extend(segment, data, arrival.digest)
        self._give_back(arrival)
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
                self._give_back(late)
                self._reception.stop(late.block, late.peer, was_sent=True)

    def _give_back(self, arrival: _Arrival) -> None:
        with self._changed:
            self._spares.append(arrival.buffer)
            self._changed.notify_all()
