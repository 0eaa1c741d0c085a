"""The `StatusPoller` actor: asks the monitor on its own node, measures the node, and reports."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from typing import TYPE_CHECKING

import aiohttp

from castray.actors.background import BackgroundLoops
from castray.actors.priority import run_as_urgently_as_others
from castray.actors.registry_link import RegistryLink
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
from castray.monitor.service import MonitorServer

if TYPE_CHECKING:
    from datetime import datetime

    from castray.actors.names import ActorSettings
    from castray.discovery.source import Sightings
    from castray.monitor.client import MonitorReading

__all__ = ["StatusPoller"]

logger = logging.getLogger(__name__)

HEARTBEAT_S = 1.0
REPORT_TIMEOUT_S = 2.0
HAND_OVER_S = 3.0
"""How long a monitor of its own has to take the port that the embedded one left."""

MONITOR_HOST = "127.0.0.1"


class StatusPoller:
    """Pinned to one node; what it reports is always the whole truth of that moment.

    Args:
        settings: What the actors were started with.
        node_id: Ray's NodeID of the node that this runs on.
        monitor_port: Where the node's monitor listens on its localhost.
    """

    def __init__(self, settings: ActorSettings, node_id: str, monitor_port: int) -> None:
        run_as_urgently_as_others()
        self._settings = settings
        self._node_id = node_id
        self._port = monitor_port
        self._work = WorkReport(
            reason=Reason(
                code=ReasonCode.NOT_REPORTED_YET,
                detail="The node's poller has only just started to look for the monitor.",
            )
        )
        self._monitor = MonitorView(port=monitor_port)
        self._load: Load | None = None
        self._sampler = LoadSampler()
        self._registry = RegistryLink(settings.namespace, REPORT_TIMEOUT_S)
        self._news = asyncio.Event()
        self._client: MonitorClient | None = None
        self._embedded: MonitorServer | None = None
        self._no_monitor = asyncio.Event()
        self._loops = BackgroundLoops()
        self._loops.start("monitor watch", self._watch_monitor, settings.monitor_poll_interval_s)
        if settings.monitor_embedded:
            self._loops.start("embedded monitor", self._embed_monitor, 0.0)
        self._loops.start("load", self._sample_load, HEARTBEAT_S)
        self._loops.start("report", self._report, 0.0)

    async def ready(self) -> str:
        """Answers once the poller runs, with the id of its node."""
        return self._node_id

    async def look_for_clusters(self, method: str, first_port: int, last_port: int) -> Sightings:
        """What one discovery method sees on this node's machine."""
        # Not at the top: only a poller that is asked pays for these modules.
        from castray.discovery.sources import make_sources
        from castray.discovery.temp_dir import default_temp_dir

        (source,) = make_sources(
            [method],
            temp_dir=default_temp_dir(os.environ),
            ports=range(first_port, last_port + 1),
        )
        return await source.fetch()

    async def _watch_monitor(self) -> None:
        async with aiohttp.ClientSession() as session:
            client = MonitorClient(
                f"http://{MONITOR_HOST}:{self._port}",
                session,
                timeout_s=self._settings.monitor_timeout_s,
            )
            self._client = client
            watch = client.watch(self._settings.monitor_poll_interval_s)
            async with contextlib.aclosing(watch):
                async for reading in watch:
                    self._take(reading)

    def _take(self, reading: MonitorReading) -> None:
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
        self._news.set()

    def _monitor_last_seen(self) -> datetime | None:
        return self._client.last_seen if self._client is not None else None

    async def _embed_monitor(self) -> None:
        """Be this node's monitor while it has none, until one of its own wants the port."""
        await self._no_monitor.wait()
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

    async def _sample_load(self) -> None:
        self._load = await asyncio.to_thread(self._sampler.sample)
        self._news.set()

    async def _report(self) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._news.wait(), HEARTBEAT_S)
        self._news.clear()
        report = NodeReport(
            node_id=self._node_id,
            work=self._work,
            # A stream's keep-alives are signs of life too, between two readings.
            monitor=self._monitor.model_copy(update={"last_seen": self._monitor_last_seen()}),
            load=self._load,
        )
        await self._registry.call("report", report)
