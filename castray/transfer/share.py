"""What a server gives out for one cast, whoever holds it: the source, or a receiver."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from castray.errors import CastError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from castray.transfer.pacing import Pace
    from castray.transfer.protocol import Head

__all__ = ["FileRange", "LaterError", "Piece", "Share"]


class LaterError(CastError):
    """The answer is not ready; asking again is right."""


class FileRange(NamedTuple):
    """Bytes of an open file, to be sent without passing through us."""

    descriptor: int
    offset: int
    length: int


class Piece(NamedTuple):
    """A segment on its way: its head, and the bytes themselves or where they are."""

    head: Head
    body: bytes | memoryview | FileRange


class Share(Protocol):
    """One cast, as a server gives it out; called from many threads.

    Every method may raise CastError, whose text goes to whoever asked, and LaterError.
    """

    secret: bytes
    pace: Pace

    def header(self) -> bytes:
        """The manifest's header, as JSON."""

    def page(self, number: int) -> bytes:
        """A page of the manifest, compressed."""

    def choose(self, candidates: Sequence[int], *, insists: bool) -> int | None:
        """Which of these blocks to send to somebody who lacks them all; None: none of them now."""

    def open_block(self, block: int) -> AbstractContextManager[list[Piece]]:
        """A block's segments, to be sent before the context ends."""

    def digests(self, block: int) -> list[Head]:
        """The heads of a block's segments, with their digests."""

    def whole(self, number: int) -> bytes:
        """The digest of the whole file of that entry."""

    def have(self, start: int, wait_s: float) -> Sequence[int]:
        """The verified blocks from that place in the list of them on.

        Waits up to so many seconds for one.
        """

    def close(self) -> None:
        """Hold nobody up any more: the cast ends here."""
