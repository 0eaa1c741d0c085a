"""Does something at once when it is urgent, all else in its time, and neither too often."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Pulse"]


class Pulse:
    """Calls back when asked; requests that come while one is to be met become one with it.

    Args:
        urgent_gap_s: The least time between two calls that were urgent.
        calm_gap_s: The least time from any call to one that is not urgent.
        fire: What is called, on the event loop.
    """

    def __init__(self, urgent_gap_s: float, calm_gap_s: float, fire: Callable[[], None]) -> None:
        self._urgent_gap_s = urgent_gap_s
        self._calm_gap_s = calm_gap_s
        self._call_back = fire
        self._urgent_at_s = self._fired_at_s = float("-inf")
        self._timer: asyncio.TimerHandle | None = None

    def request(self, *, urgent: bool) -> None:
        """Ask for a call, as soon as the gaps allow."""
        loop = asyncio.get_running_loop()
        due_s = (
            self._urgent_at_s + self._urgent_gap_s
            if urgent
            else self._fired_at_s + self._calm_gap_s
        )
        if self._timer is not None:
            if self._timer.when() <= due_s:
                return
            self._timer.cancel()
        if due_s <= loop.time():
            self._fire(urgent=urgent)
        else:
            self._timer = loop.call_at(due_s, functools.partial(self._fire, urgent=urgent))

    def close(self) -> None:
        """Drop a call that is still to come."""
        if self._timer is not None:
            self._timer.cancel()

    def _fire(self, *, urgent: bool) -> None:
        self._timer = None
        self._fired_at_s = asyncio.get_running_loop().time()
        if urgent:
            self._urgent_at_s = self._fired_at_s
        self._call_back()
