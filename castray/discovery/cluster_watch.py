"""Follows one connected cluster: reads it, notices loss and return, and publishes its records."""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Protocol

from castray.core.clusters import Watch, cluster_record
from castray.core.external_nodes import UsageClock, external_nodes, lost_nodes
from castray.core.nodes import node_key
from castray.discovery.dashboard import Dashboard
from castray.discovery.node_monitors import NodeMonitors
from castray.errors import CastRayError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from ipaddress import IPv4Network, IPv6Network

    from castray.core.external_nodes import ClusterReading
    from castray.models import Cluster, Connection, Node
    from castray.transfer.http_link import HttpAgentLink

__all__ = ["ClusterWatch", "WatchObserver", "WatchOptions"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class WatchOptions:
    """How clusters are watched."""

    allowed: Sequence[IPv4Network | IPv6Network]
    timeout_s: float
    monitor_port: int
    monitor_poll_interval_s: float
    monitor_timeout_s: float


class WatchObserver(Protocol):
    """Who is told what a watch sees."""

    async def observe(self, cluster: Cluster, nodes: Sequence[Node]) -> None:
        """These are the cluster and all its nodes now."""
        ...

    async def short_ids(self, keys: Sequence[str]) -> dict[str, str]:
        """The short ids of nodes by key; new ones are stored before this returns."""
        ...

    async def succeed(self, old: Connection, session_name: str) -> Connection | None:
        """Another cluster stands at the address now: the connection to it, stored.

        None where that is watched already: nothing is left for the asking watch to do.
        """
        ...


class ClusterWatch:
    """One connected cluster.

    Args:
        connection: Where it is, and how to get in.
        observer: Who is told.
        options: How to watch.
    """

    def __init__(
        self, connection: Connection, observer: WatchObserver, options: WatchOptions
    ) -> None:
        self.connection = connection
        self.outpost: Mapping[str, HttpAgentLink] = {}
        """Our agents on its nodes, by NodeID, as far as there are any."""
        self._observer = observer
        self._options = options
        self._state = Watch(connection.session_name)
        self._reading: ClusterReading | None = None
        self._usage = UsageClock()
        self._nodes: list[Node] = []
        self._news = asyncio.Event()
        self._monitors = self._new_monitors()
        self._rng = random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._dashboard: Dashboard | None = None

    async def run(self) -> None:
        """Read the cluster again and again, until cancelled or another watch has it."""
        try:
            while await self.read_once():
                await self._publish_news(self._state.delay_s(self._rng))
        finally:
            await self._monitors.aclose()
            await self._close_dashboard()

    async def read_once(self) -> bool:
        """Read the cluster and publish what is known then; a failure is what is known, too.

        Returns:
            Whether there is anything left to watch.
        """
        try:
            reading = await self._fetch_reading()
            is_other = reading.session_name != self.connection.session_name
            if is_other and not await self._become(reading.session_name):
                return False
        except CastRayError as error:
            self._state = self._state.failed(error)
            await self._close_dashboard()
            await self._monitors.follow(())
        else:
            self._state = self._state.answered(reading.session_name, _now())
            self._reading = reading
            await self._monitors.follow((node.facts for node in reading.nodes), self.outpost)
        await self._publish()
        return True

    async def _fetch_reading(self) -> ClusterReading:
        if self._dashboard is None:
            self._dashboard = await Dashboard.open(
                self.connection.dashboard_url,
                allowed=self._options.allowed,
                token=self.connection.token,
                timeout_s=self._options.timeout_s,
            )
        return await self._dashboard.fetch_reading()

    async def _close_dashboard(self) -> None:
        dashboard, self._dashboard = self._dashboard, None
        if dashboard is not None:
            await dashboard.aclose()

    async def _become(self, session_name: str) -> bool:
        """The same address, another cluster: nothing of the old one may stay."""
        successor = await self._observer.succeed(self.connection, session_name)
        if successor is None:
            return False
        self.connection, self.outpost = successor, {}
        self._usage, self._nodes = UsageClock(), []
        await self._monitors.aclose()
        self._monitors = self._new_monitors()
        return True

    async def _publish_news(self, for_s: float) -> None:
        """Publish what monitors say, as it comes, until the cluster is to be read again."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + for_s
        while (left_s := deadline - loop.time()) > 0:
            try:
                await asyncio.wait_for(self._news.wait(), left_s)
            except asyncio.TimeoutError:
                return
            self._news.clear()
            if self._state.is_connected:
                await self._publish()

    async def _publish(self) -> None:
        reading, reason = self._reading, self._state.reason()
        if reason is not None:
            self._nodes = lost_nodes(self._nodes, reason)
        elif reading is not None:
            self._nodes = await self._records(reading)
        cluster = cluster_record(self.connection, self._state, reading)
        try:
            await self._observer.observe(cluster, self._nodes)
        except CastRayError:
            logger.exception("what %s says could not be published; going on", cluster.name)

    async def _records(self, reading: ClusterReading) -> list[Node]:
        now, cluster = _now(), self.connection.cluster
        ids = await self._observer.short_ids(
            [node_key(cluster, n.facts.node_id) for n in reading.nodes]
        )
        return external_nodes(
            cluster,
            reading.nodes,
            measured_at=self._usage.observe(reading.nodes, now),
            id_of=lambda node_id: ids[node_key(cluster, node_id)],
            reports=self._monitors.reports,
            now=now,
        )

    def _new_monitors(self) -> NodeMonitors:
        return NodeMonitors(
            self._options.monitor_port,
            poll_interval_s=self._options.monitor_poll_interval_s,
            timeout_s=self._options.monitor_timeout_s,
            allowed=self._options.allowed,
            on_news=self._news.set,
        )


def _now() -> datetime:
    return datetime.now(timezone.utc)
