"""The casts, as the registry has them: begun, brought on, steered, and told of."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import secrets
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from castray.actors.background import BackgroundLoops
from castray.actors.cast_records import CastRecords
from castray.actors.cast_runs import CastRuns
from castray.cast_models import CastAction, CastPage, KeptCast
from castray.core.cast_nodes import known_places
from castray.core.cast_request import parse_request, plan_cast
from castray.core.casting import find_node
from castray.core.dispatching import DispatchState
from castray.core.state import MAX_ENDED_CASTS
from castray.errors import InvalidRequestError, NotFoundError, PeerError
from castray.models import NodeState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from castray.actors.agent_links import AgentAddress
    from castray.actors.agent_pool import AgentPool
    from castray.cast_models import Cast, CastRequest
    from castray.models import Node
    from castray.store import Store
    from castray.transfer.agent_link import Offered

__all__ = ["CastDispatcher"]

logger = logging.getLogger(__name__)

ROUND_S = 0.25
"""Nodes are looked at, and held back progress is told, at least this often."""

REST = 4
"""After a round, rest so many times as long as it took: many casts get no more of the registry."""

SURVEY_RETRY_S = 2.0

MAX_PAGE_CASTS = 1000


class CastDispatcher:
    """Brings casts on, with the agents of the nodes concerned; for one event loop.

    Args:
        store: Where casts are kept; what has not ended in it goes on.
        pool: Where agents come from.
        nodes: All nodes of all clusters as they are now.
        publish: Tells everybody of a cast.
        places: How many casts a node takes part in at once.
        idle_s: After so long an agent without work is ended.
    """

    def __init__(
        self,
        store: Store,
        pool: AgentPool,
        nodes: Callable[[], Sequence[Node]],
        publish: Callable[[Cast], None],
        *,
        places: int,
        idle_s: float,
    ) -> None:
        self._store = store
        self._pool = pool
        self._nodes = nodes
        self._woken = asyncio.Event()
        self._state = DispatchState(places, idle_s)
        self._records = CastRecords(store, publish)
        self._runs = CastRuns(
            self._state, pool, self._find_live, self._records.flush, self._woken.set
        )
        self._knows_agents = False
        for _, kept in reversed(store.casts(MAX_ENDED_CASTS)):
            if kept.cast.ended is not None:
                publish(kept.cast)
        for kept in store.unfinished_casts():
            self._state.add(kept, _now(), is_restored=True)
        self._tell()
        self._loops = BackgroundLoops()
        self._loops.start("casts", self._run_round, 0.0)
        self._loops.start("cast records", self._records.run_round, 0.0)

    async def aclose(self) -> None:
        """Leave the casts as they are; agents go on, and so does the next dispatcher."""
        await self._loops.aclose()
        await self._runs.aclose()
        await self._records.flush()

    async def start_cast(self, request: CastRequest | Mapping[str, object]) -> Cast:
        """Begin a cast, which is on disk when this returns; or only plan it, for a dry run.

        Raises:
            InvalidRequestError: It makes no sense.
            NotFoundError: A node or cluster of it does not exist.
            AmbiguousNameError: A name fits several nodes.
            CastError: The source cannot be read.
        """
        request = parse_request(request)
        nodes = self._nodes()
        cast = plan_cast(request, nodes, secrets.token_hex(8), _now())
        found = {node.key: node for node in nodes}
        self._use(cast.source)
        offered = await self._survey(found[cast.source], request.source.path)
        targets = tuple(
            target.model_copy(update={"bytes_total": offered.bytes_total})
            for target in cast.targets
        )
        total = offered.bytes_total * len(targets)
        cast = cast.model_copy(update={"targets": targets, "bytes_total": total})
        if request.dry_run:
            return cast
        places = known_places(found[key] for key in (cast.source, *(t.node for t in targets)))
        kept = KeptCast(cast=cast, secret=secrets.token_hex(32), nodes=places)
        await asyncio.to_thread(self._store.keep_casts, [kept])
        self._state.add(kept, _now())
        self._tell()
        self._woken.set()
        return cast

    async def cast(self, cast_id: str) -> Cast:
        """One cast as it is now.

        Raises:
            NotFoundError: There is none of that id.
        """
        return (await self._find(cast_id)).cast

    async def casts(self, limit: int, cursor: str | None) -> CastPage:
        """All casts that are remembered, the newest first, so many at a time.

        Raises:
            InvalidRequestError: That is no cursor of ours, or no such limit is possible.
        """
        if not 1 <= limit <= MAX_PAGE_CASTS:
            raise InvalidRequestError(f"A page has 1 to {MAX_PAGE_CASTS} casts, not {limit}.")
        before = _parse_cursor(cursor)
        await self._records.flush()
        rows = await asyncio.to_thread(self._store.casts, limit + 1, before)
        live = {kept.cast.id: kept.cast for kept in self._state.casts}
        return CastPage(
            casts=tuple(live.get(kept.cast.id, kept.cast) for _, kept in rows[:limit]),
            next_cursor=_make_cursor(rows[limit - 1][0]) if len(rows) > limit else None,
        )

    async def steer_cast(self, cast_id: str, action: CastAction | str) -> Cast:
        """Cancel, pause, resume or retry a cast; it as it is then, which is on disk.

        Raises:
            NotFoundError: There is none of that id.
            InvalidRequestError: Its state does not allow that, or there is no such action.
        """
        if action not in list(CastAction):
            known = ", ".join(known.value for known in CastAction)
            raise InvalidRequestError(f"{action!r} is no action: there are {known}.")
        kept = await self._find(cast_id)
        if cast_id not in {known.cast.id for known in self._state.casts}:
            self._state.add(kept, _now())
        self._state.steer(cast_id, CastAction(action), _now())
        cast = self._state.find(cast_id).cast
        self._tell()
        self._woken.set()
        await self._records.flush()
        return cast

    async def agent_of(self, name: str) -> AgentAddress:
        """Where the agent of a node answers; it is started where it does not run.

        Raises:
            NotFoundError: There is no such node.
            AmbiguousNameError: The name fits several nodes.
            InvalidRequestError: No agent can be there: the node is dead, or its cluster has none.
            PeerError: It does not start now.
        """
        node = find_node(self._nodes(), name)
        if node.state is NodeState.DEAD:
            raise InvalidRequestError(f"{node.name} is dead: its files cannot be reached.")
        self._use(node.key)
        return await self._pool.address(node)

    async def _survey(self, node: Node, path: str) -> Offered:
        """What a path stands for; an agent that has just died gets time to come back."""
        try:
            return await (await self._pool.link(node)).survey(path)
        except PeerError as error:
            logger.info("asking once more in %g s: %s", SURVEY_RETRY_S, error)
        await asyncio.sleep(SURVEY_RETRY_S)
        return await (await self._pool.link(node)).survey(path)

    async def _find(self, cast_id: str) -> KeptCast:
        try:
            return self._state.find(cast_id)
        except NotFoundError:
            await self._records.flush()
            kept = await asyncio.to_thread(self._store.cast, cast_id)
            if kept is None:
                raise
            return kept

    async def _run_round(self) -> None:
        # Not `asyncio.wait_for`: before Python 3.12 it can swallow a cancellation.
        timer = asyncio.get_running_loop().call_later(ROUND_S, self._woken.set)
        await self._woken.wait()
        timer.cancel()
        self._woken.clear()
        if self._state.is_idle and self._knows_agents:
            return
        nodes = self._nodes()
        if nodes and not self._knows_agents:
            await self._take_over_agents(nodes)
        began = time.perf_counter()
        steps = self._state.plan(nodes, _now())
        self._tell()
        for step in steps:
            self._runs.start(step)
        self._state.forget_ended()
        await asyncio.sleep(REST * (time.perf_counter() - began))

    async def _take_over_agents(self, nodes: Sequence[Node]) -> None:
        """Know of the agents that run already: they may be at work, or to be ended."""
        running = await self._pool.running()
        for node in nodes:
            if node.key in running:
                self._state.use(node.key, _now())
        self._knows_agents = True

    def _use(self, node: str) -> None:
        self._state.use(node, _now())
        self._woken.set()

    def _tell(self) -> None:
        self._records.tell(self._state.casts, time.monotonic())

    def _find_live(self, key: str) -> Node | None:
        return next((node for node in self._nodes() if node.key == key), None)


def _make_cursor(number: int) -> str:
    return base64.urlsafe_b64encode(str(number).encode()).decode()


def _parse_cursor(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    try:
        return int(base64.urlsafe_b64decode(cursor).decode("ascii"))
    except (binascii.Error, ValueError):
        problem = f"{cursor!r} is no cursor of ours: leave it out to begin at the first page."
        raise InvalidRequestError(problem) from None


def _now() -> datetime:
    return datetime.now(timezone.utc)
