"""The `ClusterConnector` actor: finds other clusters, and watches those that are connected."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import ray

from castray.actors.lookout import local_sources, remote_sources
from castray.actors.registry_link import RegistryLink
from castray.actors.stored_ids import StoredIds
from castray.core.events import ClusterForgotten, ClusterObserved, ClustersFound, Noticed
from castray.core.notices import (
    connected_notice,
    disconnected_notice,
    discovered_notice,
    lost_notice,
)
from castray.discovery.address import own_networks
from castray.discovery.cluster_watch import ClusterWatch, WatchOptions
from castray.discovery.dashboard import TIMEOUT_S, Dashboard
from castray.discovery.discover import discover
from castray.discovery.locate import Locator
from castray.discovery.probe import NetworkProbe
from castray.discovery.records import discovered_cluster, found_address, found_record
from castray.discovery.tasks import end_tasks
from castray.errors import (
    CastRayError,
    ClusterTooSlowError,
    InvalidRequestError,
    NotFoundError,
)
from castray.models import (
    Cluster,
    ClusterState,
    Connection,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Coroutine, Sequence
    from ipaddress import IPv4Network, IPv6Network
    from typing import Any, TypeVar

    from castray.actors.names import ActorSettings
    from castray.core.events import Event
    from castray.discovery.source import DiscoveryReport, FoundCluster, Source
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
        self._watches: dict[str, tuple[ClusterWatch, asyncio.Task[None]]] = {}
        self._clusters: dict[str, Cluster] = {}
        self._restored_clusters: set[str] = set()
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

    async def observe(self, cluster: Cluster, nodes: Sequence[Node]) -> None:
        """A watch saw this; told to people when it is a loss or a return."""
        before = self._clusters.get(cluster.id)
        self._clusters[cluster.id] = cluster
        await self._tell(ClusterObserved(cluster, tuple(nodes)))
        was = before.state if before else None
        if cluster.id in self._restored_clusters:
            self._restored_clusters.discard(cluster.id)
            return  # it was connected before our restart too: no news
        if cluster.state is ClusterState.LOST and was is ClusterState.CONNECTED:
            await self._tell(Noticed(lost_notice(cluster, _now())))
        elif cluster.state is ClusterState.CONNECTED and was is not ClusterState.CONNECTED:
            await self._tell(Noticed(connected_notice(cluster, _now())))

    async def short_ids(self, keys: Sequence[str]) -> dict[str, str]:
        """The short ids of nodes; new ones are stored before this returns."""
        return await self._node_ids.of(keys)

    async def succeed(self, old: Connection, session_name: str) -> Connection | None:
        """Another cluster stands at the address of `old`: watch that one instead.

        None where that one is watched already, by another address of it.
        """
        cluster_id = await self._cluster_id(session_name)
        if cluster_id in self._watches:
            del self._watches[old.cluster]
            await self._forget(old)
            return None
        new = old.model_copy(update={"cluster": cluster_id, "session_name": session_name})
        await self._registry.call("keep_connection", new)
        self._watches[cluster_id] = self._watches.pop(old.cluster)
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
        report = await self._look(await self._sources(all_nodes=all_nodes))
        for found in report.clusters:
            is_welcome = found.error is None and found.session_name not in left_alone
            if is_welcome and found.dashboard_url and not self._is_watched(found):
                await self._connect_found(found)
        await self._tell(ClustersFound(await self._found_records(report.clusters)))
        if report.clusters:
            nodes = sum(cluster.node_count or 0 for cluster in self._clusters.values())
            found_clusters = [discovered_cluster(found) for found in report.clusters]
            await self._tell(Noticed(discovered_notice(found_clusters, nodes, _now())))
        return report

    async def _connect_by_hand(self, address: str, name: str | None, token: str | None) -> str:
        deadline_s = self._external.timeout_s
        locator = Locator(self._allowed(), token, self._ports())
        try:
            url = await asyncio.wait_for(locator.fetch_dashboard_url(address), deadline_s)
        except asyncio.TimeoutError:
            raise ClusterTooSlowError(
                address, f"did not say within {deadline_s:g} s where its dashboard is."
            ) from None
        return await self._connect(address, url, name, token, (MANUAL,))

    async def _disconnect(self, cluster: str | None, address: str | None) -> list[str]:
        ended = [
            watch.connection
            for watch, _ in self._watches.values()
            if (cluster is None or watch.connection.cluster == cluster)
            and (address is None or _is_at(watch.connection, address))
        ]
        if not ended and (cluster or address):
            raise NotFoundError("connected cluster", cluster or address or "")
        for connection in ended:
            await self._registry.call("keep_disconnected", connection.session_name)
            await self._end_watch(connection.cluster)
            await self._forget(connection)
        return [connection.cluster for connection in ended]

    async def _forget(self, connection: Connection) -> None:
        await self._registry.call("forget_connection", connection.cluster)
        last = self._clusters.pop(connection.cluster, None)
        await self._tell(ClusterForgotten(connection.cluster))
        if last is not None:
            await self._tell(Noticed(disconnected_notice(last, _now())))

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
                self._restored_clusters.add(connection.cluster)
                self._start_watch(self._new_watch(connection))
            break
        self._restored.set()
        if self._external.enabled and self._external.auto_discover:
            try:
                report = await self._change(self._discover(left_alone=left_alone))
            except Exception:
                logger.exception("the discovery at start failed; it can be asked for again")
            else:
                logger.info("the discovery at start found %d clusters", len(report.clusters))

    async def _sources(self, *, all_nodes: bool) -> list[Source]:
        sources = local_sources(self._settings, self._allowed())
        if all_nodes:
            home = await self._registry.call("snapshot")
            sources += remote_sources(self._settings, home)
        return sources

    async def _look(self, sources: Sequence[Source]) -> DiscoveryReport:
        tokens = {
            watch.connection.dashboard_url: watch.connection.token
            for watch, _ in self._watches.values()
            if watch.connection.token
        }
        return await discover(
            sources,
            NetworkProbe(self._allowed(), tokens),
            self._external.timeout_s,
            exclude_session=self._home_session,
        )

    async def _connect_found(self, found: FoundCluster) -> None:
        url = found.dashboard_url or ""
        try:
            await self._connect(found_address(found), url, None, None, found.sources)
        except CastRayError as error:
            logger.warning("found %s but could not connect to it: %s", url, error)

    async def _connect(
        self, address: str, url: str, name: str | None, token: str | None, sources: tuple[str, ...]
    ) -> str:
        dashboard = await Dashboard.open(
            url, allowed=self._allowed(), token=token, timeout_s=self._timeout_s()
        )
        try:
            version = await dashboard.fetch_version()
            await dashboard.fetch_nodes()
        finally:
            await dashboard.aclose()
        if version.session_name == self._home_session:
            raise InvalidRequestError(
                f"{address} is the cluster that CastRay runs on; its nodes are shown already."
            )
        cluster_id = await self._cluster_id(version.session_name)
        connection = Connection(
            cluster=cluster_id,
            session_name=version.session_name,
            address=address,
            dashboard_url=url,
            name=name or self._name_of(cluster_id, address),
            token=token,
            sources=sources,
        )
        await self._registry.call("keep_connection", connection)
        await self._end_watch(cluster_id)
        await self._end_predecessors(connection)
        watch = self._new_watch(connection)
        # So that the caller finds the nodes as soon as it has its answer.
        await watch.read_once()
        self._start_watch(watch)
        return cluster_id

    def _name_of(self, cluster_id: str, address: str) -> str:
        last = self._clusters.get(cluster_id)
        return last.name if last else address

    def _is_watched(self, found: FoundCluster) -> bool:
        return any(
            watch.connection.session_name == found.session_name
            for watch, _ in self._watches.values()
        )

    async def _found_records(self, clusters: Sequence[FoundCluster]) -> tuple[Cluster, ...]:
        found = [cluster for cluster in clusters if not self._is_watched(cluster)]
        return tuple(
            [
                found_record(c, await self._cluster_id(c.session_name or found_address(c)))
                for c in found
            ]
        )

    def _new_watch(self, connection: Connection) -> ClusterWatch:
        return ClusterWatch(
            connection,
            self,
            WatchOptions(
                allowed=self._allowed(),
                timeout_s=self._timeout_s(),
                monitor_port=self._settings.monitor_port,
                monitor_poll_interval_s=self._settings.monitor_poll_interval_s,
                monitor_timeout_s=self._settings.monitor_timeout_s,
            ),
        )

    def _start_watch(self, watch: ClusterWatch) -> None:
        cluster = watch.connection.cluster
        task = asyncio.create_task(_run_watch(watch), name=f"watch of {cluster}")
        self._watches[cluster] = (watch, task)

    async def _end_watch(self, cluster: str) -> None:
        if cluster in self._watches:
            _, task = self._watches.pop(cluster)
            await end_tasks([task])

    async def _end_predecessors(self, connection: Connection) -> None:
        """End the watches of what was at that address before, which they may not know yet."""
        for watch, _ in list(self._watches.values()):
            if watch.connection.dashboard_url == connection.dashboard_url:
                await self._end_watch(watch.connection.cluster)
                await self._forget(watch.connection)

    async def _cluster_id(self, session_name: str) -> str:
        return (await self._cluster_ids.of([session_name]))[session_name]

    def _allowed(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks of the settings, and this machine's own addresses."""
        return (*map(ipaddress.ip_network, self._external.allowed_networks), *own_networks())

    def _ports(self) -> range:
        return range(self._external.first_port, self._external.last_port + 1)

    def _timeout_s(self) -> float:
        return min(self._external.timeout_s, TIMEOUT_S)

    async def _tell(self, event: Event) -> None:
        await self._registry.call("observe", event)


async def _run_watch(watch: ClusterWatch) -> None:
    while True:
        try:
            await watch.run()
        except Exception:
            logger.exception("the watch of %s failed; going on", watch.connection.cluster)
            await asyncio.sleep(RESTORE_RETRY_S)
        else:
            return


def _is_at(connection: Connection, address: str) -> bool:
    return address in (
        connection.address,
        connection.dashboard_url,
        connection.dashboard_url.partition("://")[2],
        connection.name,
    )


def _now() -> datetime:
    return datetime.now(timezone.utc)
