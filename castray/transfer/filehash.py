"""The digests of a large file and of its pieces, made in one pass and only as far as needed."""

from __future__ import annotations

import os
import time
from threading import Lock
from typing import TYPE_CHECKING

from castray.transfer.buffers import READ_BYTES, read_buffer
from castray.transfer.hashing import DIGEST_BYTES, new_hash
from castray.transfer.share import LaterError

if TYPE_CHECKING:
    from castray.transfer.hashing import Hash
    from castray.transfer.manifest import ManifestHeader

__all__ = ["FileDigests", "read_exactly"]

SLICE_S = 2.0
"""Whoever asks for a digest far ahead hears "later" after so long, and asks again."""


class FileDigests:
    """Digests of one file's pieces; from several threads.

    Args:
        header: Says the algorithm, the length of a piece and whether digests are chained.
        size: The file's length in bytes.
    """

    def __init__(self, header: ManifestHeader, size: int) -> None:
        self._header = header
        self._size = size
        self._running: Hash = new_hash(header.algorithm)
        self._found = bytearray()
        self._lock = Lock()

    def get(self, index: int, descriptor: int) -> bytes:
        """The digest of a piece.

        Args:
            index: The number of the piece.
            descriptor: The file, open for reading.

        Raises:
            LaterError: It takes longer than one should wait.
            EOFError: The file is shorter than it was.
            OSError: It cannot be read.
        """
        give_up_at = time.monotonic() + SLICE_S
        while self.hashed <= index:
            if time.monotonic() > give_up_at:
                raise LaterError("source", "is still hashing what comes before that block")
            with self._lock:
                if self.hashed <= index:
                    self._found += self._next_digest(descriptor)
        start = index * DIGEST_BYTES
        return bytes(self._found[start : start + DIGEST_BYTES])

    def digest(self) -> bytes:
        """The digest of the file from its start to what was hashed so far."""
        with self._lock:
            return self._running.digest()

    def extend(self, data: memoryview, digest: bytes) -> bool:
        """Take in the next piece of a chained file, if that makes the digest that it should.

        Returns:
            Whether it does; if not, nothing is changed.
        """
        with self._lock:
            running = self._running.copy()
            running.update(data)
            if running.digest() != digest:
                return False
            self._running = running
            self._found += digest
        return True

    @property
    def hashed(self) -> int:
        """How many pieces were hashed so far."""
        return len(self._found) // DIGEST_BYTES

    def _next_digest(self, descriptor: int) -> bytes:
        start = self.hashed * self._header.block_bytes
        end = min(start + self._header.block_bytes, self._size)
        piece = None if self._header.is_chained else new_hash(self._header.algorithm)
        with read_buffer() as buffer:
            for offset in range(start, end, READ_BYTES):
                part = buffer[: min(READ_BYTES, end - offset)]
                read_exactly(descriptor, part, offset)
                self._running.update(part)
                if piece is not None:
                    piece.update(part)
        return (piece or self._running).digest()


def read_exactly(descriptor: int, buffer: memoryview, offset: int) -> None:
    """Fill a buffer from a file.

    Raises:
        EOFError: The file ends before that.
    """
    filled = 0
    while filled < len(buffer):
        count = os.preadv(descriptor, [buffer[filled:]], offset + filled)
        if not count:
            raise EOFError("the file is shorter than it was")
        filled += count
