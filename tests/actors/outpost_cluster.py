"""Another cluster that takes jobs and keeps an outpost, and the home from which it is installed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from ipaddress import ip_network
from typing import Any, Literal

from aiohttp import web

from castray.actors.names import ActorSettings, TransferSettings
from castray.actors.outposts import Outpost
from castray.discovery.cluster_watch import ClusterWatch, WatchOptions
from castray.models import Connection, OutpostRecord
from castray.transfer.keyed_http import KeyedServer
from castray.transfer.outpost_link import OutpostMember, OutpostSettings, OutpostView
from tests.discovery.job_server import TOKEN, JobServer
from tests.discovery.test_cluster_watch import Observer

__all__ = ["NODE", "STARTING", "STRAY", "Cluster", "Home"]

LOOPBACK = (ip_network("127.0.0.0/8"),)

NODE, STARTING, STRAY = "aa" * 28, "bb" * 28, "cc" * 28
"""The id of its node, and ids of nodes that it has only where a test says so."""

SETTINGS = ActorSettings(store_path="unused", transfer=TransferSettings(roots=("/data",)))


class Cluster:
    """Another cluster: its Jobs API, and a warden once a job has made one.

    Attributes:
        jobs: Its Jobs API.
        members: What its warden says of its agents.
    """

    def __init__(self) -> None:
        self.jobs = JobServer()
        self.jobs.rounds = 0
        self.members = [OutpostMember(node_id=NODE, host="127.0.0.1", port=28901)]
        self.settings: list[OutpostSettings] = []
        self._warden: KeyedServer | None = None

    @property
    def has_warden(self) -> bool:
        """Whether an outpost is there."""
        return self._warden is not None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer as its dashboard."""
        answer = await self.jobs.handle(request)
        if (request.method, request.path) == ("POST", "/api/jobs/") and answer.status == 200:
            await self._do(self.jobs.submitted[-1]["entrypoint"])
        return answer

    async def kill_warden(self) -> None:
        """End it, as if its process had been killed."""
        if self._warden is not None:
            await self._warden.aclose()
            self._warden = None

    async def _do(self, entrypoint: str) -> None:
        verb = entrypoint.split()[3]
        text = entrypoint.partition("'")[2].rpartition("'")[0]
        self.settings.append(OutpostSettings.model_validate_json(text))
        await self.kill_warden()
        if verb == "ensure":
            routes = [web.get("/outpost", self._answer), web.delete("/outpost", self._end)]
            self._warden = KeyedServer(routes, self.settings[-1].key_digest)
            self._port = await self._warden.start("127.0.0.1", [0])
            self.jobs.output = f"a warning\n{self._view().model_dump_json()}\n"

    def _view(self) -> OutpostView:
        return OutpostView(
            settings=self.settings[-1],
            host="127.0.0.1",
            port=self._port,
            members=tuple(self.members),
        )

    async def _answer(self, request: web.Request) -> web.Response:
        return web.Response(body=self._view().model_dump_json())

    async def _end(self, request: web.Request) -> web.Response:
        self._closing = asyncio.create_task(self.kill_warden())
        return web.Response()


class Home:
    """What the connector does for an outpost.

    Attributes:
        stored: Every connection that was stored, in order.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.stored: list[Connection] = []

    def outpost(
        self,
        record: OutpostRecord | None = None,
        *,
        when: Literal["on_demand", "on_connect", "never"] = "on_demand",
        allowed: tuple[Any, ...] = LOOPBACK,
    ) -> Outpost:
        """The outpost on that cluster, as a connector has it that just started."""
        connection = Connection(
            cluster="ray_cluster_001",
            session_name="session_x",
            address=self.url,
            dashboard_url=self.url,
            name="lab",
            token=TOKEN,
            outpost=record,
        )
        options = WatchOptions(
            allowed=LOOPBACK,
            timeout_s=1,
            monitor_port=9,
            monitor_poll_interval_s=5,
            monitor_timeout_s=1,
        )
        self.watch = ClusterWatch(connection, Observer(), options)
        settings = replace(SETTINGS, transfer=replace(SETTINGS.transfer, outposts=when))
        return Outpost(self.watch, settings, allowed, self._store)

    @property
    def record(self) -> OutpostRecord:
        """What was stored of the outpost last."""
        record = self.stored[-1].outpost
        assert record is not None
        return record

    async def _store(self, connection: Connection) -> None:
        self.stored.append(connection)
