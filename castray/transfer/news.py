"""Tells whoever waits that something changed: of small steps only a few times a second."""

from __future__ import annotations

import asyncio
import time

__all__ = ["News"]

STEP_S = 0.25
"""Small steps are told together, at most once in so long."""


class News:
    """A number that grows with every change. Belongs to the loop that it was made in.

    It does not begin at zero, so that whoever knew an earlier process is told at once.
    """

    def __init__(self) -> None:
        self.sequence = time.time_ns() // 1_000_000
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._due: asyncio.TimerHandle | None = None
        self._told_at = float("-inf")

    def tell(self, *, at_once: bool) -> None:
        """Something changed; from any thread."""
        self._loop.call_soon_threadsafe(self._note, at_once)

    async def wait(self, since: int, wait_s: float) -> None:
        """Return once the number is not `since` any more, or after `wait_s`."""
        if self.sequence != since:
            return
        waiting = self._changed.wait()
        try:
            await asyncio.wait_for(waiting, wait_s)
        except asyncio.TimeoutError:
            return

    def _note(self, at_once: bool) -> None:
        if at_once:
            self._grow()
        elif self._due is None:
            self._due = self._loop.call_at(
                max(self._loop.time(), self._told_at + STEP_S), self._grow
            )

    def _grow(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        self._told_at = self._loop.time()
        self.sequence += 1
        self._changed.set()
        self._changed = asyncio.Event()
