"""The source's side of a cast: reads and hashes its files, and notices when they change.

A file is taken as it was when the cast began. Before and after each use its size, time, inode are
compared with that; once they differ, the file is not sent any more, and every receiver is told
why. What slips between those looks does not fit its digest at the receiver.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING

from castray.core.swarm import Sendings
from castray.errors import CastError, SourceFileError, UnsafePathError
from castray.transfer.beneath import Neighbours
from castray.transfer.filehash import FileDigests, read_exactly
from castray.transfer.hashing import new_hash
from castray.transfer.pacing import Pace
from castray.transfer.protocol import Head, SegmentState
from castray.transfer.share import FileRange, Piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from castray.transfer.layout import Segment
    from castray.transfer.pages import Entry
    from castray.transfer.scanning import ScannedSource

__all__ = ["SourceShare"]


class SourceShare:
    """Gives out the files of a source.

    Args:
        source: What was found there.
        secret: The cast's secret, shared by its hosts.
        bytes_per_s: The most to send for this cast, or None.
    """

    def __init__(
        self, source: ScannedSource, secret: bytes, bytes_per_s: float | None = None
    ) -> None:
        self.secret = secret
        self.pace = Pace(bytes_per_s)
        self._source = source
        self.manifest = source.manifest
        self._sendings = Sendings(source.manifest.blocks)
        self._failed: dict[int, SourceFileError] = {}
        self._digests: dict[int, FileDigests] = {}
        self._lock = Lock()

    def close(self) -> None:
        """Hold nobody up any more."""
        self.pace.release()

    @property
    def failed(self) -> dict[str, str]:
        """The files that cannot be sent any more, and why."""
        return {error.subject: error.problem for error in list(self._failed.values())}

    @property
    def blocks_sent(self) -> int:
        """How many blocks were asked of the source, those sent again included."""
        return sum(self._sendings.counts)

    def header(self) -> bytes:
        """The manifest's header, as JSON."""
        return self.manifest.header.model_dump_json().encode()

    def page(self, number: int) -> bytes:
        """A page of the manifest, compressed."""
        if number >= len(self.manifest.pages):
            raise CastError("manifest", f"has {len(self.manifest.pages)} pages, none {number}")
        return self.manifest.pages[number]

    def choose(self, candidates: Sequence[int], *, insists: bool) -> int | None:
        """The one that was sent least, if it is not about to reach all from others."""
        known = [block for block in candidates if block < self.manifest.blocks]
        with self._lock:
            return self._sendings.choose(known, insists=insists, now=time.monotonic())

    @contextmanager
    def open_block(self, block: int) -> Iterator[list[Piece]]:
        """A block's segments; a file that fails has its reason in place of its bytes."""
        segments = self.manifest.segments(block)
        try:
            with ExitStack() as files:
                pieces = self._open_segments(segments, files)
                yield pieces
                self._look_once_more(segments, pieces)
        except BaseException:
            with self._lock:
                self._sendings.fail(block)
            raise
        with self._lock:
            self._sendings.end(block, time.monotonic())

    def digests(self, block: int) -> list[Head]:
        """The heads of a block's segments, with their digests."""
        with ExitStack() as files:
            segments = self.manifest.segments(block)
            return [piece.head for piece in self._open_segments(segments, files)]

    def whole(self, number: int) -> bytes:
        """The digest of the whole file of that entry."""
        entry = self.manifest.entry(number)
        blocks = self.manifest.blocks_of(number)
        with closing(Neighbours(self._source.root)) as found, self._explained(number):
            if len(blocks) < 2:
                return self._digest(self._read(number, entry, found))
            digests = self._digests_of(number)
            with self._opened(number, entry, found) as descriptor:
                digests.get(len(blocks) - 1, descriptor)
                self._check_unchanged(number, entry, descriptor)
            return digests.digest()

    def have(self, start: int, wait_s: float) -> Sequence[int]:
        """Nothing: that the source has all its blocks goes without saying."""
        return ()

    def _open_segments(self, segments: Sequence[Segment], files: ExitStack) -> list[Piece]:
        with closing(Neighbours(self._source.root)) as found:
            return [self._open_segment(segment, found, files) for segment in segments]

    def _open_segment(self, segment: Segment, found: Neighbours, files: ExitStack) -> Piece:
        number, entry = segment.entry_number, segment.entry
        try:
            with self._explained(number):
                if segment.is_whole_file:
                    data = self._read(number, entry, found)
                    return Piece(Head(SegmentState.OK, len(data), self._digest(data)), data)
                index = segment.offset // self.manifest.header.block_bytes
                descriptor = files.enter_context(self._opened(number, entry, found))
                digest = self._digests_of(number).get(index, descriptor)
                self._check_unchanged(number, entry, descriptor)
        except SourceFileError as error:
            reason = error.problem.encode()
            return Piece(Head(SegmentState.FAILED, len(reason)), reason)
        place = FileRange(descriptor, segment.offset, segment.length)
        return Piece(Head(SegmentState.OK, segment.length, digest), place)

    def _look_once_more(self, segments: Sequence[Segment], pieces: Sequence[Piece]) -> None:
        """A file may have changed while it was sent, after it was hashed."""
        for segment, piece in zip(segments, pieces, strict=True):
            if isinstance(piece.body, FileRange):
                with suppress(SourceFileError), self._explained(segment.entry_number):
                    self._check_unchanged(
                        segment.entry_number, segment.entry, piece.body.descriptor
                    )

    def _read(self, number: int, entry: Entry, found: Neighbours) -> memoryview:
        """All of a small file, which stayed the same meanwhile."""
        buffer = memoryview(bytearray(entry.size))
        with self._opened(number, entry, found) as descriptor:
            read_exactly(descriptor, buffer, 0)
            self._check_unchanged(number, entry, descriptor)
        return buffer

    def _digests_of(self, number: int) -> FileDigests:
        with self._lock:
            if number not in self._digests:
                size = self.manifest.entry(number).size
                self._digests[number] = FileDigests(self.manifest.header, size)
            return self._digests[number]

    def _digest(self, data: memoryview) -> bytes:
        found = new_hash(self.manifest.header.algorithm)
        found.update(data)
        return found.digest()

    @contextmanager
    def _opened(self, number: int, entry: Entry, found: Neighbours) -> Iterator[int]:
        """Open a file of the source, if it is still the one that was found."""
        descriptor = found.open(self._source.location(number))
        try:
            self._check_unchanged(number, entry, descriptor)
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _explained(self, number: int) -> Iterator[None]:
        """Turn what goes wrong with a file into what everybody is told about it from now on."""
        if number in self._failed:
            raise self._failed[number]
        try:
            yield
        except UnsafePathError as error:
            raise self._fail(number, f"changed while it was cast: it {error.problem}") from error
        except FileNotFoundError as error:
            raise self._fail(number, "vanished while it was cast") from error
        except EOFError as error:
            raise self._fail(number, "shrank while it was cast") from error
        except OSError as error:
            raise self._fail(number, f"cannot be read: {error.strerror}") from error

    def _check_unchanged(self, number: int, entry: Entry, descriptor: int) -> None:
        now = os.fstat(descriptor)
        if now.st_size != entry.size:
            verb = "grew" if now.st_size > entry.size else "shrank"
            problem = f"{verb} while it was cast, from {entry.size} to {now.st_size} bytes"
        elif now.st_ino != self._source.inodes[number]:
            problem = "was replaced by another file while it was cast"
        elif now.st_mtime_ns != entry.mtime_ns:
            problem = "was written to while it was cast"
        else:
            return
        raise self._fail(number, f"{problem}; cast it again when it is at rest")

    def _fail(self, number: int, problem: str) -> SourceFileError:
        self._failed[number] = SourceFileError(self.manifest.entry(number).path, problem)
        return self._failed[number]
