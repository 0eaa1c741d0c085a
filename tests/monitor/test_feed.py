from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from castray.models import WorkStatus
from castray.monitor.feed import MAX_PENDING_REPORTS, StatusFeed
from castray.monitor.state import InferenceResults, StatusUpdate
from castray.monitor.window import WINDOW_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from castray.models import WorkReport

IDLE = StatusUpdate(status="idle")
DETECTING = StatusUpdate(status="detecting")
ONE_RESULT = StatusUpdate(status="idle", results=InferenceResults(processed=1))


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2025, 11, 20, 10, 30, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def feed(clock: Clock) -> AsyncIterator[StatusFeed]:
    feed = StatusFeed(clock)
    task = asyncio.create_task(feed.run())
    yield feed
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def next_report(reports: asyncio.Queue[WorkReport | None]) -> WorkReport:
    report = await asyncio.wait_for(reports.get(), 20)
    assert report is not None
    return report


def processed(report: WorkReport) -> int | None:
    assert report.stats is not None
    return report.stats.total_processed


async def test_a_subscriber_gets_the_status_now_and_each_change_at_once(feed: StatusFeed) -> None:
    with feed.subscribe() as reports:
        feed.apply(DETECTING)
        feed.apply(IDLE)

        told = [reports.get_nowait() for _ in range(3)]

    assert [report.status.value for report in told if report] == ["idle", "detecting", "idle"]
    assert feed.subscriber_count == 0


async def test_changes_of_the_statistics_alone_are_told_as_one(feed: StatusFeed) -> None:
    with feed.subscribe() as reports:
        reports.get_nowait()
        for _ in range(100):
            feed.apply(ONE_RESULT)

        assert reports.empty()
        assert processed(await next_report(reports)) == 100


async def test_a_report_that_changes_nothing_is_not_told(feed: StatusFeed) -> None:
    with feed.subscribe() as reports:
        reports.get_nowait()
        feed.apply(IDLE)
        feed.apply(ONE_RESULT)

        assert processed(await next_report(reports)) == 1
        assert reports.empty()


async def test_time_alone_is_told_where_it_changes_something(
    feed: StatusFeed, clock: Clock
) -> None:
    feed.apply(StatusUpdate(status="detecting", valid_s=5, results=InferenceResults(processed=1)))
    with feed.subscribe() as reports:
        reports.get_nowait()

        clock.now += timedelta(seconds=5)
        expired = await next_report(reports)
        clock.now += timedelta(seconds=WINDOW_S)
        forgotten = await next_report(reports)

    assert expired.status is WorkStatus.IDLE
    assert expired.stats is not None
    assert expired.stats.low_confidence_ratio == 0
    assert forgotten.stats is not None
    assert forgotten.stats.low_confidence_ratio is None


async def test_a_subscriber_far_behind_loses_the_oldest_changes_only(feed: StatusFeed) -> None:
    with feed.subscribe() as slow:
        for _ in range(10 * MAX_PENDING_REPORTS):
            feed.apply(DETECTING)
            feed.apply(IDLE)
        feed.apply(DETECTING)

        kept = [slow.get_nowait() for _ in range(slow.qsize())]

    assert len(kept) == MAX_PENDING_REPORTS
    assert kept[-1] == feed.report()


async def test_closing_ends_every_subscription(feed: StatusFeed) -> None:
    with feed.subscribe() as one, feed.subscribe() as other:
        feed.close()

        assert [one.get_nowait(), one.get_nowait()][1] is None
        assert [other.get_nowait(), other.get_nowait()][1] is None
