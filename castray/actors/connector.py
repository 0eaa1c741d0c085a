"""The `ClusterConnector` actor: finds other clusters, and watches those that are connected."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import ray

from castray.actors.cluster_news import ClusterNews
from castray.actors.lookout import Lookout
from castray.actors.outposts import Outpost
from castray.actors.registry_link import RegistryLink
from castray.actors.stored_ids import StoredIds
from castray.actors.watches import Watches
from castray.discovery.cluster_watch import ClusterWatch
from castray.discovery.records import found_address, found_record
from castray.errors import CastRayError, InvalidRequestError, NotFoundError
from castray.models import Cluster, Connection

if TYPE_CHECKING:
    from collections.abc import Collection, Coroutine, Sequence
    from typing import Any, TypeVar

    from castray.actors.agent_links import AgentAddress
    from castray.actors.names import ActorSettings
    from castray.discovery.source import DiscoveryReport, FoundCluster
    from castray.models import Node

    T = TypeVar("T")

__all__ = ["ClusterConnector"]

logger = logging.getLogger(__name__)

MANUAL = "manual"
RESTORE_RETRY_S = 0.5
REGISTRY_TIMEOUT_S = 10.0


class ClusterConnector:
    """Watches external clusters, each on its own; the registry is told what is seen.

    Args:
        settings: What the actors were started with.
    """

    def __init__(self, settings: ActorSettings) -> None:
        self._settings = settings
        self._external = settings.external
        self._home_session = ray.get_runtime_context().get_session_name()
        self._registry = RegistryLink(settings.namespace, REGISTRY_TIMEOUT_S)
        self._lookout = Lookout(settings, self._registry, self._home_session)
        self._news = ClusterNews(self._registry)
        self._watches = Watches(self._new_outpost)
        self._node_ids = StoredIds(self._registry, "node")
        self._cluster_ids = StoredIds(self._registry, "cluster")
        self._changes: set[asyncio.Task[Any]] = set()
        # One at a time: two discoveries, or two connects to one cluster, must not race.
        self._changing = asyncio.Lock()
        self._restored = asyncio.Event()
        self._start = asyncio.create_task(self._restore(), name="restore connections")

    async def ready(self) -> None:
        """Answers once the stored connections are watched again."""
        await self._restored.wait()

    async def discover(self, all_nodes: bool = False) -> DiscoveryReport:
        """Look for clusters, and connect to those that let us in, also if once disconnected.

        Args:
            all_nodes: On every home node's machine, not just on the head's.

        Raises:
            InvalidRequestError: The settings turn external clusters off.
        """
        self._require_enabled()
        return await self._change(self._discover(all_nodes=all_nodes))

    async def connect(self, address: str, name: str | None, token: str | None) -> str:
        """Connect to the cluster at that address, or connect anew; the id of the cluster.

        Raises:
            InvalidRequestError: That is no address, or it is CastRay's own cluster.
            ExternalClusterError: No cluster can be read there; the kind says which check failed.
        """
        self._require_enabled()
        return await self._change(self._connect_by_hand(address, name, token))

    async def disconnect(self, cluster: str | None = None, address: str | None = None) -> list[str]:
        """Disconnect the clusters of that id or address, or all; the ids of those disconnected.

        They stay disconnected, whatever a start finds, until somebody connects or discovers.

        Raises:
            NotFoundError: Nothing of that id or address is connected.
        """
        return await self._change(self._disconnect(cluster, address))

    async def withdraw(self) -> dict[str, str]:
        """Take all outposts away, because CastRay goes; what was connected is so when it is back.

        Returns:
            Why an outpost stays, by the name of its cluster.
        """
        return await self._change(self._withdraw())

    async def outpost_agent(self, cluster: str, node_id: str) -> AgentAddress:
        """Where the agent of an external node answers; installed there where it is missing.

        Raises:
            NotFoundError: That cluster is not connected, or has no such living node.
            InvalidRequestError: The settings forbid outposts.
            PeerError: It cannot be installed now, or does not start; the text says why.
        """
        await self._restored.wait()
        watched = self._watches.get(cluster)
        if watched is None:
            raise NotFoundError("connected cluster", cluster)
        return await watched.outpost.agent(node_id)

    async def observe(self, cluster: Cluster, nodes: Sequence[Node]) -> None:
        """A watch saw this."""
        await self._news.observe(cluster, nodes)

    async def short_ids(self, keys: Sequence[str]) -> dict[str, str]:
        """The short ids of nodes; new ones are stored before this returns."""
        return await self._node_ids.of(keys)

    async def succeed(self, old: Connection, session_name: str) -> Connection | None:
        """Another cluster stands at the address of `old`: watch that one instead.

        None where that one is watched already, by another address of it.
        """
        cluster_id = await self._cluster_id(session_name)
        if cluster_id in self._watches:
            await self._watches.drop(old.cluster)
            await self._forget(old)
            return None
        changes = {"cluster": cluster_id, "session_name": session_name, "outpost": None}
        new = old.model_copy(update=changes)
        await self._keep(new)
        self._watches.rename(old.cluster, cluster_id)
        await self._forget(old)
        return new

    async def _change(self, change: Coroutine[Any, Any, T]) -> T:
        """Do it alone and to its end, whatever becomes of the caller: never half of it."""
        task = asyncio.create_task(self._alone(change), name="change of connections")
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        return await asyncio.shield(task)

    async def _alone(self, change: Coroutine[Any, Any, T]) -> T:
        await self._restored.wait()
        async with self._changing:
            return await change

    async def _discover(
        self, *, all_nodes: bool = False, left_alone: Collection[str] = ()
    ) -> DiscoveryReport:
        """Look, connect, and tell; the clusters with the session names `left_alone` stay found."""
        report = await self._lookout.look(self._watches, all_nodes=all_nodes)
        for found in report.clusters:
            is_welcome = found.error is None and found.session_name not in left_alone
            if is_welcome and found.dashboard_url and not self._is_watched(found):
                await self._connect_found(found)
        unconnected = await self._found_records(report.clusters)
        await self._news.discovered(report.clusters, unconnected)
        return report

    async def _connect_by_hand(self, address: str, name: str | None, token: str | None) -> str:
        url = await self._lookout.fetch_dashboard_url(address, token)
        return await self._connect(address, url, name, token, (MANUAL,))

    async def _disconnect(self, cluster: str | None, address: str | None) -> list[str]:
        ended = [
            connection
            for connection in self._watches
            if (cluster is None or connection.cluster == cluster)
            and (address is None or _is_at(connection, address))
        ]
        if not ended and (cluster or address):
            raise NotFoundError("connected cluster", cluster or address or "")
        for connection in ended:
            await self._registry.call("keep_disconnected", connection.session_name)
            left_behind = await self._watches.remove(connection.cluster)
            await self._forget(connection, left_behind)
        return [connection.cluster for connection in ended]

    async def _withdraw(self) -> dict[str, str]:
        clusters = [connection for connection in self._watches if connection.outpost is not None]
        ends = await asyncio.gather(*(self._watches.remove(each.cluster) for each in clusters))
        for connection, left_behind in zip(clusters, ends, strict=True):
            if left_behind is None:
                await self._keep(connection.model_copy(update={"outpost": None}))
        return {each.name: why for each, why in zip(clusters, ends, strict=True) if why is not None}

    async def _keep(self, connection: Connection) -> None:
        await self._registry.call("keep_connection", connection)

    async def _forget(self, connection: Connection, left_behind: str | None = None) -> None:
        await self._registry.call("forget_connection", connection.cluster)
        await self._news.forget(connection.cluster, left_behind)

    def _require_enabled(self) -> None:
        if not self._external.enabled:
            raise InvalidRequestError(
                "External clusters are turned off: set external_cluster.enabled "
                "(EXTERNAL_CLUSTER_ENABLED) and start CastRay again."
            )

    async def _restore(self) -> None:
        """Watch what was connected before, then look for clusters once, as the settings say."""
        while self._external.enabled:
            try:
                await self._node_ids.restore()
                await self._cluster_ids.restore()
                connections: list[Connection] = await self._registry.call("connections")
                left_alone: list[str] = await self._registry.call("disconnected")
            except Exception:
                # Nothing works before this has, so it is tried whatever happened.
                logger.exception("the registry does not say what was connected; asking again")
                await asyncio.sleep(RESTORE_RETRY_S)
                continue
            for connection in connections:
                self._news.expect(connection.cluster)
                self._watches.start(self._new_watch(connection))
            break
        self._restored.set()
        if self._external.enabled and self._external.auto_discover:
            try:
                report = await self._change(self._discover(left_alone=left_alone))
            except Exception:
                logger.exception("the discovery at start failed; it can be asked for again")
            else:
                logger.info("the discovery at start found %d clusters", len(report.clusters))

    async def _connect_found(self, found: FoundCluster) -> None:
        url = found.dashboard_url or ""
        try:
            await self._connect(found_address(found), url, None, None, found.sources)
        except CastRayError as error:
            logger.warning("found %s but could not connect to it: %s", url, error)

    async def _connect(
        self, address: str, url: str, name: str | None, token: str | None, sources: tuple[str, ...]
    ) -> str:
        version = await self._lookout.fetch_version(address, url, token)
        cluster_id = await self._cluster_id(version.session_name)
        before = self._watches.get(cluster_id)
        connection = Connection(
            cluster=cluster_id,
            session_name=version.session_name,
            address=address,
            dashboard_url=url,
            name=name or self._news.name_of(cluster_id) or address,
            token=token,
            sources=sources,
            outpost=before.watch.connection.outpost if before else None,
        )
        await self._keep(connection)
        await self._watches.end(cluster_id)
        await self._end_predecessors(connection)
        watch = self._new_watch(connection)
        # So that the caller finds the nodes as soon as it has its answer.
        await watch.read_once()
        self._watches.start(watch)
        return cluster_id

    def _is_watched(self, found: FoundCluster) -> bool:
        return any(c.session_name == found.session_name for c in self._watches)

    async def _found_records(self, clusters: Sequence[FoundCluster]) -> tuple[Cluster, ...]:
        found = [cluster for cluster in clusters if not self._is_watched(cluster)]
        return tuple(
            [
                found_record(c, await self._cluster_id(c.session_name or found_address(c)))
                for c in found
            ]
        )

    def _new_watch(self, connection: Connection) -> ClusterWatch:
        return ClusterWatch(connection, self, self._lookout.watch_options())

    def _new_outpost(self, watch: ClusterWatch) -> Outpost:
        return Outpost(watch, self._settings, self._lookout.allowed(), self._keep)

    async def _end_predecessors(self, connection: Connection) -> None:
        """End the watches of what was at that address before, which they may not know yet."""
        for watched in self._watches:
            if watched.dashboard_url == connection.dashboard_url:
                await self._watches.end(watched.cluster)
                await self._forget(watched)

    async def _cluster_id(self, session_name: str) -> str:
        return (await self._cluster_ids.of([session_name]))[session_name]


def _is_at(connection: Connection, address: str) -> bool:
    return address in (
        connection.address,
        connection.dashboard_url,
        connection.dashboard_url.partition("://")[2],
        connection.name,
    )
