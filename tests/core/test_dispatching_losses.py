"""Agents, nodes and sources that are lost, refuse or fall silent, and what comes of it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from castray.cast_models import CastAction, CastState
from castray.core.cast_planning import GIVE_UP_S
from castray.core.cast_steps import End, Offer, Probe, Receive, Release, UseAgent
from castray.models import NodeState
from tests.core.dispatch_desk import BOTH, DONE, SILENT, Desk, Said, of
from tests.core.given import NOON, cast_to, key_of

if TYPE_CHECKING:
    from datetime import datetime


def test_a_lost_agent_gets_its_orders_again(desk: Desk) -> None:
    desk.add(cast_to("m1"))
    desk.work()

    desk.state.went_down(key_of("m1"), "the agent is gone", desk.now)
    waiting = desk.plan()
    lost = desk.target("m1")
    desk.wait(1)
    steps = desk.work()

    assert waiting == []
    assert (lost.state, lost.waits_for) == (CastState.QUEUED, "the agent is gone")
    assert [type(step) for step in steps] == [UseAgent, Probe, Receive]
    assert desk.target("m1").state is CastState.RUNNING


def test_a_lost_source_offers_again_and_its_receivers_learn_where(desk: Desk) -> None:
    desk.add(cast_to("m1"))
    desk.work()

    desk.state.went_down(key_of("s"), "the agent is gone", desk.now)
    desk.wait(1)
    (use,) = desk.plan()
    desk.state.came_up(use.node, "second", 28901, BOTH)
    steps = desk.work()

    assert [type(step) for step in steps] == [Offer, Receive]
    assert isinstance(steps[1], Receive)
    assert not steps[1].is_first
    assert steps[1].peers[0].port == 28901
    assert desk.target("m1").state is CastState.RUNNING


def test_an_agent_that_does_not_answer_is_asked_ever_less_often(desk: Desk) -> None:
    desk.add(cast_to("m1"))
    asked: list[datetime] = []

    while (desk.now - NOON).total_seconds() < 60:
        for step in of(UseAgent, desk.plan()):
            asked.append(desk.now)
            desk.state.went_down(step.node, "is gone", desk.now)
        desk.wait(0.25)

    at_target = [(when - NOON).total_seconds() for when in asked[1::2]]
    gaps = [b - a for a, b in pairwise(at_target)]
    assert gaps == sorted(gaps)
    assert gaps[-1] == 15


def test_a_node_where_there_can_be_no_agent_fails_at_once(desk: Desk) -> None:
    desk.add(cast_to("m1", "m2"))

    for step in of(UseAgent, desk.plan()):
        if step.node == key_of("m1"):
            desk.state.refused(step, "There is no outpost.", desk.now)
        else:
            desk.take(step)
    desk.work()

    assert (desk.target("m1").state, desk.target("m1").error) == (
        CastState.FAILED,
        "There is no outpost.",
    )
    assert desk.target("m2").state is CastState.RUNNING


def test_a_dead_node_is_waited_for_and_then_no_more(desk: Desk) -> None:
    desk.add(cast_to("m1", "m2"))
    desk.work()

    desk.nodes["m1"] = NodeState.DEAD
    steps = desk.work()
    waiting = desk.target("m1")
    desk.wait(GIVE_UP_S + 1)
    desk.work()

    assert Release(key_of("m1"), is_gone=True) in steps
    assert (waiting.state, waiting.waits_for) == (CastState.QUEUED, "M1 is dead")
    assert desk.target("m1").state is CastState.FAILED
    assert "M1 is dead, for 10 minutes" in str(desk.target("m1").error)
    assert desk.target("m2").state is CastState.RUNNING


def test_a_stale_node_may_have_a_living_agent(desk: Desk) -> None:
    desk.add(cast_to("m1"))
    desk.work()

    desk.nodes["m1"] = NodeState.STALE

    assert desk.work() == []
    assert desk.target("m1").state is CastState.RUNNING


def test_a_dead_node_keeps_no_place_from_others() -> None:
    desk = Desk(places=1)
    desk.nodes["m1"] = NodeState.DEAD
    desk.add(cast_to("m1", id_="first"))
    desk.add(cast_to("m2", id_="second"))

    desk.work()

    assert desk.cast("first").state is CastState.QUEUED
    assert desk.cast("second").state is CastState.RUNNING


def test_a_source_that_cannot_be_read_fails_every_target(desk: Desk) -> None:
    desk.add(cast_to("m1", "m2"))
    while not of(Offer, steps := desk.plan()):
        for step in steps:
            desk.take(step)

    desk.state.refused(of(Offer, steps)[0], "x: is gone", desk.now)

    assert [target.error for target in desk.cast().targets] == ["x: is gone", "x: is gone"]


def test_a_receiver_that_heard_nothing_tries_again_for_a_while(desk: Desk) -> None:
    desk.add(cast_to("m1"))
    desk.work()

    desk.report("m1", SILENT)
    at_once = of(Receive, desk.work())
    waiting = desk.target("m1")
    desk.wait(3)
    (again,) = of(Receive, desk.work())
    desk.wait(GIVE_UP_S + 1)
    desk.report("m1", SILENT)

    assert at_once == []
    assert (waiting.state, waiting.waits_for) == (
        CastState.QUEUED,
        "it is tried again: heard nothing",
    )
    assert isinstance(again, Receive)
    assert again.is_afresh
    assert (desk.target("m1").state, desk.target("m1").error) == (
        CastState.FAILED,
        "heard nothing",
    )


def test_a_way_that_was_there_is_waited_for_until_it_comes_back(desk: Desk) -> None:
    desk.add(cast_to("m1"))
    desk.work()

    desk.report("m1", SILENT)
    desk.unreachable = {key_of("m1")}
    desk.wait(3)
    desk.work()
    waiting = desk.target("m1")
    desk.unreachable = set()
    at_once = of(Receive, desk.work())
    desk.wait(3)

    assert (waiting.state, waiting.waits_for) == (
        CastState.QUEUED,
        "it is tried again: M1 cannot connect to S: no route",
    )
    assert at_once == []
    assert of(Receive, desk.work())
    assert desk.target("m1").state is CastState.RUNNING


def test_a_way_that_stays_away_is_given_up(desk: Desk) -> None:
    desk.add(cast_to("m1"))
    desk.work()

    desk.report("m1", SILENT)
    desk.unreachable = {key_of("m1")}
    desk.wait(GIVE_UP_S + 1)
    desk.work()

    assert (desk.target("m1").state, desk.target("m1").error) == (
        CastState.FAILED,
        "M1 cannot connect to S: no route",
    )


def test_what_was_said_before_a_new_try_does_not_count_for_it(desk: Desk) -> None:
    desk.add(cast_to("m1"))
    desk.work()
    old_poll = desk.state.start_poll(key_of("m1"))
    failed = Said(CastState.FAILED, error="the disk is full")
    desk.state.take_reports(key_of("m1"), old_poll, [failed], (), desk.now)
    desk.state.steer("cast-1", CastAction.RETRY, desk.now)
    old_poll = desk.state.start_poll(key_of("m1"))
    desk.work()

    believed = desk.state.take_reports(key_of("m1"), old_poll, [failed], (), desk.now)
    state_then = desk.target("m1").state
    believed_later = desk.report("m1", DONE)

    assert (believed, state_then) == (False, CastState.RUNNING)
    assert believed_later
    assert desk.cast().state is CastState.COMPLETED


def test_what_failed_keeps_what_has_arrived(desk: Desk) -> None:
    desk.add(cast_to("m1"))
    desk.work()

    desk.report("m1", Said(CastState.FAILED, error="the disk is full"))

    assert End(key_of("m1"), "cast-1", keep_partial=True, destination="x") in desk.work()


def test_an_agent_begun_anew_removes_what_the_one_before_it_left_of_a_cast(desk: Desk) -> None:
    desk.add(cast_to("m1"))
    desk.work()

    desk.report("m1", DONE)
    desk.state.went_down(key_of("m1"), "the agent is gone", desk.now)
    at_once = desk.work()
    desk.state.forget_ended()
    desk.wait(1)
    later = desk.work()

    assert of(UseAgent, at_once) == []
    assert desk.cast().state is CastState.COMPLETED
    assert [step for step in later if step.node == key_of("m1")] == [
        UseAgent(key_of("m1")),
        End(key_of("m1"), "cast-1", keep_partial=False, destination="x"),
    ]
    desk.state.forget_ended()
    assert desk.state.casts == []


def test_a_cast_that_is_cancelled_while_its_agent_is_away_leaves_nothing(desk: Desk) -> None:
    desk.add(cast_to("m1"))
    desk.work()

    desk.state.went_down(key_of("m1"), "the agent is gone", desk.now)
    desk.state.steer("cast-1", CastAction.CANCEL, desk.now)
    desk.wait(1)

    assert End(key_of("m1"), "cast-1", keep_partial=False, destination="x") in desk.work()


def test_after_a_restart_a_cast_that_is_cancelled_leaves_nothing(desk: Desk) -> None:
    desk.add(cast_to("m1"), is_restored=True)

    desk.state.steer("cast-1", CastAction.CANCEL, desk.now)

    assert End(key_of("m1"), "cast-1", keep_partial=False, destination="x") in desk.work()


@pytest.mark.parametrize(
    ("state", "is_hopeless", "is_waited_for"),
    [
        (NodeState.DEAD, False, False),
        (NodeState.ALIVE, True, False),
        (NodeState.ALIVE, False, True),
    ],
)
def test_an_agent_that_does_not_come_back_is_waited_for_only_as_long_as_it_may(
    desk: Desk, state: NodeState, is_hopeless: bool, is_waited_for: bool
) -> None:
    def let_others_work() -> None:
        while steps := [step for step in desk.plan() if step.node != key_of("m1")]:
            for step in steps:
                desk.take(step)
        desk.state.forget_ended()

    desk.add(cast_to("m1"))
    desk.work()
    desk.report("m1", DONE)

    desk.state.went_down(key_of("m1"), "is gone", desk.now, is_hopeless=is_hopeless)
    desk.nodes["m1"] = state
    let_others_work()
    waiting = desk.state.casts
    desk.wait(GIVE_UP_S + 1)
    let_others_work()

    assert (waiting != []) == is_waited_for
    assert desk.state.casts == []


def test_what_failed_waits_for_no_agent_as_it_is_kept(desk: Desk) -> None:
    desk.add(cast_to("m1"))
    desk.work()

    desk.report("m1", Said(CastState.FAILED, error="the disk is full"))
    desk.state.went_down(key_of("m1"), "the agent is gone", desk.now)
    desk.work()
    desk.state.forget_ended()

    assert desk.state.casts == []
