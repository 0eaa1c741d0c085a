"""Does something at once when asked, but never twice within a gap."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Pulse"]


class Pulse:
    """Calls back at once; requests that come within the gap after that become one, at its end.

    Args:
        gap_s: The least time between two calls.
        fire: What is called, on the event loop.
    """

    def __init__(self, gap_s: float, fire: Callable[[], None]) -> None:
        self._gap_s = gap_s
        self._call_back = fire
        self._fired_at_s = float("-inf")
        self._timer: asyncio.TimerHandle | None = None

    def request(self) -> None:
        """Ask for a call, as soon as the gap allows."""
        if self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        wait_s = self._fired_at_s + self._gap_s - loop.time()
        if wait_s > 0:
            self._timer = loop.call_later(wait_s, self._fire)
        else:
            self._fire()

    def close(self) -> None:
        """Drop a call that is still to come."""
        if self._timer is not None:
            self._timer.cancel()

    def _fire(self) -> None:
        self._timer = None
        self._fired_at_s = asyncio.get_running_loop().time()
        self._call_back()
