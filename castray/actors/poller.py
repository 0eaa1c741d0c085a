"""The `StatusPoller` actor: asks the monitor on its own node, measures the node, and reports."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from castray.actors.background import BackgroundLoops
from castray.actors.priority import run_as_urgently_as_others
from castray.actors.registry_link import RegistryLink
from castray.monitor.node_watch import NodeWatch

if TYPE_CHECKING:
    from castray.actors.names import ActorSettings
    from castray.discovery.source import Sightings

__all__ = ["StatusPoller"]

FIRST_HEARTBEAT_S = 1.0
"""Until the registry says how often it wants to hear of this node."""

REPORT_TIMEOUT_S = 2.0


class StatusPoller:
    """Pinned to one node; what it reports is always the whole truth of that moment.

    Args:
        settings: What the actors were started with.
        node_id: Ray's NodeID of the node that this runs on.
        monitor_port: Where the node's monitor listens on its localhost.
    """

    def __init__(self, settings: ActorSettings, node_id: str, monitor_port: int) -> None:
        run_as_urgently_as_others()
        self._registry = RegistryLink(settings.namespace, REPORT_TIMEOUT_S)
        self._watch = NodeWatch(
            node_id,
            monitor_port,
            poll_interval_s=settings.monitor_poll_interval_s,
            timeout_s=settings.monitor_timeout_s,
        )
        self._reported = 0
        self._heartbeat_s = FIRST_HEARTBEAT_S
        self._loops = BackgroundLoops()
        watch = self._watch.watch_monitor
        self._loops.start("monitor watch", watch, settings.monitor_poll_interval_s)
        if settings.monitor_embedded:
            self._loops.start("embedded monitor", self._watch.embed_monitor, 0.0)
        self._loops.start("load", self._sample_load, 0.0)
        self._loops.start("report", self._report, 0.0)

    async def ready(self) -> str:
        """Answers once the poller runs, with the id of its node."""
        return self._watch.node_id

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

    async def _sample_load(self) -> None:
        await self._watch.sample_load()
        await asyncio.sleep(self._heartbeat_s)

    async def _report(self) -> None:
        await self._watch.wait_for_news(self._reported, self._heartbeat_s)
        self._reported = self._watch.sequence
        self._heartbeat_s = await self._registry.call("report", self._watch.report())
