"""The `ClusterRegistry` actor: the one that knows everything now."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray

from castray.actors.agent_pool import ActorAgents
from castray.actors.background import BackgroundLoops
from castray.actors.casts import CastDispatcher
from castray.actors.home import fetch_home_cluster, fetch_members, fetch_tasks
from castray.actors.priority import run_as_urgently_as_others
from castray.core.clusters import unread_cluster
from castray.core.events import (
    CastChanged,
    ClusterObserved,
    MembershipObserved,
    NodeReported,
    PollerFailed,
    TimePassed,
)
from castray.core.nodes import monitor_port
from castray.core.registry import RegistryState
from castray.core.versioned import Version
from castray.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from castray.actors.agent_links import AgentAddress
    from castray.actors.names import ActorSettings
    from castray.cast_models import Cast, CastAction, CastPage, CastRequest
    from castray.changes import Changes
    from castray.core.events import Event, NodeFacts
    from castray.models import Connection, Node, NodeReport, Snapshot

__all__ = ["ClusterRegistry"]

logger = logging.getLogger(__name__)

MEMBERSHIP_INTERVAL_S = 1.0
MEMBERSHIP_REST = 19
"""So many times as long as a round took, and that interval, is the pause after it."""

CLOCK_INTERVAL_S = 0.5
TASKS_INTERVAL_S = 3.0
MAX_WAIT_S = 30.0


class ClusterRegistry:
    """Holds the state of every node, cluster and cast, and tells who asks what changed.

    Reached with `ray.get_actor("ClusterRegistry", namespace="castray")`.

    Args:
        settings: What the actors were started with.
        code_uri: Where the code that this actor runs was uploaded to.
        start_poller: Creates the poller of a node and returns its handle.
        start_agent: Creates the agent of a node where there is none.
        fetch_members: Reads Ray's node table.
    """

    def __init__(
        self,
        settings: ActorSettings,
        code_uri: str,
        start_poller: Callable[[ActorSettings, str, int, str], Any],
        start_agent: Callable[[ActorSettings, str, str], Any],
        fetch_members: Callable[[], tuple[NodeFacts, ...]] = fetch_members,
    ) -> None:
        run_as_urgently_as_others()
        self._settings = settings
        self._code_uri = code_uri
        self._start_poller = start_poller
        self._fetch_members = fetch_members
        self._store = Store(Path(settings.store_path).expanduser())
        self._state = RegistryState(self._store.next_epoch())
        self._loop = asyncio.get_running_loop()
        for connection in self._store.connections():
            self._state.apply(ClusterObserved(unread_cluster(connection), ()), _now())
        self._changed = asyncio.Event()
        self._pollers: dict[str, asyncio.Task[None]] = {}
        self._started_at = _now()
        self._casts = CastDispatcher(
            self._store,
            ActorAgents(settings, code_uri, start_agent),
            self._state.nodes,
            lambda cast: self._apply(CastChanged(cast)),
            places=settings.transfer.max_casts_per_node,
            idle_s=settings.transfer.agent_idle_s,
        )
        self._loops = BackgroundLoops()
        self._loops.start("membership", self._observe_membership, MEMBERSHIP_INTERVAL_S)
        self._loops.start("clock", self._observe_clock, CLOCK_INTERVAL_S)
        self._loops.start("tasks", self._observe_tasks, TASKS_INTERVAL_S)

    async def identity(self) -> tuple[ActorSettings, str]:
        """The settings and the code that this registry runs with."""
        return self._settings, self._code_uri

    async def snapshot(self) -> Snapshot:
        """Every node and cluster as known now, with the version of that knowledge."""
        return self._state.snapshot()

    @ray.method(concurrency_group="wait")
    async def changes(self, since: str | None = None, timeout_s: float = 10.0) -> Changes:
        """What changed after version `since`; waits until something has, or `timeout_s` passed.

        With `since` None, or a version that is no longer known: everything, at once.

        Raises:
            InvalidRequestError: `since` is no version.
        """
        version = None if since is None else Version.parse(since)
        # Ray gives each concurrency group a thread and a loop of its own; the state has one.
        waiting = self._next_changes(version, timeout_s)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(waiting, self._loop))

    async def report(self, report: NodeReport) -> float:
        """Take in what a poller says about its node; how soon it is to speak again, in seconds."""
        self._apply(NodeReported(report))
        return self._state.heartbeat_s

    async def observe(self, event: Event) -> None:
        """Take in what the connector says of other clusters."""
        self._apply(event)

    async def start_cast(self, request: CastRequest | Mapping[str, object]) -> Cast:
        """Begin a cast, which is on disk when this returns; or only plan it, for a dry run.

        Args:
            request: A `CastRequest`, or a dict of its fields.

        Raises:
            InvalidRequestError: It makes no sense.
            NotFoundError: A node or cluster of it does not exist.
            AmbiguousNameError: A name fits several nodes.
            CastError: The source cannot be read.
        """
        return await self._casts.start_cast(request)

    async def cast(self, cast_id: str) -> Cast:
        """One cast as it is now.

        Raises:
            NotFoundError: There is none of that id.
        """
        return await self._casts.cast(cast_id)

    async def casts(self, limit: int = 50, cursor: str | None = None) -> CastPage:
        """All casts that are remembered, the newest first, so many at a time.

        Raises:
            InvalidRequestError: That is no cursor of ours, or no such limit is possible.
        """
        return await self._casts.casts(limit, cursor)

    async def steer_cast(self, cast_id: str, action: CastAction | str) -> Cast:
        """Cancel, pause, resume or retry a cast; it as it is then, which is on disk.

        Raises:
            NotFoundError: There is none of that id.
            InvalidRequestError: Its state does not allow that, or there is no such action.
        """
        return await self._casts.steer_cast(cast_id, action)

    async def agent_of(self, node: str) -> AgentAddress:
        """Where the agent of the node with that name, id or key answers; it is started if need be.

        Raises:
            NotFoundError: There is no such node.
            AmbiguousNameError: The name fits several nodes.
            InvalidRequestError: No agent can be there: the node is dead, or its cluster has none.
            PeerError: It does not start now.
        """
        return await self._casts.agent_of(node)

    async def connections(self) -> list[Connection]:
        """The external clusters that are to be watched."""
        return await asyncio.to_thread(self._store.connections)

    async def keep_connection(self, connection: Connection) -> None:
        """Have an external cluster watched, also after a restart; on disk when this returns."""
        await asyncio.to_thread(self._store.keep_connection, connection)

    async def forget_connection(self, cluster: str) -> None:
        """Have an external cluster watched no more."""
        await asyncio.to_thread(self._store.forget_connection, cluster)

    async def keep_disconnected(self, session_name: str) -> None:
        """Have that external cluster left alone, until somebody connects it again."""
        await asyncio.to_thread(self._store.keep_disconnected, session_name)

    async def disconnected(self) -> list[str]:
        """The session names of external clusters that are not to be connected unasked."""
        return await asyncio.to_thread(self._store.disconnected)

    async def short_ids(self, kind: str) -> dict[str, str]:
        """The short ids that were ever given to nodes or clusters, by key."""
        return await asyncio.to_thread(self._store.short_ids, kind)

    async def store_short_ids(self, kind: str, ids: dict[str, str]) -> None:
        """Keep new short ids; on disk when this returns."""
        await asyncio.to_thread(self._store.store_short_ids, kind, ids)

    async def _next_changes(self, version: Version | None, timeout_s: float) -> Changes:
        if version == self._state.version:
            try:
                await asyncio.wait_for(self._changed.wait(), min(timeout_s, MAX_WAIT_S))
            except asyncio.TimeoutError:
                logger.debug("nothing changed for %s s", timeout_s)
        return self._state.changes_since(version)

    def _apply(self, event: Event) -> None:
        if self._state.apply(event, _now()):
            self._changed.set()
            self._changed = asyncio.Event()

    async def _observe_clock(self) -> None:
        self._apply(TimePassed())

    async def _observe_membership(self) -> None:
        began = self._loop.time()
        # Ray answers from this process or its node in a millisecond or two.
        rows = self._fetch_members()
        self._apply(MembershipObserved(rows))
        self._apply(ClusterObserved(fetch_home_cluster(rows, self._started_at)))
        self._ensure_pollers()
        # Thousands of nodes take a while, in which nothing else is heard.
        await asyncio.sleep(MEMBERSHIP_REST * (self._loop.time() - began))

    def _ensure_pollers(self) -> None:
        """Give each live node that is not heard a poller; each start is watched by its task."""
        now = _now()
        live = {node.node_id: node for node in self._state.live_nodes()}
        for node_id in self._pollers.keys() - live.keys():
            self._pollers.pop(node_id).cancel()
        for node_id, node in live.items():
            task = self._pollers.get(node_id)
            if task is None or (task.done() and self._state.lacks_poller(node, now)):
                self._pollers[node_id] = asyncio.create_task(
                    self._watch_start(node), name=f"start poller of {node.name}"
                )

    async def _watch_start(self, node: Node) -> None:
        try:
            poller = await asyncio.to_thread(
                self._start_poller,
                self._settings,
                node.node_id,
                monitor_port(node.labels, self._settings.monitor_port),
                self._code_uri,
            )
            await poller.ready.remote()
        except Exception as error:  # noqa: BLE001 - any failure of a start belongs to its node
            logger.warning("the poller of %s (%s) did not start: %s", node.name, node.id, error)
            self._apply(PollerFailed(node.node_id, str(error)))

    async def _observe_tasks(self) -> None:
        self._apply(await fetch_tasks(self._settings.namespace))


def _now() -> datetime:
    return datetime.now(timezone.utc)
