"""The `ClusterRegistry` actor: the one that knows everything now."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from ray._private.ray_constants import DASHBOARD_ADDRESS, KV_NAMESPACE_DASHBOARD
from ray.experimental.internal_kv import _internal_kv_get
from ray.util.state import list_actors, list_jobs

from castray.actors.background import BackgroundLoops
from castray.actors.priority import run_as_urgently_as_others
from castray.core.clusters import unread_cluster
from castray.core.events import (
    ClusterObserved,
    MembershipObserved,
    NodeFacts,
    NodeReported,
    PollerFailed,
    TasksObserved,
    TimePassed,
)
from castray.core.nodes import monitor_port
from castray.core.registry import RegistryState
from castray.core.versioned import Version
from castray.models import (
    HOME_CLUSTER,
    Cluster,
    ClusterState,
    LogicalResource,
    NodeSource,
)
from castray.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from castray.actors.names import ActorSettings
    from castray.core.events import Event
    from castray.models import Changes, Connection, Node, NodeReport, Snapshot

__all__ = ["ClusterRegistry"]

logger = logging.getLogger(__name__)

MEMBERSHIP_INTERVAL_S = 1.0
CLOCK_INTERVAL_S = 0.5
TASKS_INTERVAL_S = 3.0
MAX_LISTED = 10_000
JOB_SUPERVISOR_PREFIX = "_ray_internal_job_actor_"
POLLER_START_RETRY_S = 10.0
"""A node whose poller has not been heard for this long is given one again."""

MAX_WAIT_S = 30.0


class ClusterRegistry:
    """Holds the state of every node and cluster, and tells who asks what changed.

    Reached with `ray.get_actor("ClusterRegistry", namespace="castray")`.

    Args:
        settings: What the actors were started with.
        code_uri: Where the code that this actor runs was uploaded to.
        start_poller: Creates the poller of a node and returns its handle.
    """

    def __init__(
        self,
        settings: ActorSettings,
        code_uri: str,
        start_poller: Callable[[ActorSettings, str, int, str], Any],
    ) -> None:
        run_as_urgently_as_others()
        self._settings = settings
        self._code_uri = code_uri
        self._start_poller = start_poller
        self._store = Store(Path(settings.store_path).expanduser())
        self._state = RegistryState(self._store.next_epoch())
        self._loop = asyncio.get_running_loop()
        for connection in self._store.connections():
            self._state.apply(ClusterObserved(unread_cluster(connection), ()), _now())
        self._changed = asyncio.Event()
        self._pollers: dict[str, asyncio.Task[None]] = {}
        self._started_at = _now()
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

    async def report(self, report: NodeReport) -> None:
        """Take in what a poller says about its node."""
        self._apply(NodeReported(report))

    async def observe(self, event: Event) -> None:
        """Take in what the connector says of other clusters."""
        self._apply(event)

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
        # Ray answers both from this process or its node in a millisecond or two.
        rows = tuple(_parse_node(row) for row in ray.nodes())  # type: ignore[no-untyped-call]
        total = ray.cluster_resources()  # type: ignore[no-untyped-call]
        available = ray.available_resources()  # type: ignore[no-untyped-call]
        self._apply(MembershipObserved(rows))
        self._apply(ClusterObserved(self._home_cluster(total, available, rows)))
        self._ensure_pollers()

    def _home_cluster(
        self, total: dict[str, float], available: dict[str, float], rows: Sequence[NodeFacts]
    ) -> Cluster:
        context = ray.get_runtime_context()
        return Cluster(
            id=HOME_CLUSTER,
            name=HOME_CLUSTER,
            source=NodeSource.HOME,
            state=ClusterState.CONNECTED,
            ray_version=ray.__version__,
            session_name=context.get_session_name(),
            dashboard_url=_dashboard_url(),
            resources={
                name: LogicalResource(total=value, available=available.get(name, 0.0))
                for name, value in sorted(total.items())
                if not name.startswith("node:")
            },
            connected_since=self._started_at,
            node_count=sum(row.alive for row in rows),
        )

    def _ensure_pollers(self) -> None:
        """Give each live node that is not heard a poller; each start is watched by its task."""
        live = {node.node_id: node for node in self._state.live_nodes()}
        for node_id in self._pollers.keys() - live.keys():
            self._pollers.pop(node_id).cancel()
        for node_id, node in live.items():
            task = self._pollers.get(node_id)
            if task is None or (task.done() and self._is_silent(node)):
                self._pollers[node_id] = asyncio.create_task(
                    self._watch_start(node), name=f"start poller of {node.name}"
                )

    def _is_silent(self, node: Node) -> bool:
        return (
            node.last_report is None
            or (_now() - node.last_report).total_seconds() > POLLER_START_RETRY_S
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
        # Without an address it may ask another cluster that this machine happens to run.
        address = ray.get_runtime_context().gcs_address
        actors, jobs = await asyncio.gather(
            asyncio.to_thread(
                list_actors,
                address=address,
                filters=[("state", "=", "ALIVE")],
                limit=MAX_LISTED,
                raise_on_missing_output=False,
            ),
            asyncio.to_thread(
                list_jobs,
                address=address,
                filters=[("status", "=", "RUNNING")],
                limit=MAX_LISTED,
                raise_on_missing_output=False,
            ),
        )
        self._apply(
            TasksObserved(
                actors=tuple(
                    (row.node_id, _task_name(row.name or row.class_name))
                    for row in actors
                    if row.node_id and not self._is_infrastructure(row.ray_namespace, row.name)
                ),
                # A submitted job is there already, as the actor that supervises it.
                jobs=tuple(
                    (row.driver_info.node_ip_address, f"job {row.job_id}")
                    for row in jobs
                    if row.driver_info is not None and row.submission_id is None
                ),
            )
        )

    def _is_infrastructure(self, namespace: str | None, name: str | None) -> bool:
        """Whether an actor is CastRay's or Serve's own machinery rather than somebody's work."""
        return namespace == self._settings.namespace or (
            namespace == "serve" and (name or "").startswith(("SERVE_CONTROLLER", "SERVE_PROXY"))
        )


def _task_name(actor_name: str) -> str:
    """What an actor is called; the supervisor of a submitted job is called after its job."""
    return actor_name.replace(JOB_SUPERVISOR_PREFIX, "job ")


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _parse_node(row: dict[str, Any]) -> NodeFacts:
    """One row of `ray.nodes()`."""
    resources = row.get("Resources") or {}
    return NodeFacts(
        node_id=row["NodeID"],
        host_name=row.get("NodeManagerHostname") or row["NodeManagerAddress"],
        address=row["NodeManagerAddress"],
        is_head="node:__internal_head__" in resources,
        alive=row["Alive"],
        death_reason=row.get("DeathReasonMessage") or "",
        labels=row.get("Labels") or {},
        resources=resources,
    )


def _dashboard_url() -> str | None:
    """The address that the head's dashboard wrote into Ray's own key-value store."""
    address = _internal_kv_get(DASHBOARD_ADDRESS.encode(), namespace=KV_NAMESPACE_DASHBOARD)
    return f"http://{address.decode()}" if address else None
