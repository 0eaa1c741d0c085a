"""Statistics of a script's inferences over the last minutes."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

__all__ = ["WINDOW_S", "InferenceWindow"]

WINDOW_S = 300
"""The figures are over this long, and no longer than since the monitor started."""

# What leaves the window leaves it in slots of this length, so memory does not grow with the rate.
SLOT_S = 5

# The percentile is over at most so many times a slot, the newest; every other figure is exact.
MAX_TIMES_PER_SLOT = 200


@dataclass
class _Slot:
    begin_s: float
    processed: int = 0
    low_confidence: int = 0
    requests: int = 0
    timed: int = 0
    total_ms: float = 0.0
    times_ms: deque[float] = field(default_factory=deque)


class InferenceWindow:
    """Counts and times of the last `WINDOW_S` seconds.

    Args:
        now: When counting begins.
    """

    def __init__(self, now: datetime) -> None:
        self._begin_s = now.timestamp()
        self._slots: deque[_Slot] = deque()
        self._sorted_ms: list[float] = []

    def add(
        self,
        now: datetime,
        *,
        processed: int = 0,
        low_confidence: int = 0,
        requests: int = 0,
        times_ms: Sequence[float] = (),
    ) -> None:
        """Count inferences, those of low confidence, requests to the server, and their times."""
        slot = self._slot(now.timestamp())
        slot.processed += processed
        slot.low_confidence += low_confidence
        slot.requests += requests
        slot.timed += len(times_ms)
        slot.total_ms += sum(times_ms)
        for time_ms in times_ms[-MAX_TIMES_PER_SLOT:]:
            if len(slot.times_ms) == MAX_TIMES_PER_SLOT:
                self._drop(slot.times_ms.popleft())
            slot.times_ms.append(time_ms)
            insort(self._sorted_ms, time_ms)

    def forget(self, now: datetime) -> bool:
        """Drop what has left the window; returns whether anything had."""
        before = len(self._slots)
        while self._slots and self._slots[0].begin_s + WINDOW_S <= now.timestamp():
            for time_ms in self._slots.popleft().times_ms:
                self._drop(time_ms)
        return len(self._slots) != before

    def figures(self, now: datetime) -> dict[str, float | None]:
        """The figures by the name that they have in `stats`; None is what nothing measured.

        They are of what was not forgotten, so call `forget` as time passes.
        """
        processed = sum(slot.processed for slot in self._slots)
        low_confidence = sum(slot.low_confidence for slot in self._slots)
        requests = sum(slot.requests for slot in self._slots)
        timed = sum(slot.timed for slot in self._slots)
        # In its first minute a monitor has seen all requests of that minute that there were.
        minutes = min(max(now.timestamp() - self._begin_s, 60), WINDOW_S) / 60
        return {
            "inference_ms_avg": _ratio(sum(slot.total_ms for slot in self._slots), timed),
            "inference_ms_p95": _percentile_95(self._sorted_ms),
            "low_confidence_ratio": _ratio(low_confidence, processed),
            "server_requests_per_min": _ratio(requests, minutes) if self._slots else None,
            "window_s": WINDOW_S,
        }

    def _slot(self, now_s: float) -> _Slot:
        begin_s = now_s - now_s % SLOT_S
        newest = self._slots[-1] if self._slots else None
        if newest is not None and begin_s < newest.begin_s:
            # The clock was set back: how old the slots are is no longer known.
            self._slots.clear()
            self._sorted_ms.clear()
            self._begin_s = now_s
            newest = None
        if newest is None or begin_s > newest.begin_s:
            newest = _Slot(begin_s)
            self._slots.append(newest)
        return newest

    def _drop(self, time_ms: float) -> None:
        del self._sorted_ms[bisect_left(self._sorted_ms, time_ms)]


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, 3) if whole else None


def _percentile_95(ordered: list[float]) -> float | None:
    """The smallest value that at least 95 % of all do not exceed."""
    return round(ordered[math.ceil(len(ordered) * 0.95) - 1], 3) if ordered else None
