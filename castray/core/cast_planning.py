"""What to do next for every cast, from what is known now."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from castray.cast_models import CastMode, CastRoute, CastState
from castray.core.cast_agents import Agent
from castray.core.cast_nodes import with_successors
from castray.core.cast_peers import Company, relay_peer, source_peer
from castray.core.cast_state import ENDED, TargetFailed, TargetLost, TargetWaits
from castray.core.cast_steps import End, Offer, Pause, Probe, Receive, Relay, Release, UseAgent
from castray.core.casting import plan_turns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from castray.cast_models import Cast, CastTarget
    from castray.core.cast_agents import Order, Part
    from castray.core.cast_state import CastEvent
    from castray.core.cast_steps import Peer, Step
    from castray.core.cast_table import CastTable

__all__ = ["GIVE_UP_S", "MOVING", "Planning"]

GIVE_UP_S = 600.0
"""A node that is away for so long is waited for no more; somebody may retry later."""

MOVING = (CastState.QUEUED, CastState.RUNNING)


class Planning:
    """One look at everything. What has to wait is told why, in the records of the casts.

    Args:
        table: What is known.
        now: The time.
        places: How many casts a node takes part in at once.
        idle_s: After so long an agent without work is released.
    """

    def __init__(self, table: CastTable, now: datetime, places: int, idle_s: float) -> None:
        self._table = table
        self._now = now
        self._places = places
        self._idle_s = idle_s

    def run(self) -> list[Step]:
        """The steps to take now."""
        table = self._table
        steps: list[Step] = list(self._leave_lost_nodes())
        for cast_id, kept in table.casts.items():
            table.casts[cast_id] = with_successors(kept, table.nodes)
            self._look_at_nodes(cast_id)
        starts = self._starts()
        for cast_id in table.casts:
            steps += self._work(cast_id, starts)
            steps += self._rest(cast_id)
        return [*steps, *self._tidy_agents()]

    def _apply(self, cast_id: str, event: CastEvent) -> None:
        self._table.apply(cast_id, event, self._now)

    def _leave_lost_nodes(self) -> Iterator[Release]:
        for key in [key for key in self._table.agents if self._table.absence(key)]:
            del self._table.agents[key]
            yield Release(key, is_gone=True)

    def _look_at_nodes(self, cast_id: str) -> None:
        """Queue what was lost, and see whether all is there that it needs."""
        cast = self._table.casts[cast_id].cast
        for target in cast.targets:
            if target.state not in MOVING:
                continue
            part = self._table.part(cast_id, target.node)
            if target.state is CastState.RUNNING:
                if self._table.order(cast_id, target.node) is not None:
                    continue
                part.route = None
                self._apply(cast_id, TargetLost(target.node))
            self._look_for_blocks(cast, target.node, part)

    def _look_for_blocks(self, cast: Cast, node: str, part: Part) -> None:
        """Say why a target cannot go on, if so, and give up after a while."""
        involved = [node, cast.source]
        if part.route is CastRoute.RELAY:
            involved.append(self._table.head)
        problem = next(filter(None, map(self._table.problem, involved)), None)
        if problem is None:
            part.blocked_since = None
            return
        part.blocked_since = part.blocked_since or self._now
        agents = [self._table.agents.get(key) for key in involved]
        if any(agent is not None and agent.is_hopeless for agent in agents):
            self._apply(cast.id, TargetFailed(node, problem))
        elif self._now - part.blocked_since > timedelta(seconds=GIVE_UP_S):
            text = f"{problem}, for {GIVE_UP_S / 60:.0f} minutes; retry when that has changed"
            self._apply(cast.id, TargetFailed(node, text))
        else:
            self._apply(cast.id, TargetWaits(node, problem))

    def _starts(self) -> set[tuple[str, str]]:
        """The targets whose turn has come, with their casts."""
        casts = []
        for cast_id, kept in self._table.casts.items():
            targets = tuple(t for t in kept.cast.targets if self._is_ready(cast_id, t))
            casts.append(kept.cast.model_copy(update={"targets": targets}))
        known = {key for kept in self._table.casts.values() for key in kept.nodes}
        names = {key: self._table.name(key) for key in known}
        turns = plan_turns(casts, self._places, names)
        for (cast_id, node), why in turns.waits.items():
            self._apply(cast_id, TargetWaits(node, why))
        return set(turns.starts)

    def _is_ready(self, cast_id: str, target: CastTarget) -> bool:
        part = self._table.part(cast_id, target.node)
        is_due = part.not_before is None or self._now >= part.not_before
        is_free = part.blocked_since is None and is_due
        return is_free or target.state is not CastState.QUEUED

    def _work(self, cast_id: str, starts: set[tuple[str, str]]) -> Iterator[Step]:
        """What brings a cast on."""
        table, cast = self._table, self._table.casts[cast_id].cast
        moving = [target for target in cast.targets if target.state in MOVING]
        served = [
            target
            for target in moving
            if target.state is CastState.RUNNING or (cast_id, target.node) in starts
        ]
        parties = list(dict.fromkeys([cast.source, *(target.node for target in moving)]))
        for key in parties:
            if served or key in table.agents:
                yield from self._ask_for(key)
        if not served:
            return
        source = table.agent_up(cast.source)
        offers = source is not None and cast_id in source.offers
        starting = [
            key for key in parties if key in table.agents and not table.agents[key].is_settled
        ]
        if source is None or (starting and not offers):
            names = ", ".join(map(table.name, starting or [cast.source]))
            for target in served:
                self._apply(cast_id, TargetWaits(target.node, f"the agent on {names} starts"))
        elif not offers:
            agents = [agent for agent in map(table.agent_up, parties) if agent is not None]
            yield Offer(cast.source, cast_id, tuple(agent.algorithms for agent in agents))
            for target in served:
                yield from self._find_route(cast, target)
        else:
            company = Company(table, cast)
            for target in served:
                yield from self._serve(cast, target, source, company)

    def _serve(
        self, cast: Cast, target: CastTarget, source: Agent, company: Company
    ) -> Iterator[Step]:
        """What brings on a target whose source is ready."""
        table, agent = self._table, self._table.agent_up(target.node)
        if agent is None:
            return
        algorithm = source.offers[cast.id]
        if algorithm not in agent.algorithms:
            problem = f"cannot verify {algorithm}, as this cast needs; cast to it on its own"
            self._apply(cast.id, TargetFailed(target.node, f"{table.name(target.node)} {problem}"))
            return
        part = table.part(cast.id, target.node)
        yield from self._find_route(cast, target)
        if part.route is None:
            return
        if part.route is CastRoute.RELAY and relay_peer(table, cast) is None:
            yield from self._open_relay(cast)
        else:
            peers = company.peers_of(target.node, part.route)
            yield from _order(cast, target, part, agent.orders.get(cast.id), peers)

    def _find_route(self, cast: Cast, target: CastTarget) -> Iterator[Probe]:
        """Decide which way the blocks go, or what has to be tried for that."""
        part = self._table.part(cast.id, target.node)
        if part.route is not None or self._table.agent_up(target.node) is None:
            return
        if target.node == cast.source:
            part.route = CastRoute.DIRECT
        elif cast.request.mode is CastMode.RELAY:
            part.route = CastRoute.RELAY
        else:
            yield Probe(target.node, cast.id, source_peer(self._table, cast))

    def _open_relay(self, cast: Cast) -> Iterator[Step]:
        head = self._table.head
        yield from self._ask_for(head)
        if self._table.agent_up(head) is not None:
            yield Relay(head, cast.id, source_peer(self._table, cast))

    def _rest(self, cast_id: str) -> Iterator[Step]:
        """What ends the work of agents on a cast, or stops it for now."""
        cast = self._table.casts[cast_id].cast
        is_moving = any(target.state in MOVING for target in cast.targets)
        for target in cast.targets:
            order = self._table.order(cast_id, target.node)
            if target.state in ENDED:
                yield from self._end(cast, target, order, is_moving=is_moving)
            elif target.state is CastState.PAUSED and order is not None and order.is_at_work:
                yield Pause(target.node, cast_id)
        for key, agent in self._table.agents.items() if cast.ended is not None else ():
            if cast_id in agent.offers or cast_id in agent.relays:
                yield End(key, cast_id, keep_partial=True)

    def _end(
        self, cast: Cast, target: CastTarget, order: Order | None, *, is_moving: bool
    ) -> Iterator[Step]:
        """Have a receiver end, also where its agent was begun anew and knows nothing of it."""
        table, part = self._table, self._table.part(cast.id, target.node)
        keeps = target.state is CastState.FAILED
        if not part.needs_end:
            return
        if order is None and (keeps or self._is_out_of_reach(target.node, part)):
            part.needs_end = False  # what is left is swept in its time
            return
        agent = table.agent_up(target.node)
        if agent is None:
            yield from self._ask_for(target.node)
            return
        # What has arrived is of use to the others, and so is who offers or relays.
        serves = target.state is CastState.COMPLETED
        is_needed = serves or cast.id in agent.offers or cast.id in agent.relays
        if not (is_moving and is_needed):
            yield End(target.node, cast.id, keeps, cast.request.destination)

    def _is_out_of_reach(self, key: str, part: Part) -> bool:
        """Whether nobody will end a receiver there any more."""
        agent = self._table.agents.get(key)
        if agent is not None and agent.is_up:
            part.blocked_since = None
            return False
        part.blocked_since = part.blocked_since or self._now
        is_hopeless = agent is not None and agent.is_hopeless
        waited = self._now - part.blocked_since
        return bool(self._table.absence(key)) or is_hopeless or waited.total_seconds() > GIVE_UP_S

    def _tidy_agents(self) -> Iterator[Step]:
        """End what nobody asked for, and the agents that nobody needs."""
        table = self._table
        for key, agent in list(table.agents.items()):
            for cast_id in agent.strange - table.casts.keys():
                yield End(key, cast_id, keep_partial=True)
            if agent.is_busy:
                agent.used_at = self._now
            is_idle = self._now - agent.used_at > timedelta(seconds=self._idle_s)
            if is_idle and not agent.asked:
                del table.agents[key]
                yield Release(key)
            else:
                yield from self._ask_for(key)

    def _ask_for(self, key: str) -> Iterator[UseAgent]:
        """Have that node's agent, if the node is there."""
        if self._table.absence(key) is not None:
            return
        agent = self._table.agents.setdefault(key, Agent(self._now))
        if agent.is_due(self._now):
            agent.asked = True
            yield UseAgent(key)


def _order(
    cast: Cast, target: CastTarget, part: Part, order: Order | None, peers: tuple[Peer, ...]
) -> Iterator[Receive]:
    """What to tell a receiver that it was not told, or not since it was lost."""
    is_first = target.state is CastState.QUEUED
    if part.route is not None and (is_first or (order is not None and order.peers != peers)):
        is_afresh = is_first and part.is_afresh
        yield Receive(target.node, cast.id, peers, part.route, is_first, is_afresh)
