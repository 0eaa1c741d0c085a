"""A receiver's side of giving: the blocks that it has verified, for the other receivers."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from castray.errors import CastError
from castray.transfer.beneath import open_directory, open_regular, open_root
from castray.transfer.pacing import Pace
from castray.transfer.protocol import Head, SegmentState
from castray.transfer.share import FileRange, Piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from castray.transfer.destination import Destination
    from castray.transfer.layout import Segment
    from castray.transfer.reception import Reception

__all__ = ["ReceiverShare"]


class ReceiverShare:
    """Gives out what a receiver has, while it arrives and after it was placed.

    Args:
        reception: Says what is here.
        destination: Says where it is placed.
        secret: The cast's secret.
        bytes_per_s: The most to send for this cast, or None.
    """

    def __init__(
        self,
        reception: Reception,
        destination: Destination,
        secret: bytes,
        bytes_per_s: float | None,
    ) -> None:
        self.secret = secret
        self.pace = Pace(bytes_per_s)
        self.names: Mapping[int, str] = {}
        """What entries are called that were not placed under their own names."""
        self._reception = reception
        self._destination = destination

    def header(self) -> bytes:
        """Nothing: only the source speaks for the manifest."""
        raise CastError("receiver", "has no manifest to give: ask the source")

    def page(self, number: int) -> bytes:
        """Nothing: only the source speaks for the manifest."""
        raise CastError("receiver", f"has no page {number} to give: ask the source")

    def choose(self, candidates: Sequence[int], *, insists: bool) -> int | None:
        """The first that is here."""
        return next((block for block in candidates if self._reception.has(block)), None)

    @contextmanager
    def open_block(self, block: int) -> Iterator[list[Piece]]:
        """A block's segments, out of the files that arrived."""
        with ExitStack() as files:
            segments = self._reception.manifest.segments(block)
            yield [self._open_segment(segment, files) for segment in segments]

    def digests(self, block: int) -> list[Head]:
        """Nothing: only the source speaks for digests."""
        raise CastError("receiver", f"has no digests of block {block} to give: ask the source")

    def whole(self, number: int) -> bytes:
        """Nothing: only the source speaks for digests."""
        raise CastError("receiver", f"has no digest of entry {number} to give: ask the source")

    def have(self, start: int, wait_s: float) -> Sequence[int]:
        """The blocks that were verified here, from that place in their order on."""
        until = time.monotonic() + wait_s
        verified = self._reception.verified
        while len(verified) <= start and time.monotonic() < until:
            self._reception.wait(until - time.monotonic())
        return verified[start:]

    def close(self) -> None:
        """Hold nobody up any more."""
        self.pace.release()

    def _open_segment(self, segment: Segment, files: ExitStack) -> Piece:
        try:
            descriptor = files.enter_context(self._open(segment))
        except (OSError, CastError):
            return Piece(Head(SegmentState.FAILED, 0), b"")
        place = FileRange(descriptor, segment.offset, segment.length)
        return Piece(Head(SegmentState.OK, segment.length), place)

    @contextmanager
    def _open(self, segment: Segment) -> Iterator[int]:
        """Open the file that a segment is in: where it arrives, else where it was placed."""
        partial = self._reception.partial
        with ExitStack() as opened:
            try:
                descriptor = opened.enter_context(partial.open(segment.entry_number))
            except OSError:
                *above, name = self._destination.parts(segment.entry)
                name = self.names.get(segment.entry_number, name)
                root = opened.enter_context(open_root(self._destination.path.root))
                parts = self._destination.directory
                base = opened.enter_context(open_directory(root, parts, follow=True))
                place = open_regular(base, [*above, name], follow=False)
                descriptor = opened.enter_context(place)
            yield descriptor
