"""Pausing, resuming, cancelling and retrying a cast."""

from __future__ import annotations

import pytest

from castray.cast_models import CastAction, CastState
from castray.core.cast_steps import End, Pause, Receive
from castray.errors import InvalidRequestError, NotFoundError
from tests.core.dispatch_desk import DONE, Desk, Said, of
from tests.core.given import cast_to, key_of


def test_a_paused_target_is_told_once_and_keeps_no_place() -> None:
    desk = Desk(places=1)
    desk.add(cast_to("m1", id_="first"))
    desk.work()

    desk.state.steer("first", CastAction.PAUSE, desk.now)
    desk.add(cast_to("m2", id_="second"))
    steps = desk.work()

    assert of(Pause, steps) == [Pause(key_of("m1"), "first")]
    assert of(End, steps) == []
    assert desk.cast("second").state is CastState.RUNNING


def test_a_resumed_target_waits_for_its_turn_and_goes_on(desk: Desk) -> None:
    desk.add(cast_to("m1"))
    desk.work()
    desk.state.steer("cast-1", CastAction.PAUSE, desk.now)
    desk.work()

    desk.state.steer("cast-1", CastAction.RESUME, desk.now)
    (again,) = desk.work()

    assert isinstance(again, Receive)
    assert (again.is_first, again.is_afresh) == (True, False)
    assert desk.target("m1").state is CastState.RUNNING


def test_a_cancelled_cast_is_ended_everywhere_with_nothing_kept(desk: Desk) -> None:
    desk.add(cast_to("m1"))
    desk.work()

    desk.state.steer("cast-1", CastAction.CANCEL, desk.now)
    steps = desk.work()

    assert steps == [
        End(key_of("m1"), "cast-1", keep_partial=False, destination="x"),
        End(key_of("s"), "cast-1", keep_partial=True),
    ]


def test_a_target_that_completed_before_it_heard_of_the_cancelling_has_completed(
    desk: Desk,
) -> None:
    desk.add(cast_to("m1"))
    desk.work()

    desk.state.steer("cast-1", CastAction.CANCEL, desk.now)
    desk.report("m1", DONE)

    assert desk.cast().state is CastState.COMPLETED


def test_a_retry_is_only_for_those_that_do_not_have_it(desk: Desk) -> None:
    desk.add(cast_to("m1", "m2"))
    desk.work()
    desk.report("m1", DONE)
    desk.report("m2", Said(CastState.FAILED, error="the disk is full"))
    desk.work()

    desk.state.steer("cast-1", CastAction.RETRY, desk.now)
    steps = desk.work()

    (again,) = of(Receive, steps)
    assert isinstance(again, Receive)
    assert (again.node, again.is_afresh) == (key_of("m2"), True)
    assert desk.target("m1").state is CastState.COMPLETED


@pytest.mark.parametrize("action", list(CastAction))
def test_what_a_state_does_not_allow_is_refused(desk: Desk, action: CastAction) -> None:
    state = CastState.QUEUED if action in (CastAction.RESUME, CastAction.RETRY) else None
    desk.add(cast_to("m1"))
    if state is None:
        desk.work()
        desk.report("m1", DONE)

    with pytest.raises(InvalidRequestError, match=f"nothing to {action.value}"):
        desk.state.steer("cast-1", action, desk.now)


def test_what_is_not_known_cannot_be_steered(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        desk.state.steer("cast-9", CastAction.CANCEL, desk.now)
