"""What one node says of itself: its monitor's newest answer, and its load."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

import aiohttp

from castray.models import (
    Load,
    MonitorKind,
    MonitorView,
    NodeReport,
    Reason,
    ReasonCode,
    WorkReport,
)
from castray.monitor.client import MonitorClient
from castray.monitor.load import LoadSampler

if TYPE_CHECKING:
    from datetime import datetime

    from castray.monitor.client import MonitorReading
    from castray.monitor.service import MonitorServer

__all__ = ["NodeWatch"]

logger = logging.getLogger(__name__)

HAND_OVER_S = 3.0
"""How long a monitor of its own has to take the port that the embedded one left."""

MONITOR_HOST = "127.0.0.1"


class NodeWatch:
    """Reads the monitor on this node's localhost and measures the node.

    Its owner runs `watch_monitor` and `sample_load`, and `embed_monitor` if CastRay is to be the
    monitor where there is none, each again and again; `report` is the whole truth of a moment.

    Args:
        node_id: Ray's NodeID of the node that this runs on.
        monitor_port: Where the node's monitor listens.
        poll_interval_s: How often a monitor that cannot stream is asked.
        timeout_s: For one answer of it.
    """

    def __init__(
        self, node_id: str, monitor_port: int, *, poll_interval_s: float, timeout_s: float
    ) -> None:
        self.node_id = node_id
        self.sequence = 0
        """Grows with every change of the report."""
        self._port = monitor_port
        self._poll_interval_s = poll_interval_s
        self._timeout_s = timeout_s
        self._work = WorkReport(
            reason=Reason(
                code=ReasonCode.NOT_REPORTED_YET,
                detail="The node's poller has only just started to look for the monitor.",
            )
        )
        self._monitor = MonitorView(port=monitor_port)
        self._load: Load | None = None
        self._sampler = LoadSampler()
        self._news = asyncio.Event()
        self._client: MonitorClient | None = None
        self._embedded: MonitorServer | None = None
        self._no_monitor = asyncio.Event()

    def report(self) -> NodeReport:
        """What is known now."""
        return NodeReport(
            node_id=self.node_id,
            work=self._work,
            # A stream's keep-alives are signs of life too, between two readings.
            monitor=self._monitor.model_copy(update={"last_seen": self._monitor_last_seen()}),
            load=self._load,
        )

    async def wait_for_news(self, since: int, timeout_s: float) -> None:
        """Return once the sequence is another than `since`, or that time has passed."""
        if since == self.sequence:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), timeout_s)

    async def watch_monitor(self) -> None:
        """Read the monitor until that fails."""
        async with aiohttp.ClientSession() as session:
            client = MonitorClient(
                f"http://{MONITOR_HOST}:{self._port}", session, timeout_s=self._timeout_s
            )
            self._client = client
            async with contextlib.aclosing(client.watch(self._poll_interval_s)) as watch:
                async for reading in watch:
                    self._take(reading)

    async def sample_load(self) -> None:
        """Measure the node once."""
        self._load = await asyncio.to_thread(self._sampler.sample)
        self._tell()

    async def embed_monitor(self) -> None:
        """Be this node's monitor while it has none, until one of its own wants the port."""
        await self._no_monitor.wait()
        # Not at the top: only a node without a monitor pays for these modules.
        from castray.monitor.service import MonitorServer

        server = MonitorServer(MONITOR_HOST, self._port, steps_aside=True)
        try:
            await server.start()
            self._embedded = server
            await server.wait_to_step_aside()
        except OSError as error:
            logger.info("no embedded monitor on port %d: %s", self._port, error)
        finally:
            self._embedded = None
            await server.aclose()
        await asyncio.sleep(HAND_OVER_S)
        self._no_monitor.clear()

    def _take(self, reading: MonitorReading) -> None:
        before = (self._work, self._monitor)
        if isinstance(reading.result, Reason):
            self._work = WorkReport(reason=reading.result)
            self._monitor = self._monitor.model_copy(
                update={"reachable": False, "error": reading.result}
            )
            if reading.result.code is ReasonCode.NO_MONITOR:
                self._no_monitor.set()
        else:
            self._work = reading.result
            self._monitor = MonitorView(
                reachable=True,
                port=self._port,
                kind=reading.kind if self._embedded is None else MonitorKind.EMBEDDED,
                version=reading.version,
            )
        if (self._work, self._monitor) != before:
            self._tell()

    def _tell(self) -> None:
        self.sequence += 1
        self._news.set()
        self._news = asyncio.Event()

    def _monitor_last_seen(self) -> datetime | None:
        return self._client.last_seen if self._client is not None else None
