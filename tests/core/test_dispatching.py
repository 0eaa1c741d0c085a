from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import pytest

from castray.core.cast_nodes import known_places
from castray.core.cast_planning import GIVE_UP_S
from castray.core.cast_steps import (
    End,
    Offer,
    Pause,
    Peer,
    Probe,
    Receive,
    Relay,
    Release,
    UseAgent,
)
from castray.core.dispatching import DispatchState
from castray.errors import InvalidRequestError, NotFoundError
from castray.models import (
    CastAction,
    CastMode,
    CastProblem,
    CastRoute,
    CastState,
    KeptCast,
    NodeState,
)
from tests.core.given import NOON, cast_to, key_of, later, node

if TYPE_CHECKING:
    from datetime import datetime

    from castray.core.cast_steps import Step
    from castray.models import Cast, CastTarget

S = TypeVar("S")

IDLE_S = 600.0

BOTH = ("blake3", "sha256")


@dataclass(frozen=True)
class Said:
    """What an agent reports of one cast."""

    state: CastState = CastState.RUNNING
    cast_id: str = "cast-1"
    path: str = "/data/x"
    bytes_total: int | None = 100
    bytes_done: int = 0
    files: int = 0
    error: str | None = None
    can_retry: bool = False
    problems: tuple[CastProblem, ...] = ()
    problems_total: int = 0


DONE = Said(CastState.COMPLETED, bytes_done=100, files=1)
SILENT = Said(CastState.FAILED, error="heard nothing", can_retry=True)


@dataclass
class Desk:
    """Takes every step at once, and with success, unless the test does so itself."""

    nodes: dict[str, NodeState] = field(
        default_factory=lambda: dict.fromkeys(("s", "m1", "m2", "m3"), NodeState.ALIVE)
    )
    places: int = 4
    now: datetime = NOON
    algorithms: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unreachable: set[str] = field(default_factory=set)
    taken: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = DispatchState(self.places, IDLE_S)

    def add(self, cast: Cast, *, is_restored: bool = False) -> None:
        nodes = [node(name) for name in self.nodes]
        kept = KeptCast(cast=cast, secret="00" * 32, nodes=known_places(nodes))
        self.state.add(kept, self.now, is_restored=is_restored)

    def plan(self) -> list[Step]:
        """What is to be done now, without doing it."""
        nodes = [
            node(name, state=state, address=f"10.0.0.{name}", is_head=name == "s")
            for name, state in self.nodes.items()
        ]
        return self.state.plan(nodes, self.now)

    def work(self) -> list[Step]:
        """Do everything that is to be done until there is nothing more to do; what was done."""
        done: list[Step] = []
        while steps := self.plan():
            assert len(done) < 1000, f"it never rests: {done[-3:]}"
            for step in steps:
                self.take(step)
            done += steps
        return done

    def take(self, step: Step) -> None:
        match step:
            case UseAgent(key):
                algorithms = self.algorithms.get(key, BOTH)
                self.state.came_up(key, f"first of {key}", 28900, algorithms)
            case Offer():
                self.state.offered(step, min(set.intersection(*map(set, step.algorithms))))
            case Probe():
                problem = "no route" if step.node in self.unreachable else None
                self.state.probed(step, problem, self.now)
            case Relay():
                self.state.relayed(step, 29000)
            case Receive():
                self.state.begin(step, self.now)
            case Pause():
                self.state.paused(step)
            case End():
                self.state.ended(step)

    def report(self, name: str, *said: Said) -> bool:
        """An agent answers a poll that was begun just now."""
        poll = self.state.start_poll(key_of(name))
        return self.state.take_reports(key_of(name), poll, said, (), self.now)

    def wait(self, seconds: float) -> None:
        self.now = later((self.now - NOON).total_seconds() + seconds)

    def cast(self, cast_id: str = "cast-1") -> Cast:
        return self.state.find(cast_id).cast

    def target(self, name: str, cast_id: str = "cast-1") -> CastTarget:
        return next(t for t in self.cast(cast_id).targets if t.node == key_of(name))


@pytest.fixture
def desk() -> Desk:
    """Four nodes, of which the source is the head."""
    return Desk()


def of(kind: type[S], steps: list[Step]) -> list[S]:
    return [step for step in steps if isinstance(step, kind)]


def peers_of(steps: list[Step], name: str) -> list[str]:
    """Whom that node was told last to pull from."""
    received = [s for s in steps if isinstance(s, Receive) and s.node == key_of(name)]
    return [peer.name for peer in received[-1].peers]


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
        assert "no route; mode auto goes through the head" in str(desk.target("m2").error)


def test_what_the_head_itself_casts_it_need_not_relay(desk: Desk) -> None:
    desk.unreachable = {key_of("m1")}
    desk.add(cast_to("m1"))

    desk.work()

    assert desk.target("m1").error == "M1 cannot connect to S: no route"


def test_a_relay_that_does_not_reach_the_source_fails_those_who_need_it(desk: Desk) -> None:
    desk.unreachable = {key_of("m2")}
    desk.add(cast_to("m2", "m3", source="m1"))
    steps = desk.plan()
    while not of(Relay, steps):
        for step in steps:
            desk.take(step)
        steps = desk.plan()

    desk.state.refused(of(Relay, steps)[0], "The head cannot either.", desk.now)
    desk.work()

    assert desk.target("m2").error == "The head cannot either."
    assert desk.target("m3").state is CastState.RUNNING


def test_a_source_that_cannot_be_read_fails_every_target(desk: Desk) -> None:
    desk.add(cast_to("m1", "m2"))
    while not of(Offer, steps := desk.plan()):
        for step in steps:
            desk.take(step)

    desk.state.refused(of(Offer, steps)[0], "x: is gone", desk.now)

    assert [target.error for target in desk.cast().targets] == ["x: is gone", "x: is gone"]


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
        End(key_of("m1"), "cast-1", keep_partial=False),
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


def test_what_failed_keeps_what_has_arrived(desk: Desk) -> None:
    desk.add(cast_to("m1"))
    desk.work()

    desk.report("m1", Said(CastState.FAILED, error="the disk is full"))

    assert End(key_of("m1"), "cast-1", keep_partial=True) in desk.work()


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
