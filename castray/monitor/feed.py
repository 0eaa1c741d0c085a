"""A monitor's state with those who wait for its changes, in one asyncio program."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from castray.monitor.state import MonitorState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from castray.models import WorkReport
    from castray.monitor.state import StatusUpdate

__all__ = ["StatusFeed"]

STATISTICS_INTERVAL_S = 0.25
"""Changes that leave the status as it is are told at most so often."""

MAX_PENDING_REPORTS = 32
"""A subscriber that is further behind loses the oldest changes, never the newest."""


class StatusFeed:
    """Tells every subscriber what changed: another status at once, anything else a little later.

    Args:
        clock: Tells the time, with an offset.
    """

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc)) -> None:
        self._clock = clock
        self.state: Final = MonitorState(clock())
        self._subscribers: set[asyncio.Queue[WorkReport | None]] = set()
        self._untold = False
        self._told = self.report()

    def apply(self, update: StatusUpdate) -> None:
        """Take in what the script reports."""
        if self.state.apply(update, self._clock()):
            self._tell()
        else:
            self._untold = True

    def report(self) -> WorkReport:
        """The status now."""
        return self.state.report(self._clock())

    @property
    def subscriber_count(self) -> int:
        """How many subscriptions are open."""
        return len(self._subscribers)

    @contextmanager
    def subscribe(self) -> Iterator[asyncio.Queue[WorkReport | None]]:
        """A queue of the status now and each change from now on; None ends it."""
        queue: asyncio.Queue[WorkReport | None] = asyncio.Queue(MAX_PENDING_REPORTS)
        queue.put_nowait(self.report())
        self._subscribers.add(queue)
        try:
            yield queue
        finally:
            self._subscribers.remove(queue)

    async def run(self) -> None:
        """Tell what was held back, and what changes by the passing of time."""
        while True:
            await asyncio.sleep(STATISTICS_INTERVAL_S)
            now = self._clock()
            expired, forgot = self.state.expire(now), self.state.forget(now)
            if expired or forgot or self._untold:
                self._tell()

    def close(self) -> None:
        """End every subscription."""
        for queue in self._subscribers:
            _put(queue, None)

    def _tell(self) -> None:
        self._untold = False
        report = self.report()
        if report == self._told:
            return
        self._told = report
        for queue in self._subscribers:
            _put(queue, report)


def _put(queue: asyncio.Queue[WorkReport | None], report: WorkReport | None) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(report)
