"""A wake-up call that many tasks wait for together."""

from __future__ import annotations

import asyncio

__all__ = ["Pulse"]


class Pulse:
    """Wakes everybody who waits: at once when asked, but never twice within a gap.

    Everybody wakes in the same turn of the event loop, so that they can share what one of them
    has computed.

    Args:
        gap_s: The least time between two pulses; requests in between become one, at its end.
    """

    def __init__(self, gap_s: float) -> None:
        self._gap_s = gap_s
        self._event = asyncio.Event()
        self._last_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None

    @property
    def next(self) -> asyncio.Event:
        """Set by the next pulse. Take it before looking at the state, and none is missed."""
        return self._event

    def request(self) -> None:
        """Ask for a pulse, as soon as the gap allows."""
        if self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        wait_s = self._last_at + self._gap_s - loop.time()
        if wait_s > 0:
            self._timer = loop.call_later(wait_s, self._fire)
        else:
            self._fire()

    def close(self) -> None:
        """Drop a pulse that is still to come."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        self._timer = None
        self._last_at = asyncio.get_running_loop().time()
        fired, self._event = self._event, asyncio.Event()
        fired.set()
