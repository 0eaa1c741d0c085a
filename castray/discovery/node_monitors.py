"""The monitors of another cluster's nodes, each read at the address of its node."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
from typing import TYPE_CHECKING

import aiohttp

from castray.core.clusters import refusal
from castray.core.nodes import monitor_port
from castray.discovery.tasks import end_tasks
from castray.models import MonitorView, NodeReport, Reason, WorkReport
from castray.monitor.client import MonitorClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from ipaddress import IPv4Network, IPv6Network

    from castray.core.events import NodeFacts
    from castray.monitor.client import MonitorReading

__all__ = ["NodeMonitors"]

logger = logging.getLogger(__name__)


class NodeMonitors:
    """One watch for each living node; `reports` always has what was read last.

    Args:
        port: Where monitors listen, unless a node's label says otherwise.
        poll_interval_s: How often a monitor that cannot stream is asked.
        timeout_s: For one answer.
        allowed: The networks that we may connect to, whatever a dashboard says of its nodes.
        on_news: Called after each change of `reports`.
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
        self._watches: dict[tuple[str, str, int], asyncio.Task[None]] = {}

    async def follow(self, nodes: Iterable[NodeFacts]) -> None:
        """Watch the monitors of exactly these nodes."""
        wanted = {
            (node.node_id, node.address, monitor_port(node.labels, self._port))
            for node in nodes
            if node.alive and self._may_connect(node.address)
        }
        await self._end([key for key in self._watches if key not in wanted])
        for key in wanted - self._watches.keys():
            self._watches[key] = asyncio.create_task(
                self._watch(*key), name=f"monitor of {key[1]}:{key[2]}"
            )

    async def aclose(self) -> None:
        """End every watch."""
        await self._end(list(self._watches))

    def _may_connect(self, address: str) -> bool:
        try:
            return refusal(ipaddress.ip_address(address), self._allowed) is None
        except ValueError:
            return False

    async def _end(self, keys: Sequence[tuple[str, str, int]]) -> None:
        await end_tasks([self._watches.pop(key) for key in keys])
        for node_id, _, _ in keys:
            self.reports.pop(node_id, None)

    async def _watch(self, node_id: str, address: str, port: int) -> None:
        host = f"[{address}]" if ":" in address else address
        while True:
            try:
                async with aiohttp.ClientSession() as session:
                    client = MonitorClient(
                        f"http://{host}:{port}", session, timeout_s=self._timeout_s
                    )
                    async with contextlib.aclosing(client.watch(self._poll_interval_s)) as watch:
                        async for reading in watch:
                            self.reports[node_id] = _report(node_id, port, client, reading)
                            self._on_news()
            except Exception:
                logger.exception("the watch of the monitor at %s:%d failed", address, port)
                await asyncio.sleep(self._poll_interval_s)


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
