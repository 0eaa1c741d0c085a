from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from castray.core.clusters import DEFAULT_ALLOWED_NETWORKS
from castray.discovery.address import parse_address
from castray.discovery.node_monitors import NodeMonitors
from castray.models import Load, MonitorView, NodeReport, ReasonCode, WorkReport, WorkStatus
from castray.transfer.http_agent import NodeNews
from castray.transfer.http_link import HttpAgentLink
from tests.api.waiting import until
from tests.core.given import node_facts
from tests.discovery.server import serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

STATUS = {
    "status": "detecting",
    "timestamp": "2026-01-01T12:00:00+00:00",
    "latest_state": {"status": "detecting", "timestamp": "2026-01-01T12:00:00+00:00"},
    "stats": {"total_processed": 1, "low_confidence_count": 0, "sent_to_server": 0},
}


class Service:
    """What listens on the monitor's port: a monitor, or CastRay itself."""

    def __init__(self) -> None:
        self.name = "CM-ZSB监控"
        self.requests = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        if request.path == "/api/health":
            return web.json_response({"status": "healthy", "service": self.name})
        return web.json_response(STATUS)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def monitors(service: Service) -> AsyncIterator[NodeMonitors]:
    """The monitors of nodes on this machine, where that service listens."""
    async with serve(service.handle) as url:
        monitors = NodeMonitors(
            parse_address(url).port,
            poll_interval_s=0.05,
            timeout_s=1.0,
            allowed=DEFAULT_ALLOWED_NETWORKS,
            on_news=lambda: None,
        )
        yield monitors
        await monitors.aclose()


async def test_the_work_of_a_node_is_read_at_its_own_address(monitors: NodeMonitors) -> None:
    await monitors.follow([node_facts("m1", address="127.0.0.1")])

    await until(lambda: "m1" in monitors.reports)
    assert monitors.reports["m1"].work.status is WorkStatus.DETECTING
    assert monitors.reports["m1"].monitor.reachable is True


async def test_castray_itself_is_never_taken_for_a_monitor(
    monitors: NodeMonitors, service: Service
) -> None:
    service.name = "castray"

    await monitors.follow([node_facts("m1", address="127.0.0.1")])

    await until(lambda: "m1" in monitors.reports)
    reason = monitors.reports["m1"].work.reason
    assert reason is not None
    assert reason.code is ReasonCode.PORT_IS_CASTRAY


async def test_a_node_that_is_gone_or_dead_is_followed_no_more(monitors: NodeMonitors) -> None:
    nodes = [node_facts("m1", address="127.0.0.1"), node_facts("m2", address="127.0.0.1")]
    await monitors.follow(nodes)
    await until(lambda: len(monitors.reports) == 2)

    await monitors.follow([node_facts("m1", alive=False, address="127.0.0.1")])

    assert monitors.reports == {}


@pytest.mark.parametrize("address", ["8.8.8.8", "169.254.169.254", "a-name"])
async def test_what_a_dashboard_says_leads_nowhere_that_is_not_allowed(
    monitors: NodeMonitors, address: str
) -> None:
    await monitors.follow([node_facts("bad", address=address), node_facts("m1", address="::1")])
    await until(lambda: "m1" in monitors.reports)

    assert set(monitors.reports) == {"m1"}


class Agent:
    """Our agent on a node, as far as it says what the node does; `skew` is its clock's."""

    def __init__(self, status: WorkStatus, skew: timedelta = timedelta(0)) -> None:
        self.sequence = 1
        self.status = status
        self._skew = skew

    async def handle(self, request: web.Request) -> web.StreamResponse:
        now = datetime.now(timezone.utc) + self._skew
        news = NodeNews(
            sequence=self.sequence,
            told_at=now,
            report=NodeReport(
                node_id="whatever it says",
                work=WorkReport(status=self.status),
                monitor=MonitorView(reachable=True, port=8000, last_seen=now),
                load=Load(measured_at=now, cpu_percent=50),
            ),
        )
        return web.Response(body=news.model_dump_json())


async def test_where_an_agent_of_ours_runs_it_says_what_its_node_does(
    monitors: NodeMonitors,
) -> None:
    node = node_facts("m1", address="127.0.0.1")
    async with serve(Agent(WorkStatus.SENDING).handle) as url:
        await monitors.follow([node], {"m1": HttpAgentLink(url, "key")})

        await until(lambda: "m1" in monitors.reports)

        report = monitors.reports["m1"]
    assert (report.node_id, report.work.status) == ("m1", WorkStatus.SENDING)
    assert report.load is not None
    assert report.load.cpu_percent == 50


@pytest.mark.parametrize("hours", [-30, 30])
async def test_what_an_agent_says_has_its_times_by_our_clock(
    monitors: NodeMonitors, hours: int
) -> None:
    agent = Agent(WorkStatus.SENDING, timedelta(hours=hours))
    before = datetime.now(timezone.utc) - timedelta(seconds=1)
    async with serve(agent.handle) as url:
        await monitors.follow(
            [node_facts("m1", address="127.0.0.1")], {"m1": HttpAgentLink(url, "key")}
        )
        await until(lambda: "m1" in monitors.reports)

    report = monitors.reports["m1"]
    assert report.load is not None
    assert report.monitor.last_seen is not None
    for time in (report.load.measured_at, report.monitor.last_seen):
        assert before < time <= datetime.now(timezone.utc)


async def test_where_our_agent_is_silent_the_monitor_is_read_from_here(
    monitors: NodeMonitors,
) -> None:
    async with serve(Agent(WorkStatus.SENDING).handle) as url:
        link = HttpAgentLink(url, "key")
        await monitors.follow([node_facts("m1", address="127.0.0.1")], {"m1": link})
        await until(lambda: "m1" in monitors.reports)

    await until(lambda: monitors.reports["m1"].work.status is WorkStatus.DETECTING)

    assert monitors.reports["m1"].load is None


async def test_what_is_known_of_a_node_stays_while_its_agent_is_new(
    monitors: NodeMonitors,
) -> None:
    node = node_facts("m1", address="127.0.0.1")
    await monitors.follow([node])
    await until(lambda: "m1" in monitors.reports)

    await monitors.follow([node], {"m1": HttpAgentLink("http://127.0.0.1:9", "key")})

    assert monitors.reports["m1"].work.status is WorkStatus.DETECTING
