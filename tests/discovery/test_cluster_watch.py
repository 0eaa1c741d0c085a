from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from castray.core.clusters import DEFAULT_ALLOWED_NETWORKS
from castray.discovery.cluster_watch import ClusterWatch, WatchOptions
from castray.discovery.tasks import end_tasks
from castray.models import Cluster, ClusterState, Connection, Node, NodeState
from tests.api.waiting import until
from tests.discovery.server import RecordedDashboard, recorded, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

SESSION = json.loads(recorded("2.60.0", "version"))["session_name"]

OPTIONS = WatchOptions(
    allowed=DEFAULT_ALLOWED_NETWORKS,
    timeout_s=1.0,
    monitor_port=9,
    monitor_poll_interval_s=5.0,
    monitor_timeout_s=0.2,
)


class Observer:
    """Remembers what a watch says.

    Args:
        is_watched: Whether a cluster that takes another's place is watched already.
    """

    def __init__(self, *, is_watched: bool = False) -> None:
        self.clusters: list[Cluster] = []
        self.nodes: list[Node] = []
        self._is_watched = is_watched

    @property
    def states(self) -> list[ClusterState]:
        """The states in which the cluster was, without repetitions."""
        states = [cluster.state for cluster in self.clusters]
        return [s for s, before in zip(states, [None, *states], strict=False) if s is not before]

    async def observe(self, cluster: Cluster, nodes: Sequence[Node]) -> None:
        self.clusters.append(cluster)
        self.nodes = list(nodes)

    async def short_ids(self, keys: Sequence[str]) -> dict[str, str]:
        return {key: f"ray_node_{key[-4:]}" for key in keys}

    async def succeed(self, old: Connection, session_name: str) -> Connection | None:
        if self._is_watched:
            return None
        new = {"cluster": "ray_cluster_002", "session_name": session_name}
        return old.model_copy(update=new)


def connection(url: str, session_name: str) -> Connection:
    return Connection(
        cluster="ray_cluster_001",
        session_name=session_name,
        address=url,
        dashboard_url=url,
        name="lab",
        sources=("manual",),
    )


@asynccontextmanager
async def watching(
    dashboard: RecordedDashboard, observer: Observer, session_name: str = SESSION
) -> AsyncIterator[asyncio.Task[None]]:
    """A watch of that dashboard, which expects that session there."""
    async with serve(dashboard.handle) as url:
        watch = ClusterWatch(connection(url, session_name), observer, OPTIONS)
        task = asyncio.create_task(watch.run())
        try:
            yield task
        finally:
            await end_tasks([task])


async def test_a_cluster_is_told_with_its_nodes_their_ids_and_their_load() -> None:
    observer = Observer()
    async with watching(RecordedDashboard(), observer):
        await until(lambda: bool(observer.clusters))

    cluster = observer.clusters[0]
    assert cluster.state is ClusterState.CONNECTED
    assert cluster.ray_version == "2.60.0"
    assert cluster.node_count == sum(n.state is not NodeState.DEAD for n in observer.nodes)
    assert {node.cluster for node in observer.nodes} == {"ray_cluster_001"}
    assert all(node.id.startswith("ray_node_") for node in observer.nodes)


async def test_a_fault_is_told_with_its_reason_and_is_over_by_itself() -> None:
    observer, dashboard = Observer(), RecordedDashboard()
    async with watching(dashboard, observer):
        await until(lambda: bool(observer.clusters))
        dashboard.answers["/api/version"] = b'{"ray_ver'
        await until(lambda: observer.clusters[-1].state is ClusterState.LOST)
        lost, silent = observer.clusters[-1], observer.nodes
        del dashboard.answers["/api/version"]
        await until(lambda: observer.clusters[-1].state is ClusterState.CONNECTED)

    assert lost.state_reason is not None
    assert "as no Ray does" in lost.state_reason.detail
    assert lost.last_seen is not None
    assert all(node.load is None and node.state is not NodeState.ALIVE for node in silent)
    connected, lost_state = ClusterState.CONNECTED, ClusterState.LOST
    assert observer.states == [connected, lost_state, connected]


async def test_another_cluster_at_the_address_is_watched_under_its_own_id() -> None:
    observer = Observer()
    async with watching(RecordedDashboard(), observer, "session_gone"):
        await until(lambda: bool(observer.clusters))

    assert observer.clusters[0].id == "ray_cluster_002"
    assert observer.clusters[0].session_name == SESSION
    assert {node.cluster for node in observer.nodes} == {"ray_cluster_002"}


async def test_a_watch_ends_where_another_one_has_its_cluster() -> None:
    observer = Observer(is_watched=True)
    async with watching(RecordedDashboard(), observer, "session_gone") as task:
        await until(task.done)

    assert task.exception() is None
    assert observer.clusters == []
