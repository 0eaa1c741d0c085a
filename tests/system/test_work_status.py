"""From a script's report on a node to the lamp in the browser, through everything between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.system.client import NodeRecord, wait_until

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse
    from playwright.async_api import Page

    from tests.system.client import Client
    from tests.system.conftest import Edge

pytestmark = pytest.mark.timeout(300)

UI = "http://127.0.0.1:8000/ui"

BEFORE = {"idle": "sending", "detecting": "idle", "sending": "detecting"}
"""A status that each is not."""

# The strongest part of the colour, red, green or blue, of the one lit lamp on a node's card.
LIT_COLOURS = """card => [...card.querySelectorAll('[data-lit=true] [data-color]')].map(lamp => {
  const parts = getComputedStyle(lamp).backgroundColor.match(/[0-9.]+/g).slice(0, 3).map(Number)
  return ['red', 'green', 'blue'][parts.indexOf(Math.max(...parts))]
})"""

COLOURS = {"idle": "green", "detecting": "blue", "sending": "red"}

SHOWN = ("workStatus", "workStatusConfirmed", "state", "nodeId")


@pytest.mark.parametrize("status", ["detecting", "sending", "idle"])
@pytest.mark.parametrize("name", ["M3", "M2"], ids=["a streaming monitor", "a monitor to poll"])
async def test_a_reported_status_is_in_every_answer_and_the_other_nodes_stay_as_they_were(
    edge: Edge, castray: Client, name: str, status: str
) -> None:
    await edge.nodes[name].report(BEFORE[status])
    await castray.wait_for_status(name, BEFORE[status])
    before = await castray.fetch_dashboard_nodes()
    async with castray.http.ws_connect(f"{castray.url}/ws") as socket:
        await edge.nodes[name].report(status, "camera 3")
        on_socket = await receive_status(socket, name, status)
    record = await castray.wait_for_status(name, status)
    after = await castray.fetch_dashboard_nodes()

    assert on_socket["workStatusConfirmed"] is True
    assert record["work"]["current_task"] == "camera 3"
    assert after[name]["workStatus"] == status
    assert after[name]["workStatusConfirmed"] is True
    assert after[name]["nodeIp"] == edge.nodes[name].host.address
    assert shown(after, without=name) == shown(before, without=name)


@pytest.mark.parametrize("name", ["M3", "M2"], ids=["a streaming monitor", "a monitor to poll"])
async def test_the_lamp_of_that_node_follows_in_the_browser(
    edge: Edge, castray: Client, page: Page, name: str
) -> None:
    await page.goto(UI)
    cards = page.get_by_test_id("node-card")
    card = page.locator(f"[data-testid=node-card][data-node-name={name}]")
    resting = page.locator("[data-testid=node-card][data-work-status=idle]")

    for status in ("detecting", "sending", "idle"):
        await edge.nodes[name].report(status)

        await card.and_(page.locator(f"[data-work-status={status}]")).wait_for()
        assert await card.evaluate(LIT_COLOURS) == [COLOURS[status]]
        assert await cards.count() == 3
        assert await resting.count() == (3 if status == "idle" else 2)


async def test_a_worker_with_nothing_but_ray_is_shown_like_the_others(
    edge: Edge, castray: Client
) -> None:
    nodes = await castray.fetch_nodes()

    bare, worker = nodes["M2"], nodes["M3"]
    assert set(bare) == set(worker)
    assert bare["connection"] == "wireless"
    assert bare["monitor"]["kind"] == "poll"
    assert worker["monitor"]["kind"] == "stream"
    assert bare["work"]["stats"]["total_processed"] == 7
    for figure in ("cpu_percent", "memory_percent", "disk_percent", "network_sent_bytes_per_s"):
        assert bare["load"][figure] >= 0, figure
        assert worker["load"][figure] >= 0, figure


async def test_a_node_shows_a_gpu_figure_only_where_a_gpu_was_measured(
    edge: Edge, castray: Client
) -> None:
    records = await castray.fetch_nodes()
    shown_nodes = await castray.fetch_dashboard_nodes()

    for name, record in records.items():
        has_gpu = record["load"]["gpus"] != []
        assert (shown_nodes[name]["gpu"] is not None) == has_gpu
        assert shown_nodes[name]["cpu"] is not None


async def receive_status(
    socket: ClientWebSocketResponse[bool], name: str, status: str
) -> NodeRecord:
    """That node, in the first message in which it has that status."""

    async def receive_node() -> NodeRecord:
        message = await socket.receive_json(timeout=10)
        assert message["type"] == "cluster_status"
        return next(node for node in message["data"]["nodes"] if node["name"] == name)

    return await wait_until(receive_node, lambda node: bool(node["workStatus"] == status), 10)


def shown(nodes: dict[str, NodeRecord], without: str) -> list[list[Any]]:
    """What the other nodes show, as far as only a report may change it."""
    return [[node[key] for key in SHOWN] for name, node in nodes.items() if name != without]
