"""The monitors of another cluster's nodes, read at the address of each node or by our outpost."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple

import aiohttp

from castray.core.clusters import refusal
from castray.core.nodes import monitor_port
from castray.discovery.address import host_and_port
from castray.discovery.tasks import end_tasks
from castray.errors import PeerError
from castray.models import MonitorView, NodeReport, Reason, WorkReport
from castray.monitor.client import MonitorClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from ipaddress import IPv4Network, IPv6Network

    from castray.core.events import NodeFacts
    from castray.monitor.client import MonitorReading
    from castray.transfer.http_agent import NodeNews
    from castray.transfer.http_link import HttpAgentLink

__all__ = ["NodeMonitors"]

logger = logging.getLogger(__name__)

NEWS_WAIT_S = 5.0
"""A node measures its load each second, so the answer comes sooner."""

WITHOUT_OUTPOST_S = 5.0
"""How long a monitor is read from here before the outpost that did not answer is asked again."""


class _Watched(NamedTuple):
    """A node, and how its monitor is read."""

    node_id: str
    address: str
    port: int
    outpost: HttpAgentLink | None


class NodeMonitors:
    """One watch for each living node; `reports` always has what was read last.

    Args:
        port: Where monitors listen, unless a node's label says otherwise.
        poll_interval_s: How often a monitor that cannot stream is asked.
        timeout_s: For one answer.
        allowed: The networks that we may connect to, whatever a dashboard says of its nodes.
        on_news: Called after each change of `reports` that cannot wait.
    """

    def __init__(
        self,
        port: int,
        *,
        poll_interval_s: float,
        timeout_s: float,
        allowed: Sequence[IPv4Network | IPv6Network],
        on_news: Callable[[], None],
    ) -> None:
        self.reports: dict[str, NodeReport] = {}
        self._port = port
        self._poll_interval_s = poll_interval_s
        self._timeout_s = timeout_s
        self._allowed = allowed
        self._on_news = on_news
        self._watches: dict[_Watched, asyncio.Task[None]] = {}

    async def follow(
        self, nodes: Iterable[NodeFacts], outpost: Mapping[str, HttpAgentLink] | None = None
    ) -> None:
        """Watch the monitors of exactly these nodes.

        Args:
            nodes: The nodes.
            outpost: Our agents there by NodeID, which say more, and sooner.
        """
        wanted = {
            _Watched(
                node.node_id,
                node.address,
                monitor_port(node.labels, self._port),
                (outpost or {}).get(node.node_id),
            )
            for node in nodes
            if node.alive and self._may_connect(node.address)
        }
        await self._end([key for key in self._watches if key not in wanted])
        for node_id in self.reports.keys() - {key.node_id for key in wanted}:
            del self.reports[node_id]
        for key in wanted - self._watches.keys():
            self._watches[key] = asyncio.create_task(
                self._watch(key), name=f"monitor of {key.address}:{key.port}"
            )

    async def aclose(self) -> None:
        """End every watch."""
        await self.follow(())

    def _may_connect(self, address: str) -> bool:
        try:
            return refusal(ipaddress.ip_address(address), self._allowed) is None
        except ValueError:
            return False

    async def _end(self, ended: Sequence[_Watched]) -> None:
        await end_tasks([self._watches.pop(watched) for watched in ended])

    async def _watch(self, watched: _Watched) -> None:
        while True:
            try:
                if watched.outpost is None:
                    await self._read_monitor(watched)
                else:
                    await self._ask_outpost(watched.node_id, watched.outpost)
                    with contextlib.suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(self._read_monitor(watched), WITHOUT_OUTPOST_S)
            except Exception:
                logger.exception("the watch of %s:%d failed", watched.address, watched.port)
                await asyncio.sleep(self._poll_interval_s)

    async def _read_monitor(self, watched: _Watched) -> None:
        """Read the monitor from here, for ever."""
        url = f"http://{host_and_port(watched.address, watched.port)}"
        async with aiohttp.ClientSession() as session:
            client = MonitorClient(url, session, timeout_s=self._timeout_s)
            async with contextlib.aclosing(client.watch(self._poll_interval_s)) as watch:
                async for reading in watch:
                    self._take(_report(watched.node_id, watched.port, client, reading))

    async def _ask_outpost(self, node_id: str, outpost: HttpAgentLink) -> None:
        """Have our own agent on the node say what it sees, until it does not."""
        sequence = -1
        while True:
            try:
                news = await outpost.node_news(sequence, NEWS_WAIT_S)
            except PeerError as error:
                logger.info("the outpost on %s: %s", node_id, error)
                return
            sequence = news.sequence
            self._take(_told_here(news, node_id))

    def _take(self, report: NodeReport) -> None:
        before = self.reports.get(report.node_id)
        self.reports[report.node_id] = report
        if before is None or _gist(before) != _gist(report):
            self._on_news()


def _gist(report: NodeReport) -> NodeReport:
    """What is worth telling at once; the rest goes along with what the dashboard says."""
    monitor = report.monitor.model_copy(update={"last_seen": None})
    return report.model_copy(update={"load": None, "monitor": monitor})


def _told_here(news: NodeNews, node_id: str) -> NodeReport:
    """What an outpost said, with its times by our clock."""
    offset = datetime.now(timezone.utc) - news.told_at
    load, seen = news.report.load, news.report.monitor.last_seen
    times = {} if load is None else {"measured_at": load.measured_at + offset}
    last_seen = None if seen is None else seen + offset
    return NodeReport(
        node_id=node_id,
        work=news.report.work,
        monitor=news.report.monitor.model_copy(update={"last_seen": last_seen}),
        load=None if load is None else load.model_copy(update=times),
    )


def _report(node_id: str, port: int, client: MonitorClient, reading: MonitorReading) -> NodeReport:
    fault = reading.result if isinstance(reading.result, Reason) else None
    return NodeReport(
        node_id=node_id,
        work=WorkReport(reason=fault) if isinstance(reading.result, Reason) else reading.result,
        monitor=MonitorView(
            reachable=fault is None,
            port=port,
            kind=reading.kind,
            version=reading.version,
            last_seen=client.last_seen,
            error=fault,
        ),
        load=None,
    )
