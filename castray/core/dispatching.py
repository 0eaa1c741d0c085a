"""Every cast that has not ended: what agents say goes in, what to ask of them comes out.

Nothing here waits, and nothing is remembered of what is under way: whoever takes the steps leaves
out those of an agent and a cast with which one is under way already, and says how each ended. A
step that came to nothing is planned again as long as it is needed. So whatever restarts, the same
orders are given again, and every agent goes on from what it has.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from castray.cast_models import CastAction, CastMode, CastRoute, CastState
from castray.core.cast_agents import Agent, Order
from castray.core.cast_planning import GIVE_UP_S, MOVING, Planning
from castray.core.cast_reports import event_of, has_ended
from castray.core.cast_state import (
    ENDED,
    CancelAsked,
    PauseAsked,
    ResumeAsked,
    RetryAsked,
    TargetFailed,
    TargetLost,
    TargetStarted,
    TargetWaits,
)
from castray.core.cast_steps import End, Offer, Pause, Probe, Receive, Relay, UseAgent
from castray.core.cast_table import CastTable
from castray.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from castray.cast_models import KeptCast
    from castray.core.cast_reports import Report
    from castray.core.cast_state import CastEvent
    from castray.core.cast_steps import Step
    from castray.models import Node

__all__ = ["DispatchState"]

TRY_AGAIN_S = 2.0
"""After the others were silent, or out of reach."""

FIRST_WAY_S = 10.0
"""So long a way to the source is looked for that never was there: its link may just be back."""

ASKED: dict[CastAction, tuple[CastEvent, set[CastState], str]] = {
    CastAction.CANCEL: (CancelAsked(), set(CastState) - ENDED, "has ended"),
    CastAction.PAUSE: (PauseAsked(), set(MOVING), "neither runs nor waits"),
    CastAction.RESUME: (ResumeAsked(), {CastState.PAUSED}, "is not paused"),
    CastAction.RETRY: (
        RetryAsked(),
        ENDED - {CastState.COMPLETED},
        "has no target that failed or was cancelled",
    ),
}
"""The event of each action, and the states of which some target must have one for it."""


class DispatchState:
    """All casts that have not ended, and the agents that work on them.

    Args:
        places: How many casts a node takes part in at once.
        idle_s: After so long an agent without a cast is released.
    """

    def __init__(self, places: int, idle_s: float) -> None:
        self._places = places
        self._idle_s = idle_s
        self._table = CastTable()

    @property
    def casts(self) -> list[KeptCast]:
        """The casts that are worked on, in the order in which they were asked for."""
        return list(self._table.casts.values())

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be done but for what may still be asked."""
        return not self._table.casts and not self._table.agents

    def find(self, cast_id: str) -> KeptCast:
        """The cast of that id.

        Raises:
            NotFoundError: It is not worked on.
        """
        return self._table.find(cast_id)

    def add(self, kept: KeptCast, now: datetime, *, is_restored: bool = False) -> None:
        """Work on a cast; one that an earlier process worked on goes on."""
        self._table.casts[kept.cast.id] = kept
        for target in kept.cast.targets if is_restored else ():
            self._table.apply(kept.cast.id, TargetLost(target.node), now)
            waits = TargetWaits(target.node, "goes on after a restart")
            self._table.apply(kept.cast.id, waits, now)
            self._table.part(kept.cast.id, target.node).needs_end = True

    def steer(self, cast_id: str, action: CastAction, now: datetime) -> None:
        """Cancel, pause, resume or retry a cast.

        Raises:
            NotFoundError: There is none of that id.
            InvalidRequestError: Its state does not allow that.
        """
        cast = self.find(cast_id).cast
        event, states, problem = ASKED[action]
        asked = [target for target in cast.targets if target.state in states]
        if not asked:
            raise InvalidRequestError(
                f"Cast {cast_id} is {cast.state.value}: it {problem}, so there is nothing to "
                f"{action.value}."
            )
        if action is CastAction.RETRY:
            for target in asked:
                self._table.begin_again(cast_id, target.node)
        self._table.apply(cast_id, event, now)

    def use(self, node: str, now: datetime) -> None:
        """Somebody needs the agent on that node, or it was seen to run."""
        self._table.agents.setdefault(node, Agent(now)).used_at = now

    def plan(self, nodes: Iterable[Node], now: datetime) -> list[Step]:
        """What to do now, and why the rest waits.

        Args:
            nodes: All nodes of all clusters.
            now: The time.
        """
        self._table.nodes = {node.key: node for node in nodes}
        return Planning(self._table, now, self._places, self._idle_s).run()

    def forget_ended(self) -> None:
        """Leave the casts that have ended, once nothing of them is at work or left anywhere."""
        used = {id_ for agent in self._table.agents.values() for id_ in agent.casts}
        for cast_id, kept in list(self._table.casts.items()):
            is_over = kept.cast.ended is not None
            if is_over and cast_id not in used and not self._table.needs_end(kept.cast):
                self._table.forget(cast_id)

    def came_up(self, node: str, incarnation: str, port: int, algorithms: tuple[str, ...]) -> None:
        """An agent answers."""
        if node in self._table.agents:
            self._table.agents[node].come_up(incarnation, port, algorithms)

    def went_down(
        self, node: str, problem: str, now: datetime, *, is_hopeless: bool = False
    ) -> None:
        """An agent does not answer, or was restarted; it is hopeless where there can be none."""
        if node in self._table.agents:
            self._table.agents[node].go_down(problem, now, is_hopeless=is_hopeless)

    def start_poll(self, node: str) -> int:
        """The reports of an agent that is in use are asked for; the number of that poll."""
        self._table.agents[node].polls += 1
        return self._table.agents[node].polls

    def take_reports(
        self,
        node: str,
        poll: int,
        reports: Sequence[Report],
        offers: Iterable[str],
        now: datetime,
    ) -> bool:
        """What an agent that is in use reports on that poll.

        Returns:
            Whether all of it was believed; what was asked for too early is to be asked for again.
        """
        agent = self._table.agents[node]
        agent.failures = 0
        is_whole = True
        for report in reports:
            order = agent.orders.get(report.cast_id)
            if order is not None and poll < order.counts_from:
                is_whole = False
            elif order is not None and not order.is_over:
                order.is_over = has_ended(report)
                self._take_report(node, report, now)
        spoken_of = {*offers, *(report.cast_id for report in reports)}
        agent.strange = spoken_of - self._table.casts.keys()
        return is_whole

    def offered(self, step: Offer, algorithm: str) -> None:
        """An agent offers a cast, whose digests are of that algorithm."""
        if step.node in self._table.agents:
            self._table.agents[step.node].offers[step.cast_id] = algorithm

    def probed(self, step: Probe, problem: str | None, now: datetime) -> None:
        """A target can reach the source, or why not."""
        if step.cast_id not in self._table.casts:
            return
        cast, part = self.find(step.cast_id).cast, self._table.part(step.cast_id, step.node)
        can_relay = cast.source != self._table.head
        if problem is None:
            part.route = CastRoute.DIRECT
        elif can_relay and cast.request.mode is CastMode.AUTO:
            part.route = CastRoute.RELAY
        else:
            text = f"{self._table.name(step.node)} cannot connect to {step.peer.name}: {problem}"
            hint = "; mode auto goes through the head then" if can_relay else ""
            self._take_no_way(step.cast_id, step.node, text + hint, now)

    def relayed(self, step: Relay, port: int) -> None:
        """An agent passes on what comes to that port."""
        if step.node in self._table.agents:
            self._table.agents[step.node].relays[step.cast_id] = step.peer, port

    def begin(self, step: Receive, now: datetime) -> None:
        """An agent is about to be told to receive; older reports of an afresh one do not count."""
        agent = self._table.agents.get(step.node)
        if agent is None:
            return
        order = agent.orders.get(step.cast_id)
        if order is not None and not step.is_first:
            order.peers = step.peers
            return
        counts_from = agent.polls + 1 if step.is_afresh else 0
        agent.orders[step.cast_id] = Order(step.peers, counts_from)
        part = self._table.part(step.cast_id, step.node)
        part.is_afresh, part.needs_end = False, True
        self._table.apply(step.cast_id, TargetStarted(step.node, step.route), now)

    def paused(self, step: Pause) -> None:
        """An agent asks for no more."""
        order = self._table.order(step.cast_id, step.node)
        if order is not None:
            order.is_paused = True

    def ended(self, step: End) -> None:
        """An agent has nothing to do with a cast any more."""
        agent = self._table.agents.get(step.node)
        if agent is not None:
            agent.leave(step.cast_id)
        if step.cast_id in self._table.casts:
            self._table.part(step.cast_id, step.node).needs_end = False

    def refused(self, step: Step, problem: str, now: datetime) -> None:
        """An agent answered that it cannot do that."""
        match step:
            case UseAgent():
                self.went_down(step.node, problem, now, is_hopeless=True)
            case Offer():
                self._fail_all(step.cast_id, problem, now)
            case Relay():
                self._take_no_relay(step.cast_id, problem, now)
            case Receive():
                self.ended(End(step.node, step.cast_id, keep_partial=True))
                self._table.apply(step.cast_id, TargetFailed(step.node, problem), now)
            case Probe():
                self.probed(step, problem, now)
            case Pause():
                self.paused(step)
            case End():
                self.ended(step)

    def _fail_all(self, cast_id: str, problem: str, now: datetime) -> None:
        kept = self._table.casts.get(cast_id)
        for target in kept.cast.targets if kept is not None else ():
            self._table.apply(cast_id, TargetFailed(target.node, problem), now)

    def _take_no_relay(self, cast_id: str, problem: str, now: datetime) -> None:
        kept = self._table.casts.get(cast_id)
        for target in kept.cast.targets if kept is not None else ():
            if self._table.part(cast_id, target.node).route is CastRoute.RELAY:
                self._take_no_way(cast_id, target.node, problem, now)

    def _take_no_way(self, cast_id: str, node: str, problem: str, now: datetime) -> None:
        """There is no way to the source; one that was there before may well come back."""
        targets = self.find(cast_id).cast.targets
        had_one = any(target.node == node and target.route is not None for target in targets)
        self._try_again(cast_id, node, problem, now, GIVE_UP_S if had_one else FIRST_WAY_S)

    def _take_report(self, node: str, report: Report, now: datetime) -> None:
        part, rate = self._table.part(report.cast_id, node), None
        if report.state is CastState.RUNNING:
            rate = part.meter.update(report.bytes_done, now.timestamp())
        if rate:
            part.silent_since = None
        event = event_of(node, report, rate)
        if isinstance(event, TargetLost):
            self._take_silence(node, report, now)
        elif event is not None:
            self._table.apply(report.cast_id, event, now)

    def _take_silence(self, node: str, report: Report, now: datetime) -> None:
        """A receiver gave up because nothing came any more."""
        self._table.part(report.cast_id, node).is_afresh = True
        problem = report.error or "The receiver was ended."
        self._try_again(report.cast_id, node, problem, now, GIVE_UP_S)

    def _try_again(
        self, cast_id: str, node: str, problem: str, now: datetime, limit_s: float
    ) -> None:
        """Begin a target again after a moment, but not for longer than that."""
        part = self._table.part(cast_id, node)
        part.route = None
        part.silent_since = part.silent_since or now
        part.not_before = now + timedelta(seconds=TRY_AGAIN_S)
        if now - part.silent_since > timedelta(seconds=limit_s):
            self._table.apply(cast_id, TargetFailed(node, problem), now)
            return
        self._table.apply(cast_id, TargetLost(node), now)
        self._table.apply(cast_id, TargetWaits(node, f"it is tried again: {problem}"), now)
