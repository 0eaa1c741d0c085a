"""Who is told what and when, and what the answers mean."""

from __future__ import annotations

import pytest

from castray.cast_models import CastProblem, CastRoute, CastState
from castray.core.cast_steps import End, Offer, Peer, Probe, Receive, Release, UseAgent
from castray.models import NodeState
from tests.core.dispatch_desk import BOTH, DONE, IDLE_S, Desk, Said, of, peers_of
from tests.core.given import NOON, cast_to, key_of


def test_agents_come_first_then_the_offer_then_the_order(desk: Desk) -> None:
    desk.add(cast_to("m1"))

    steps = desk.work()

    source, target = key_of("s"), key_of("m1")
    assert steps == [
        UseAgent(source),
        UseAgent(target),
        Offer(source, "cast-1", (BOTH, BOTH)),
        Probe(target, "cast-1", Peer("S", "10.0.0.s", 28900, is_source=True)),
        Receive(
            target,
            "cast-1",
            (Peer("S", "10.0.0.s", 28900, is_source=True),),
            CastRoute.DIRECT,
            is_first=True,
            is_afresh=False,
        ),
    ]
    assert desk.target("m1").state is CastState.RUNNING
    assert desk.target("m1").route is CastRoute.DIRECT


def test_receivers_pull_from_each_other_too(desk: Desk) -> None:
    desk.add(cast_to("m1", "m2", "m3"))

    steps = desk.work()

    assert peers_of(steps, "m1")[0] == "S"
    assert set(peers_of(steps, "m1")) == {"S", key_of("m2"), key_of("m3")}
    assert set(peers_of(steps, "m3")) == {"S", key_of("m1"), key_of("m2")}


def test_the_source_as_a_target_pulls_from_itself_alone(desk: Desk) -> None:
    desk.add(cast_to("s", "m1"))

    steps = desk.work()

    assert peers_of(steps, "s") == ["S"]
    assert peers_of(steps, "m1") == ["S"]


def test_only_the_receivers_own_word_completes_a_target(desk: Desk) -> None:
    desk.add(cast_to("m1"))
    desk.work()

    desk.report("m1", Said(bytes_done=100))
    before = desk.target("m1").state
    desk.report("m1", DONE)

    assert before is CastState.RUNNING
    assert desk.cast().state is CastState.COMPLETED


def test_who_has_everything_serves_until_nobody_needs_it(desk: Desk) -> None:
    desk.add(cast_to("m1", "m2"))
    desk.work()

    desk.report("m1", DONE)
    while_others_receive = of(End, desk.work())
    desk.report("m2", DONE)
    afterwards = of(End, desk.work())

    assert while_others_receive == []
    assert {step.node for step in afterwards} == {key_of("s"), key_of("m1"), key_of("m2")}
    desk.state.forget_ended()
    assert desk.state.casts == []


def test_who_has_no_place_says_so_and_starts_no_agent() -> None:
    desk = Desk(places=1)
    desk.add(cast_to("m1", id_="first"))
    desk.add(cast_to("m2", id_="second"))

    steps = desk.work()

    assert UseAgent(key_of("m2")) not in steps
    assert desk.target("m2", "second").waits_for == "1 casts at once are the most on S"


def test_a_restored_cast_is_queued_at_once_and_goes_on(desk: Desk) -> None:
    running = cast_to("m1", state=CastState.RUNNING)
    target = running.targets[0].model_copy(
        update={"state": CastState.RUNNING, "bytes_done": 50, "bytes_total": 100}
    )
    desk.add(running.model_copy(update={"targets": (target,)}), is_restored=True)
    at_once = desk.target("m1")

    desk.work()

    assert (at_once.state, at_once.waits_for) == (CastState.QUEUED, "goes on after a restart")
    assert at_once.bytes_done == 50
    assert desk.target("m1").state is CastState.RUNNING


def test_before_any_node_is_seen_nothing_fails(desk: Desk) -> None:
    desk.add(cast_to("m1"), is_restored=True)

    steps = desk.state.plan([], NOON)

    assert steps == []
    assert desk.target("m1").waits_for == "M1 is not there"


def test_all_hosts_are_asked_what_they_can_verify_before_the_source_offers(desk: Desk) -> None:
    desk.algorithms = {key_of("m2"): ("sha256",)}
    desk.add(cast_to("m1", "m2"))

    steps = desk.work()

    assert [offer.algorithms for offer in of(Offer, steps)] == [(BOTH, BOTH, ("sha256",))]
    assert desk.target("m2").state is CastState.RUNNING


def test_a_host_that_comes_late_and_cannot_verify_it_fails_alone(desk: Desk) -> None:
    desk.algorithms = {key_of("m2"): ("sha256",)}
    desk.nodes["m2"] = NodeState.DEAD
    desk.add(cast_to("m1", "m2"))
    desk.work()

    desk.nodes["m2"] = NodeState.ALIVE
    desk.work()

    assert desk.target("m2").state is CastState.FAILED
    assert "M2 cannot verify blake3" in str(desk.target("m2").error)
    assert desk.target("m1").state is CastState.RUNNING


def test_an_agent_that_speaks_of_a_cast_nobody_knows_is_told_to_end_it(desk: Desk) -> None:
    desk.add(cast_to("m1"))
    desk.work()

    desk.report("m1", Said(bytes_done=5), Said(cast_id="old"))

    assert desk.work() == [End(key_of("m1"), "old", keep_partial=True)]


def test_an_agent_without_work_is_released_after_a_while(desk: Desk) -> None:
    desk.state.use(key_of("m1"), NOON)
    desk.work()

    desk.wait(IDLE_S)
    early = desk.work()
    desk.wait(1)
    steps = desk.work()

    assert early == []
    assert steps == [Release(key_of("m1"))]
    assert desk.state.is_idle


def test_an_agent_at_work_is_not_released(desk: Desk) -> None:
    desk.add(cast_to("m1"))
    desk.work()

    desk.wait(10 * IDLE_S)

    assert desk.work() == []


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (Said(CastState.PARTIAL, files=1, problems=(CastProblem(path="y", problem="p"),),
              problems_total=1), CastState.PARTIAL),
        (Said(CastState.FAILED, problems=(CastProblem(path="y", problem="p"),),
              problems_total=1), CastState.FAILED),
        (Said(CastState.FAILED), CastState.FAILED),
        (Said(CastState.CANCELLED), CastState.QUEUED),
        (Said(CastState.PAUSED), CastState.RUNNING),
        (Said(bytes_total=None), CastState.RUNNING),
    ],
    ids=["some files", "no file", "no reason", "stopped", "paused", "just begun"],
)  # fmt: skip
def test_every_report_means_what_it_says(desk: Desk, said: Said, state: CastState) -> None:
    desk.add(cast_to("m1"))
    desk.work()

    desk.report("m1", said)

    assert desk.target("m1").state is state
