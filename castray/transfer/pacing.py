"""Keeping a cast below a number of bytes per second."""

from __future__ import annotations

import time
from threading import Event, Lock

__all__ = ["Pace", "TokenBucket"]

BURST_S = 0.1
"""How much may be sent at once after a pause: short, so that others on the link notice little."""


class TokenBucket:
    """Says how long to wait before so many more bytes; the clock is the caller's.

    Bytes may be taken before they are there: who takes them waits, and whoever comes next waits
    for them too, so that several streams share one limit fairly.

    Args:
        bytes_per_s: The limit, above zero.
        now: The clock's time, in seconds.
    """

    def __init__(self, bytes_per_s: float, now: float) -> None:
        self.bytes_per_s = bytes_per_s
        self._free_at = now - BURST_S

    @property
    def chunk_bytes(self) -> int:
        """The most to take at once, so that the flow stays even."""
        return max(1, int(self.bytes_per_s * BURST_S))

    def take(self, count: int, now: float) -> float:
        """Take so many bytes.

        Returns:
            The seconds to wait before they are sent.
        """
        self._free_at = max(self._free_at, now - BURST_S) + count / self.bytes_per_s
        return max(0.0, self._free_at - now)


class Pace:
    """A token bucket for the threads of one cast; without a limit it holds nobody up."""

    def __init__(self, bytes_per_s: float | None) -> None:
        self._bucket = TokenBucket(bytes_per_s, time.monotonic()) if bytes_per_s else None
        self._lock = Lock()
        self._released = Event()

    @property
    def chunk_bytes(self) -> int | None:
        """The most to take at once, or None for as much as there is."""
        return self._bucket.chunk_bytes if self._bucket else None

    def wait(self, count: int) -> None:
        """Return when so many more bytes may go."""
        if self._bucket is None:
            return
        with self._lock:
            delay_s = self._bucket.take(count, time.monotonic())
        self._released.wait(delay_s)

    def release(self) -> None:
        """Hold nobody up any more: the cast ends."""
        self._released.set()
