from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castray.cast_models import Cast, CastProblem, CastRequest, CastSource, CastState, CastTarget
from castray.core.cast_state import (
    CancelAsked,
    CastEvent,
    PauseAsked,
    RateMeter,
    ResumeAsked,
    RetryAsked,
    TargetDone,
    TargetFailed,
    TargetLost,
    TargetProgressed,
    TargetStarted,
    TargetWaits,
    apply_cast_event,
    overall_state,
)

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
LATER = NOW + timedelta(seconds=9)
DONE = TargetDone("a", "/data/x", bytes_total=100, bytes_done=100, files=1)
PARTLY = TargetDone(
    "a",
    "/data/x",
    100,
    60,
    files=3,
    problems=(CastProblem(path="y", problem="is there"),),
    problems_total=1,
)


def new_cast(*nodes: str) -> Cast:
    request = CastRequest(
        source=CastSource(node="s", path="x"), destination="x", targets=nodes or ("a",)
    )
    targets = tuple(CastTarget(node=node, path="x") for node in nodes or ("a",))
    return Cast(id="1", request=request, source="s", created=NOW, targets=targets)


def after(*events: CastEvent, cast: Cast | None = None) -> Cast:
    cast = cast or new_cast()
    for event in events:
        cast = apply_cast_event(cast, event, LATER)
    return cast


def test_a_cast_runs_from_its_queue_to_its_end() -> None:
    waiting = after(TargetWaits("a", "a place"))
    running = after(TargetStarted("a"), cast=waiting)
    done = after(DONE, cast=running)

    assert (waiting.state, waiting.targets[0].waits_for) == (CastState.QUEUED, "a place")
    assert (running.state, running.targets[0].waits_for) == (CastState.RUNNING, None)
    assert (done.state, done.ended, done.bytes_done) == (CastState.COMPLETED, LATER, 100)


def test_progress_tells_rate_and_time_left() -> None:
    cast = after(
        TargetProgressed("a", 100, 40, 10.0),
        TargetProgressed("b", 100, 10, 30.0),
        cast=new_cast("a", "b"),
    )

    assert (cast.bytes_total, cast.bytes_done) == (200, 50)
    assert (cast.rate_bytes_per_s, cast.eta_s) == (40.0, 6.0)


def test_no_time_is_promised_while_one_target_does_not_know_its_own() -> None:
    cast = after(
        TargetProgressed("a", 100, 40, 10.0),
        TargetProgressed("b", 100, 0, None),
        cast=new_cast("a", "b"),
    )

    assert cast.eta_s is None


def test_what_does_not_move_has_no_rate() -> None:
    cast = after(TargetProgressed("a", 100, 40, 10.0), PauseAsked())

    assert cast.state is CastState.PAUSED
    assert (cast.rate_bytes_per_s, cast.eta_s) == (None, None)
    assert cast.bytes_done == 40


def test_files_that_failed_make_a_target_partial_with_the_reason() -> None:
    cast = after(TargetStarted("a"), PARTLY)

    assert cast.state is CastState.PARTIAL
    assert cast.targets[0].error == "1 of its files failed; the first: y is there"


def test_a_target_without_any_file_has_failed() -> None:
    nothing = TargetDone("a", "x", 100, 0, 0, PARTLY.problems, 1)

    assert after(nothing).state is CastState.FAILED


def test_one_target_that_failed_makes_the_cast_partial() -> None:
    cast = after(DONE, TargetFailed("b", "the disk is full"), cast=new_cast("a", "b"))

    assert cast.state is CastState.PARTIAL
    assert cast.targets[1].error == "the disk is full"
    assert cast.ended == LATER


def test_a_lost_receiver_is_queued_again() -> None:
    assert after(TargetStarted("a"), TargetLost("a")).state is CastState.QUEUED


def test_paused_targets_hear_nothing_but_resume_and_the_end() -> None:
    paused = after(TargetStarted("a"), PauseAsked())

    assert after(TargetStarted("a"), TargetProgressed("a", 9, 9, 1.0), cast=paused) == paused
    assert after(ResumeAsked(), cast=paused).state is CastState.QUEUED
    assert after(CancelAsked(), cast=paused).state is CastState.CANCELLED


def test_a_cancel_that_comes_too_late_hides_no_file_that_is_there() -> None:
    assert after(CancelAsked(), DONE).state is CastState.COMPLETED


def test_a_retry_takes_up_only_what_did_not_arrive() -> None:
    ended = after(DONE, TargetFailed("b", "gone"), cast=new_cast("a", "b"))

    again = after(RetryAsked(), cast=ended)

    assert [target.state for target in again.targets] == [CastState.COMPLETED, CastState.QUEUED]
    assert (again.state, again.ended, again.targets[1].error) == (CastState.QUEUED, None, None)


@pytest.mark.parametrize("end", [DONE, PARTLY, TargetFailed("a", "gone"), CancelAsked()])
@pytest.mark.parametrize(
    "late",
    [
        TargetStarted("a"),
        TargetProgressed("a", 9, 9, 1.0),
        TargetLost("a"),
        TargetFailed("a", "late"),
        TargetWaits("a", "late"),
        PauseAsked(),
        ResumeAsked(),
        CancelAsked(),
    ],
)
def test_what_has_ended_stays_as_it_ended(end: CastEvent, late: CastEvent) -> None:
    ended = after(end)

    assert after(late, cast=ended) is ended


EVENTS = st.sampled_from(
    [
        TargetStarted("a"), TargetStarted("b"), TargetProgressed("a", 100, 50, 1.0), DONE, PARTLY,
        TargetFailed("b", "gone"), TargetLost("a"), PauseAsked(), ResumeAsked(), CancelAsked(),
        RetryAsked(), TargetWaits("b", "a place"),
    ]
)  # fmt: skip


@given(st.lists(EVENTS, max_size=12))
def test_completed_is_said_only_when_every_receiver_said_so(events: list[CastEvent]) -> None:
    cast = after(*events, cast=new_cast("a", "b"))

    assert (cast.state is CastState.COMPLETED) <= (DONE in events)
    assert cast.state is not CastState.COMPLETED, "nobody ever says that b is done"
    assert cast.state is overall_state(target.state for target in cast.targets)
    assert (cast.ended is not None) == (
        all(
            t.state not in (CastState.QUEUED, CastState.RUNNING, CastState.PAUSED)
            for t in cast.targets
        )
    )


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([CastState.COMPLETED, CastState.RUNNING], CastState.RUNNING),
        ([CastState.COMPLETED, CastState.QUEUED], CastState.QUEUED),
        ([CastState.CANCELLED, CastState.PAUSED], CastState.PAUSED),
        ([CastState.COMPLETED, CastState.COMPLETED], CastState.COMPLETED),
        ([CastState.COMPLETED, CastState.CANCELLED], CastState.PARTIAL),
        ([CastState.FAILED, CastState.CANCELLED], CastState.FAILED),
        ([CastState.CANCELLED], CastState.CANCELLED),
    ],
)
def test_the_cast_is_as_far_as_its_targets(states: list[CastState], expected: CastState) -> None:
    assert overall_state(states) is expected


def test_a_rate_is_that_of_the_last_seconds() -> None:
    meter = RateMeter()

    first = meter.update(0, now=0.0)
    steady = [meter.update(int(100 * second), now=second) for second in (1.0, 2.0, 3.0)]
    stalled = [meter.update(300, now=float(second)) for second in range(4, 20)]

    assert first is None
    assert steady == [100.0, 100.0, 100.0]
    assert stalled[-1] == 0.0


def test_a_file_that_is_thrown_away_makes_no_negative_rate() -> None:
    meter = RateMeter()
    meter.update(500, now=0.0)

    assert meter.update(100, now=1.0) == 0.0
