"""The actors of an outpost: what CastRay leaves on another cluster, with a key of its own.

The warden lives on that cluster's head. It keeps one agent on each living node, says where they
answer, and ends them all when it is told to, or when nobody asked for anything for long. They
speak HTTP, so nothing there has to be of our versions.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import ray
from aiohttp import web
from ray.exceptions import RayError
from ray.util import get_node_ip_address
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from castray.actors.background import BackgroundLoops
from castray.actors.priority import run_as_urgently_as_others
from castray.core.nodes import monitor_port
from castray.monitor.node_watch import NodeWatch
from castray.transfer.agent import SWEEP_EVERY_S, CastAgent
from castray.transfer.http_agent import serve_agent
from castray.transfer.keyed_http import KeyedServer
from castray.transfer.outpost_link import (
    OutpostMember,
    OutpostSettings,
    OutpostView,
    outpost_name,
)

__all__ = ["WARDEN_NAME", "OutpostAgent", "OutpostWarden", "warden_options"]

logger = logging.getLogger(__name__)

WARDEN_NAME = "OutpostWarden"
AGENT_PREFIX = "OutpostAgent:"

MEMBERSHIP_INTERVAL_S = 1.0
IDLE_INTERVAL_S = 60.0
HEARTBEAT_S = 1.0

ADDRESS_S = 2.0
"""A running agent says at once where it answers; a node that is gone without a word never does."""

FAREWELL_S = 5.0
"""To end what an agent is doing before its process is ended."""


def warden_options(settings: OutpostSettings) -> dict[str, Any]:
    """How the warden is created: on the head, for good."""
    return _lasting(WARDEN_NAME, settings) | {"resources": {"node:__internal_head__": 0.001}}


class OutpostWarden:
    """Keeps an agent on each living node of its cluster.

    Args:
        settings: What the outpost was installed with.
    """

    def __init__(self, settings: OutpostSettings) -> None:
        run_as_urgently_as_others()
        self._settings = settings
        self._me = ray.get_runtime_context().current_actor
        self._agents: dict[str, Any] = {}
        self._is_ending = False
        self._asked_at = time.monotonic()
        # One at a time, so that no agent is created while all are ended.
        self._changing = asyncio.Lock()
        routes = [web.get("/outpost", self._answer_view), web.delete("/outpost", self._answer_end)]
        self._server = KeyedServer(routes, settings.key_digest)
        self._host = _own_address()
        listening = self._server.start(self._host, settings.ports)
        self._listening = asyncio.create_task(listening, name="listen")
        self._loops = BackgroundLoops()
        self._loops.start("agents", self._ensure_agents, MEMBERSHIP_INTERVAL_S)
        interval_s = min(IDLE_INTERVAL_S, settings.idle_s)
        self._loops.start("idleness", self._end_if_idle, interval_s)

    async def settings(self) -> OutpostSettings:
        """What it runs with."""
        return self._settings

    async def view(self, wait_s: float = ADDRESS_S) -> OutpostView:
        """Where it and its agents answer now; one that starts is waited for so long.

        Raises:
            OSError: It has no port to listen on.
        """
        self._asked_at = time.monotonic()
        port = await asyncio.shield(self._listening)
        await self._ensure_agents()
        members = [self._member(node_id, agent, wait_s) for node_id, agent in self._agents.items()]
        answers = await asyncio.gather(*members)
        return OutpostView(
            settings=self._settings, host=self._host, port=port, members=tuple(answers)
        )

    async def _ensure_agents(self) -> None:
        # Ray answers this from this process or its node in a millisecond or two.
        nodes = {row["NodeID"]: row for row in ray.nodes() if row["Alive"]}  # type: ignore[no-untyped-call]
        async with self._changing:
            for node_id in self._agents.keys() - nodes.keys():
                del self._agents[node_id]
            for node_id in nodes.keys() - self._agents.keys():
                if not self._is_ending:
                    self._agents[node_id] = await asyncio.to_thread(
                        self._start_agent, node_id, nodes[node_id].get("Labels") or {}
                    )

    def _start_agent(self, node_id: str, labels: dict[str, str]) -> Any:
        agent = ray.remote(OutpostAgent).options(
            **_lasting(AGENT_PREFIX + node_id, self._settings),
            scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False),
        )
        port = monitor_port(labels, self._settings.monitor_port)
        return agent.remote(self._settings, node_id, port)

    async def _member(self, node_id: str, agent: Any, wait_s: float) -> OutpostMember:
        try:
            host, port = await asyncio.wait_for(agent.address.remote(), wait_s)
        except asyncio.TimeoutError:
            problem = f"has not answered for {wait_s:g} s"
        except RayError as error:
            # One that could not be created is dead for good; the next round makes another.
            self._agents.pop(node_id, None)
            problem = str(error).strip().splitlines()[-1]
        else:
            return OutpostMember(node_id=node_id, host=host, port=port)
        return OutpostMember(node_id=node_id, problem=problem)

    async def _end_if_idle(self) -> None:
        if time.monotonic() - self._asked_at > self._settings.idle_s:
            logger.info("nobody asked for anything for %g s: leaving", self._settings.idle_s)
            await self._end_agents()
            self._leave()

    async def _end_agents(self) -> None:
        async with self._changing:
            self._is_ending = True
            agents = list(self._agents.values())
            self._agents.clear()
        await asyncio.gather(*map(_end_agent, agents))

    def _leave(self) -> None:
        ray.kill(self._me, no_restart=True)

    async def _answer_view(self, request: web.Request) -> web.Response:
        view = await self.view(min(float(request.query.get("wait_s", ADDRESS_S)), 30.0))
        return web.Response(body=view.model_dump_json(), content_type="application/json")

    async def _answer_end(self, request: web.Request) -> web.Response:
        await self._end_agents()
        answer = web.Response()
        await answer.prepare(request)
        await answer.write_eof()
        self._leave()
        return answer


class OutpostAgent:
    """Sends and receives files of one node, and says what that node is doing.

    Args:
        settings: What the outpost was installed with.
        node_id: Ray's NodeID of the node that this runs on.
        monitor_port: Where the node's monitor listens on its localhost.
    """

    def __init__(self, settings: OutpostSettings, node_id: str, monitor_port: int) -> None:
        run_as_urgently_as_others()
        self._host = _own_address()
        self._agent = CastAgent(settings.roots, settings.ports, self._host)
        self._watch = NodeWatch(
            node_id,
            monitor_port,
            poll_interval_s=settings.monitor_poll_interval_s,
            timeout_s=settings.monitor_timeout_s,
        )
        self._server = serve_agent(self._agent, self._watch, settings.key_digest)
        listening = self._server.start(self._host, settings.ports)
        self._listening = asyncio.create_task(listening, name="listen")
        self._loops = BackgroundLoops()
        watch = self._watch.watch_monitor
        self._loops.start("monitor watch", watch, settings.monitor_poll_interval_s)
        self._loops.start("load", self._watch.sample_load, HEARTBEAT_S)
        self._loops.start("sweep", self._agent.sweep, SWEEP_EVERY_S)

    async def address(self) -> tuple[str, int]:
        """Where it answers.

        Raises:
            OSError: It has no port to listen on.
        """
        return self._host, await asyncio.shield(self._listening)

    async def aclose(self) -> None:
        """End what it is doing; what it received of a file is removed, for nobody sweeps here."""
        await self._server.aclose()
        reports = await self._agent.reports(-1, 0)
        for receiver in reports.receivers:
            await self._agent.end(receiver.cast_id, keep_partial=False)
        await self._agent.aclose()


def _own_address() -> str:
    address: str = get_node_ip_address()  # type: ignore[no-untyped-call]
    return address


async def _end_agent(agent: Any) -> None:
    try:
        await asyncio.wait_for(agent.aclose.remote(), FAREWELL_S)
    except (RayError, asyncio.TimeoutError) as error:
        logger.info("an agent is ended without its farewell: %s", error)
    ray.kill(agent, no_restart=True)


def _lasting(name: str, settings: OutpostSettings) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": outpost_name(settings.key_digest),
        "lifetime": "detached",
        "get_if_exists": True,
        "max_restarts": -1,
        "num_cpus": 0,
    }
