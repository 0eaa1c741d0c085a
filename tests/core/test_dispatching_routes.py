"""Straight from host to host, or through the head."""

from __future__ import annotations

import pytest

from castray.cast_models import CastMode, CastRoute, CastState
from castray.core.cast_steps import Peer, Receive, Relay
from castray.core.dispatching import FIRST_WAY_S
from tests.core.dispatch_desk import SILENT, Desk, of
from tests.core.given import cast_to, key_of


@pytest.mark.parametrize(
    ("mode", "is_reachable", "route"),
    [
        (CastMode.AUTO, True, CastRoute.DIRECT),
        (CastMode.AUTO, False, CastRoute.RELAY),
        (CastMode.DIRECT, True, CastRoute.DIRECT),
        (CastMode.DIRECT, False, None),
        (CastMode.RELAY, True, CastRoute.RELAY),
    ],
)
def test_the_mode_and_what_was_seen_decide_the_route(
    desk: Desk, mode: CastMode, is_reachable: bool, route: CastRoute | None
) -> None:
    cast = cast_to("m2", source="m1")
    request = cast.request.model_copy(update={"mode": mode})
    desk.unreachable = set() if is_reachable else {key_of("m2")}
    desk.add(cast.model_copy(update={"request": request}))

    steps = desk.work()

    assert desk.target("m2").route is route
    if route is CastRoute.RELAY:
        head = Peer("M1", "10.0.0.s", 29000, is_source=True)
        assert [step.peers for step in of(Receive, steps)] == [(head,)]
    if route is None:
        text = (
            "it is tried again: M2 cannot connect to M1: no route; mode auto goes through the head"
        )
        assert text in str(desk.target("m2").waits_for)


def test_what_the_head_itself_casts_it_need_not_relay(desk: Desk) -> None:
    desk.unreachable = {key_of("m1")}
    desk.add(cast_to("m1"))

    desk.work()
    desk.wait(FIRST_WAY_S + 1)
    desk.work()

    assert desk.target("m1").error == "M1 cannot connect to S: no route"


def test_a_link_that_is_back_a_moment_later_is_soon_enough(desk: Desk) -> None:
    desk.unreachable = {key_of("m1")}
    desk.add(cast_to("m1"))
    desk.work()

    desk.unreachable = set()
    desk.wait(3)
    desk.work()

    assert desk.target("m1").route is CastRoute.DIRECT


def test_a_relay_that_does_not_reach_the_source_fails_those_who_need_it(desk: Desk) -> None:
    desk.unreachable = {key_of("m2")}
    desk.add(cast_to("m2", "m3", source="m1"))

    desk.state.refused(next_relay(desk), "The head cannot either.", desk.now)
    desk.wait(FIRST_WAY_S + 1)
    desk.state.refused(next_relay(desk), "The head cannot either.", desk.now)
    desk.work()

    assert desk.target("m2").error == "The head cannot either."
    assert desk.target("m3").state is CastState.RUNNING


def test_a_relay_that_reached_the_source_before_is_tried_again(desk: Desk) -> None:
    desk.unreachable = {key_of("m2")}
    desk.add(cast_to("m2", source="m1"))
    desk.work()
    desk.state.went_down(key_of("s"), "is away", desk.now)
    desk.report("m2", SILENT)
    desk.wait(3)

    desk.state.refused(next_relay(desk), "The head cannot either.", desk.now)
    desk.work()
    waiting = desk.target("m2")
    desk.wait(3)
    desk.work()

    assert (waiting.state, waiting.waits_for) == (
        CastState.QUEUED,
        "it is tried again: The head cannot either.",
    )
    assert desk.target("m2").state is CastState.RUNNING


def next_relay(desk: Desk) -> Relay:
    """Work until somebody is to relay."""
    steps = desk.plan()
    while not of(Relay, steps):
        for step in steps:
            desk.take(step)
        steps = desk.plan()
    return of(Relay, steps)[0]
