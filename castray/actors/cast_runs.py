"""Takes the steps that casts need, each one call of an agent, and listens to the agents in use."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from castray.core.cast_steps import End, Offer, Pause, Probe, Receive, Relay, Release, UseAgent
from castray.errors import CastRayError, InvalidRequestError, PeerError
from castray.transfer.agent_link import OfferOrder, ReceiveOrder
from castray.transfer.hashing import choose_algorithm
from castray.transfer.peer import PeerAddress

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from castray.actors.agent_pool import AgentPool
    from castray.core.cast_steps import Step
    from castray.core.dispatching import DispatchState
    from castray.models import Node
    from castray.transfer.agent_link import AgentFacts, AgentLink

__all__ = ["CastRuns"]

logger = logging.getLogger(__name__)

NEWS_WAIT_S = 10.0


class CastRuns:
    """Owner of every call of an agent for the sake of casts.

    Args:
        state: Is told how each step ended, and what agents report.
        pool: Where agents come from.
        find_node: A node by its key.
        flush: Brings what was reported to the disk; an agent may forget it after that.
        wake: Is called whenever the state has changed.
    """

    def __init__(
        self,
        state: DispatchState,
        pool: AgentPool,
        find_node: Callable[[str], Node | None],
        flush: Callable[[], Awaitable[None]],
        wake: Callable[[], None],
    ) -> None:
        self._state = state
        self._pool = pool
        self._find_node = find_node
        self._flush = flush
        self._wake = wake
        self._links: dict[str, AgentLink] = {}
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._calls: dict[tuple[str, str], asyncio.Task[None]] = {}

    def start(self, step: Step) -> None:
        """Take a step, unless one of that agent and that cast is under way."""
        if isinstance(step, UseAgent):
            self._start_watch(step)
        elif isinstance(step, Release):
            self._stop_watch(step.node)
            if not step.is_gone:
                self._start_call((step.node, ""), self._pool.release(step.node))
        elif (step.node, step.cast_id) not in self._calls:
            self._start_call((step.node, step.cast_id), self._take(step))

    async def aclose(self) -> None:
        """End all calls and wait until they have ended; the agents go on."""
        for node in list(self._watches):
            self._stop_watch(node)
        calls = list(self._calls.values())
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, *self._ending, return_exceptions=True)

    def _start_call(self, key: tuple[str, str], call: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(call, name=f"step of cast {key[1]} at {key[0]}")
        self._calls[key] = task
        task.add_done_callback(lambda done: self._end_call(key, done))

    def _end_call(self, key: tuple[str, str], task: asyncio.Task[None]) -> None:
        self._calls.pop(key, None)
        if not task.cancelled() and task.exception() is not None:
            logger.error("%s failed", task.get_name(), exc_info=task.exception())
        self._wake()

    def _start_watch(self, step: UseAgent) -> None:
        node = self._find_node(step.node)
        if node is None or (step.node, "") in self._calls:
            self._state.went_down(step.node, "its agent is being replaced", _now())
            return
        self._stop_watch(step.node)
        self._watches[step.node] = asyncio.create_task(
            self._watch(node), name=f"agent of {node.name}"
        )

    def _stop_watch(self, node: str) -> None:
        self._links.pop(node, None)
        watch = self._watches.pop(node, None)
        if watch is not None and watch is not asyncio.current_task():
            watch.cancel()
            self._ending.add(watch)
            watch.add_done_callback(self._ending.discard)

    def _lose(self, node: str, problem: str, *, is_hopeless: bool = False) -> None:
        """An agent does not answer: what it was asked is asked again once it does."""
        self._stop_watch(node)
        self._state.went_down(node, problem, _now(), is_hopeless=is_hopeless)
        self._wake()

    async def _watch(self, node: Node) -> None:
        """Have an agent, and listen to it until it is lost."""
        try:
            link = await self._pool.link(node)
            await self._listen(node.key, link, await link.facts())
        except Exception as error:
            if not self._is_watch_of(node.key):
                return
            if isinstance(error, CastRayError):
                logger.info("the agent on %s is lost: %s", node.name, error)
            else:
                logger.exception("listening to the agent on %s failed", node.name)
            self._lose(node.key, str(error), is_hopeless=isinstance(error, InvalidRequestError))

    def _is_watch_of(self, node: str) -> bool:
        """Whether this task is the one that listens to that agent.

        To be asked after each wait: before Python 3.12 `asyncio.wait_for`, in whatever is called
        here, can swallow the cancellation of one that was to end.
        """
        return self._watches.get(node) is asyncio.current_task()

    async def _listen(self, node: str, link: AgentLink, facts: AgentFacts) -> None:
        if self._is_watch_of(node):
            self._links[node] = link
            self._state.came_up(node, facts.incarnation, facts.port, facts.algorithms)
            self._wake()
        since = -1
        while self._is_watch_of(node):
            poll = self._state.start_poll(node)
            reports = await link.reports(since, NEWS_WAIT_S)
            if not self._is_watch_of(node):
                return
            if reports.incarnation != facts.incarnation:
                raise PeerError("the agent", "was restarted")
            is_whole = self._state.take_reports(
                node, poll, reports.receivers, reports.offers, _now()
            )
            since = reports.sequence if is_whole else -1
            self._wake()

    async def _take(self, step: Step) -> None:
        link = self._links.get(step.node)
        if link is None:
            return  # it was lost since this was planned
        try:
            await self._ask(step, link)
        except PeerError as error:
            if self._links.get(step.node) is link:
                self._lose(step.node, str(error))
        except CastRayError as error:
            self._state.refused(step, str(error), _now())
        except Exception as error:
            logger.exception("%s failed", step)
            self._state.refused(step, f"met a fault of CastRay's: {error!r}", _now())

    async def _ask(self, step: Step, link: AgentLink) -> None:
        match step:
            case Offer():
                await self._offer(step, link)
            case Probe():
                problem = await link.reach(PeerAddress(*step.peer))
                self._state.probed(step, problem, _now())
            case Relay():
                await self._relay(step, link)
            case Receive():
                await self._receive(step, link)
            case Pause():
                await link.pause(step.cast_id)
                self._state.paused(step)
            case End():
                await self._flush()
                await link.end(
                    step.cast_id, keep_partial=step.keep_partial, destination=step.destination
                )
                self._state.ended(step)

    async def _offer(self, step: Offer, link: AgentLink) -> None:
        kept = self._state.find(step.cast_id)
        order = OfferOrder(
            cast_id=step.cast_id,
            secret=kept.secret,
            path=kept.cast.request.source.path,
            algorithm=choose_algorithm(step.algorithms),
            is_chained=len(kept.cast.targets) == 1,
            bytes_per_s=kept.cast.request.bandwidth_limit,
        )
        await link.offer(order)
        self._state.offered(step, order.algorithm)

    async def _relay(self, step: Relay, link: AgentLink) -> None:
        peer = PeerAddress(*step.peer)
        problem = await link.reach(peer)
        if problem is None:
            self._state.relayed(step, await link.relay(step.cast_id, peer))
        else:
            text = f"The head cannot connect to {peer.name} either: {problem}"
            self._state.refused(step, text, _now())

    async def _receive(self, step: Receive, link: AgentLink) -> None:
        if step.is_afresh:
            await link.end(step.cast_id, keep_partial=True)
            self._state.ended(End(step.node, step.cast_id, keep_partial=True))
        kept = self._state.find(step.cast_id)
        self._state.begin(step, _now())
        order = ReceiveOrder(
            cast_id=step.cast_id,
            secret=kept.secret,
            me=step.node,
            destination=kept.cast.request.destination,
            if_exists=kept.cast.request.if_exists,
            peers=tuple(PeerAddress(*peer) for peer in step.peers),
            bytes_per_s=kept.cast.request.bandwidth_limit,
        )
        await link.receive(order)
        if step.is_first:
            await link.resume(step.cast_id)


def _now() -> datetime:
    return datetime.now(timezone.utc)
