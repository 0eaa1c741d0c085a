"""What is to be done next for every cast: what agents say goes in, what to ask of them comes out.

Nothing here waits, and nothing is remembered of what is under way: whoever takes the steps leaves
out those of an agent and a cast with which one is under way already, and says how each ended. A
step that came to nothing is planned again as long as it is needed. So whatever restarts, the same
orders are given again, and every agent goes on from what it has.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from castray.core.cast_agents import Agent, Order, Part
from castray.core.cast_nodes import with_successors
from castray.core.cast_reports import event_of, has_ended
from castray.core.cast_state import (
    ENDED,
    CancelAsked,
    PauseAsked,
    ResumeAsked,
    RetryAsked,
    TargetFailed,
    TargetLost,
    TargetProgressed,
    TargetStarted,
    TargetWaits,
    apply_cast_event,
)
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
from castray.core.casting import plan_turns
from castray.core.swarm import plan_neighbours
from castray.errors import InvalidRequestError, NotFoundError
from castray.models import (
    HOME_CLUSTER,
    CastAction,
    CastMode,
    CastRoute,
    CastState,
    NodeState,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from castray.core.cast_reports import Report
    from castray.core.cast_state import CastEvent
    from castray.core.cast_steps import Step
    from castray.models import Cast, CastTarget, KeptCast, Node

__all__ = ["DispatchState"]

GIVE_UP_S = 600.0
"""A node that is away for so long is waited for no more; somebody may retry later."""

TRY_AGAIN_S = 2.0
"""After a receiver gave up because the others were silent."""

MAX_NEIGHBOURS = 6

MOVING = (CastState.QUEUED, CastState.RUNNING)

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
        self._casts: dict[str, KeptCast] = {}
        self._parts: dict[tuple[str, str], Part] = {}
        self._agents: dict[str, Agent] = {}
        self._nodes: dict[str, Node] = {}

    @property
    def casts(self) -> list[KeptCast]:
        """The casts that are worked on, in the order in which they were asked for."""
        return list(self._casts.values())

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be done but for what may still be asked."""
        return not self._casts and not self._agents

    def find(self, cast_id: str) -> KeptCast:
        """The cast of that id.

        Raises:
            NotFoundError: It is not worked on.
        """
        if cast_id not in self._casts:
            raise NotFoundError("cast", cast_id)
        return self._casts[cast_id]

    def add(self, kept: KeptCast, now: datetime, *, is_restored: bool = False) -> None:
        """Work on a cast; one that an earlier process worked on goes on."""
        self._casts[kept.cast.id] = kept
        for target in kept.cast.targets if is_restored else ():
            self._apply(kept.cast.id, TargetLost(target.node), now)
            self._apply(kept.cast.id, TargetWaits(target.node, "goes on after a restart"), now)

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
                self._parts[cast_id, target.node] = Part(is_afresh=True)
        self._apply(cast_id, event, now)

    def use(self, node: str, now: datetime) -> None:
        """Somebody needs the agent on that node, or it was seen to run."""
        self._agents.setdefault(node, Agent(now)).used_at = now

    def forget_ended(self) -> None:
        """Leave the casts that have ended, once no agent has anything to do with them."""
        for cast_id, kept in list(self._casts.items()):
            if kept.cast.ended is not None and not any(
                cast_id in known
                for agent in self._agents.values()
                for known in (agent.offers, agent.relays, agent.orders)
            ):
                del self._casts[cast_id]
                for target in kept.cast.targets:
                    self._parts.pop((cast_id, target.node), None)

    def plan(self, nodes: Iterable[Node], now: datetime) -> list[Step]:
        """What to do now, and why the rest waits.

        Args:
            nodes: All nodes of all clusters.
            now: The time.
        """
        self._nodes = {node.key: node for node in nodes}
        steps: list[Step] = list(self._leave_lost_nodes())
        for cast_id, kept in self._casts.items():
            self._casts[cast_id] = with_successors(kept, self._nodes)
            self._look_at_nodes(cast_id, now)
        starts = self._starts(now)
        for cast_id in self._casts:
            steps += self._work(cast_id, starts, now)
            steps += self._rest(cast_id)
        return [*steps, *self._tidy_agents(now)]

    def came_up(self, node: str, incarnation: str, port: int, algorithms: tuple[str, ...]) -> None:
        """An agent answers."""
        if node in self._agents:
            self._agents[node].come_up(incarnation, port, algorithms)

    def went_down(
        self, node: str, problem: str, now: datetime, *, is_hopeless: bool = False
    ) -> None:
        """An agent does not answer, or was restarted; it is hopeless where there can be none."""
        if node in self._agents:
            self._agents[node].go_down(problem, now, is_hopeless=is_hopeless)

    def start_poll(self, node: str) -> int:
        """An agent's reports are asked for; the number of that poll."""
        self._agents[node].polls += 1
        return self._agents[node].polls

    def take_reports(
        self,
        node: str,
        poll: int,
        reports: Sequence[Report],
        offers: Iterable[str],
        now: datetime,
    ) -> bool:
        """What an agent reports on that poll.

        Returns:
            Whether all of it was believed; what was asked for too early is to be asked for again.
        """
        agent = self._agents[node]
        agent.failures = 0
        is_whole = True
        for report in reports:
            order = agent.orders.get(report.cast_id)
            if order is not None and poll < order.counts_from:
                is_whole = False
            elif order is not None and not order.is_over:
                self._take_report(node, order, report, now)
        spoken_of = {*offers, *(report.cast_id for report in reports)}
        agent.strange = spoken_of - self._casts.keys()
        return is_whole

    def offered(self, step: Offer, algorithm: str) -> None:
        """An agent offers a cast, whose digests are of that algorithm."""
        if step.node in self._agents:
            self._agents[step.node].offers[step.cast_id] = algorithm

    def probed(self, step: Probe, problem: str | None, now: datetime) -> None:
        """A target can reach the source, or why not."""
        if step.cast_id not in self._casts:
            return
        cast = self._casts[step.cast_id].cast
        part = self._part(step.cast_id, step.node)
        if problem is None:
            part.route = CastRoute.DIRECT
        elif cast.request.mode is CastMode.AUTO and cast.source != self._head():
            part.route = CastRoute.RELAY
        else:
            hint = "; mode auto goes through the head" if cast.source != self._head() else ""
            text = f"{self._name(step.node)} cannot connect to {self._name(cast.source)}: {problem}"
            self._apply(step.cast_id, TargetFailed(step.node, text + hint), now)

    def relayed(self, step: Relay, port: int) -> None:
        """An agent passes on what comes to that port."""
        if step.node in self._agents:
            self._agents[step.node].relays[step.cast_id] = step.peer, port

    def begin(self, step: Receive, now: datetime) -> None:
        """An agent is about to be told to receive; older reports of an afresh one do not count."""
        if step.node not in self._agents:
            return
        agent, part = self._agents[step.node], self._part(step.cast_id, step.node)
        old = agent.orders.get(step.cast_id)
        if step.is_first or old is None:
            counts_from = agent.polls + 1 if step.is_afresh else 0
            agent.orders[step.cast_id] = Order(step.peers, counts_from)
            part.is_afresh = False
            self._apply(step.cast_id, TargetStarted(step.node, step.route), now)
        else:
            old.peers = step.peers

    def paused(self, step: Pause) -> None:
        """An agent asks for no more."""
        order = self._order(step.cast_id, step.node)
        if order is not None:
            order.is_paused = True

    def ended(self, step: End) -> None:
        """An agent has nothing to do with a cast any more."""
        agent = self._agents.get(step.node)
        if agent is not None:
            agent.strange.discard(step.cast_id)
            for known in (agent.offers, agent.relays, agent.orders):
                known.pop(step.cast_id, None)

    def refused(self, step: Step, problem: str, now: datetime) -> None:
        """An agent answered that it cannot do that."""
        if isinstance(step, UseAgent):
            self.went_down(step.node, problem, now, is_hopeless=True)
        elif isinstance(step, Offer | Relay) and step.cast_id in self._casts:
            for target in self._casts[step.cast_id].cast.targets:
                route = self._part(step.cast_id, target.node).route
                if isinstance(step, Offer) or route is CastRoute.RELAY:
                    self._apply(step.cast_id, TargetFailed(target.node, problem), now)
        elif isinstance(step, Receive):
            self.ended(End(step.node, step.cast_id, keep_partial=True))
            self._apply(step.cast_id, TargetFailed(step.node, problem), now)
        elif isinstance(step, Probe):
            self.probed(step, problem, now)
        elif isinstance(step, Pause):
            self.paused(step)
        elif isinstance(step, End):
            self.ended(step)

    def _leave_lost_nodes(self) -> Iterator[Release]:
        for key in [key for key in self._agents if self._absence(key)]:
            del self._agents[key]
            yield Release(key, is_gone=True)

    def _look_at_nodes(self, cast_id: str, now: datetime) -> None:
        """Queue what was lost, say why it cannot go on, and give up after a while."""
        cast = self._casts[cast_id].cast
        for target in cast.targets:
            if target.state not in MOVING:
                continue
            part = self._part(cast_id, target.node)
            if target.state is CastState.RUNNING:
                if self._order(cast_id, target.node) is not None:
                    continue
                part.route = None
                self._apply(cast_id, TargetLost(target.node), now)
            self._look_at_block(cast, target.node, part, now)

    def _look_at_block(self, cast: Cast, node: str, part: Part, now: datetime) -> None:
        involved = [node, cast.source]
        if part.route is CastRoute.RELAY:
            involved.append(self._head())
        problem = next(filter(None, map(self._problem, involved)), None)
        if problem is None:
            part.blocked_since = None
            return
        part.blocked_since = part.blocked_since or now
        if any(key in self._agents and self._agents[key].is_hopeless for key in involved):
            self._apply(cast.id, TargetFailed(node, problem), now)
        elif now - part.blocked_since > timedelta(seconds=GIVE_UP_S):
            text = f"{problem}; after {GIVE_UP_S / 60:.0f} minutes it is waited for no more"
            self._apply(cast.id, TargetFailed(node, f"{text}. Retry when that has changed."), now)
        else:
            self._apply(cast.id, TargetWaits(node, problem), now)

    def _starts(self, now: datetime) -> set[tuple[str, str]]:
        """The targets whose turn has come, with their casts."""
        casts = []
        for cast_id, kept in self._casts.items():
            targets = tuple(t for t in kept.cast.targets if self._is_ready(cast_id, t, now))
            casts.append(kept.cast.model_copy(update={"targets": targets}))
        turns = plan_turns(casts, self._places, {n.key: n.name for n in self._nodes.values()})
        for (cast_id, node), why in turns.waits.items():
            self._apply(cast_id, TargetWaits(node, why), now)
        return set(turns.starts)

    def _is_ready(self, cast_id: str, target: CastTarget, now: datetime) -> bool:
        part = self._part(cast_id, target.node)
        is_free = part.blocked_since is None and (part.not_before is None or now >= part.not_before)
        return target.state is not CastState.QUEUED or is_free

    def _work(self, cast_id: str, starts: set[tuple[str, str]], now: datetime) -> Iterator[Step]:
        """What brings a cast on."""
        cast = self._casts[cast_id].cast
        moving = [target for target in cast.targets if target.state in MOVING]
        served = [
            target
            for target in moving
            if target.state is CastState.RUNNING or (cast_id, target.node) in starts
        ]
        for key in dict.fromkeys([cast.source, *(target.node for target in moving)]):
            if served or key in self._agents:
                yield from self._ask_for(key, now)
        if not served:
            return
        source = self._agents.get(cast.source)
        waiting = [t.node for t in moving if not self._is_settled(t.node)]
        if source is None or not source.is_up or (cast_id not in source.offers and waiting):
            names = ", ".join(self._name(key) for key in waiting or [cast.source])
            for target in served:
                self._apply(cast_id, TargetWaits(target.node, f"the agent on {names} starts"), now)
        elif cast_id not in source.offers:
            parties = [self._agents.get(key) for key in (cast.source, *(t.node for t in moving))]
            known = tuple(
                agent.algorithms for agent in parties if agent is not None and agent.is_up
            )
            yield Offer(cast.source, cast_id, known)
        else:
            for target in served:
                yield from self._serve(cast, target, source, now)

    def _serve(
        self, cast: Cast, target: CastTarget, source: Agent, now: datetime
    ) -> Iterator[Step]:
        """What brings on a target whose source is ready."""
        agent, part = self._agents.get(target.node), self._part(cast.id, target.node)
        if agent is None or not agent.is_up:
            return
        algorithm = source.offers[cast.id]
        if algorithm not in agent.algorithms:
            problem = f"This cast is verified with {algorithm}, which this host cannot; cast to it"
            self._apply(cast.id, TargetFailed(target.node, f"{problem} on its own."), now)
            return
        if part.route is None and target.node == cast.source:
            part.route = CastRoute.DIRECT
        elif part.route is None and cast.request.mode is CastMode.RELAY:
            part.route = CastRoute.RELAY
        if part.route is None:
            yield Probe(target.node, cast.id, self._source_peer(cast))
            return
        if part.route is CastRoute.RELAY and self._relay_peer(cast) is None:
            yield from self._open_relay(cast, now)
            return
        peers = self._peers(cast, target.node, part.route)
        order = agent.orders.get(cast.id)
        is_first = target.state is CastState.QUEUED
        if is_first or (order is not None and order.peers != peers):
            yield Receive(
                target.node,
                cast.id,
                peers,
                part.route,
                is_first=is_first,
                is_afresh=part.is_afresh,
            )

    def _rest(self, cast_id: str) -> Iterator[Step]:
        """What ends the work of agents on a cast, or stops it for now."""
        cast = self._casts[cast_id].cast
        is_moving = any(target.state in MOVING for target in cast.targets)
        for target in cast.targets:
            agent, order = self._agents.get(target.node), self._order(cast_id, target.node)
            if agent is None or order is None:
                continue
            # What has arrived is of use to the others, and so is who offers or relays.
            serves = target.state is CastState.COMPLETED
            is_needed = serves or cast_id in agent.offers or cast_id in agent.relays
            if target.state in ENDED and not (is_moving and is_needed):
                yield End(target.node, cast_id, keep_partial=target.state is CastState.FAILED)
            elif target.state is CastState.PAUSED and not (order.is_paused or order.is_over):
                yield Pause(target.node, cast_id)
        for key, agent in self._agents.items() if cast.ended is not None else ():
            if cast_id in agent.offers or cast_id in agent.relays:
                yield End(key, cast_id, keep_partial=True)

    def _tidy_agents(self, now: datetime) -> Iterator[Step]:
        for key, agent in list(self._agents.items()):
            for cast_id in agent.strange - self._casts.keys():
                yield End(key, cast_id, keep_partial=True)
            if agent.is_busy:
                agent.used_at = now
            elif not agent.asked and now - agent.used_at > timedelta(seconds=self._idle_s):
                del self._agents[key]
                yield Release(key)
            yield from self._ask_for(key, now) if key in self._agents else ()

    def _ask_for(self, key: str, now: datetime) -> Iterator[UseAgent]:
        """Have that node's agent, if the node is there."""
        if self._absence(key) is not None:
            return
        agent = self._agents.setdefault(key, Agent(now))
        if agent.is_due(now):
            agent.asked = True
            yield UseAgent(key)

    def _open_relay(self, cast: Cast, now: datetime) -> Iterator[Step]:
        head = self._head()
        yield from self._ask_for(head, now)
        if head in self._agents and self._agents[head].is_up:
            yield Relay(head, cast.id, self._source_peer(cast))

    def _take_report(self, node: str, order: Order, report: Report, now: datetime) -> None:
        part = self._part(report.cast_id, node)
        order.is_over = has_ended(report)
        rate = None
        if report.state is CastState.RUNNING:
            rate = part.meter.update(report.bytes_done, now.timestamp())
        event = event_of(node, report, rate)
        if isinstance(event, TargetProgressed) and rate:
            part.silent_since = None
        if isinstance(event, TargetLost):
            self._take_silence(node, part, report, now)
        elif event is not None:
            self._apply(report.cast_id, event, now)

    def _take_silence(self, node: str, part: Part, report: Report, now: datetime) -> None:
        """A receiver gave up because nothing came any more: it tries again for a while."""
        part.is_afresh, part.route = True, None
        part.silent_since = part.silent_since or now
        problem = report.error or "the receiver was ended"
        if now - part.silent_since > timedelta(seconds=GIVE_UP_S):
            self._apply(report.cast_id, TargetFailed(node, problem), now)
            return
        part.not_before = now + timedelta(seconds=TRY_AGAIN_S)
        self._apply(report.cast_id, TargetLost(node), now)
        self._apply(report.cast_id, TargetWaits(node, f"is tried again: {problem}"), now)

    def _apply(self, cast_id: str, event: CastEvent, now: datetime) -> None:
        kept = self._casts.get(cast_id)
        if kept is not None:
            cast = apply_cast_event(kept.cast, event, now)
            if cast is not kept.cast:
                self._casts[cast_id] = kept.model_copy(update={"cast": cast})

    def _part(self, cast_id: str, node: str) -> Part:
        return self._parts.setdefault((cast_id, node), Part())

    def _order(self, cast_id: str, node: str) -> Order | None:
        agent = self._agents.get(node)
        return None if agent is None else agent.orders.get(cast_id)

    def _is_settled(self, key: str) -> bool:
        return self._absence(key) is not None or (
            key in self._agents and self._agents[key].is_settled
        )

    def _absence(self, key: str) -> str | None:
        """Why there can be no agent on a node now, if so."""
        node = self._nodes.get(key)
        if node is None:
            return f"{self._name(key)} is not there"
        return f"{node.name} is dead" if node.state is NodeState.DEAD else None

    def _problem(self, key: str) -> str | None:
        """Why a node cannot take part now, if so."""
        agent = self._agents.get(key)
        return self._absence(key) or (agent.problem if agent is not None else "") or None

    def _name(self, key: str) -> str:
        if key in self._nodes:
            return self._nodes[key].name
        places = (kept.nodes[key].name for kept in self._casts.values() if key in kept.nodes)
        return next(places, key)

    def _head(self) -> str:
        heads = [n.key for n in self._nodes.values() if n.is_head and n.cluster == HOME_CLUSTER]
        return next((key for key in heads if self._absence(key) is None), "the head")

    def _source_peer(self, cast: Cast) -> Peer:
        # Called by its name, which outlives a NodeID: a receiver goes on with a source of its name.
        node, agent = self._nodes[cast.source], self._agents[cast.source]
        return Peer(node.name, node.address, agent.port, is_source=True)

    def _relay_peer(self, cast: Cast) -> Peer | None:
        """The source as those see it who reach it through the head only."""
        head, source = self._head(), self._source_peer(cast)
        agent = self._agents.get(head)
        peer, port = agent.relays.get(cast.id, (None, 0)) if agent is not None else (None, 0)
        return Peer(source.name, self._nodes[head].address, port, True) if peer == source else None

    def _peers(self, cast: Cast, me: str, route: CastRoute) -> tuple[Peer, ...]:
        """Whom a receiver pulls from."""
        source = self._relay_peer(cast) if route is CastRoute.RELAY else self._source_peer(cast)
        near = [
            target.node
            for target in cast.targets
            if target.node != me
            and self._is_near(cast, me, target.node, route)
            and target.state in (CastState.RUNNING, CastState.COMPLETED)
            and self._order(cast.id, target.node) is not None
        ]
        neighbours = plan_neighbours(me, [me, *near], MAX_NEIGHBOURS)
        return tuple(
            filter(
                None,
                [
                    source,
                    *(
                        Peer(key, self._nodes[key].address, self._agents[key].port)
                        for key in neighbours
                    ),
                ],
            )
        )

    def _is_near(self, cast: Cast, me: str, other: str, route: CastRoute) -> bool:
        """Whether one receiver may reach the other; on the source's node only the source serves."""
        if cast.source in (me, other) or self._part(cast.id, other).route is not route:
            return False
        clusters = {self._nodes[key].cluster for key in (me, other)}
        return route is CastRoute.DIRECT or len(clusters) == 1
