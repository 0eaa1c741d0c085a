"""Killed, cut and stopped: seen within seconds, and over without a hand."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from tests.hosts import RAYLET
from tests.system.client import wait_until

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.system.client import Client, NodeRecord
    from tests.system.conftest import Edge

pytestmark = pytest.mark.timeout(300)

SEEN_WITHIN_S = 5.0
"""So long after its last report a node must no longer be shown as if somebody vouched for it."""

BACK_WITHIN_S = 60.0

CUT_S = 20.0
"""Ray itself calls a silent node dead after a minute: this is a cut that it does not notice."""

UI = "http://127.0.0.1:8000/ui"

REGISTRY = "^ray::ClusterRegistry"
POLLER = "^ray::StatusPoller"
REPLICA = "^ray::ServeReplica"


async def wait_until_silence_is_seen(castray: Client, name: str) -> NodeRecord:
    """Wait until a node is no longer shown as alive, and check that this was in time.

    The time counts from the node's last report, as the record itself has it.
    """
    record = await castray.wait_for_node(name, lambda node: bool(node["state"] != "alive"), 20)
    silent_for = datetime.now(timezone.utc) - datetime.fromisoformat(
        record["last_report"].replace("Z", "+00:00")
    )
    assert silent_for.total_seconds() < SEEN_WITHIN_S
    return record


def identities(nodes: dict[str, NodeRecord]) -> dict[str, str]:
    return {name: node["node_id"] for name, node in nodes.items()}


async def test_a_stopped_monitor_leaves_its_node_unknown_until_it_is_back(
    edge: Edge, castray: Client
) -> None:
    edge.worker.stop_monitor()

    record = await castray.wait_for_status("M3", "unknown", SEEN_WITHIN_S)
    edge.worker.start_monitor()
    await edge.worker.report("sending")
    back = await castray.wait_for_status("M3", "sending", BACK_WITHIN_S)

    assert record["work"]["reason"]["code"] == "no_monitor"
    assert record["state"] == "alive"
    assert back["monitor"]["kind"] == "stream"


async def test_a_killed_registry_comes_back_and_knows_every_node_once(
    edge: Edge, castray: Client
) -> None:
    before = await castray.fetch("/api/nodes")
    nodes_before = await castray.fetch_nodes()

    edge.head.host.kill(REGISTRY)
    await edge.worker.report("detecting")
    after = await wait_until(
        lambda: castray.fetch("/api/nodes"),
        lambda page: epoch(page["version"]) > epoch(before["version"]),
        BACK_WITHIN_S,
    )
    await castray.wait_for_status("M3", "detecting", BACK_WITHIN_S)
    for name in ("M1", "M2"):
        await castray.wait_for_status(name, "idle", BACK_WITHIN_S)

    assert after["total"] <= 3
    assert identities(await castray.fetch_nodes()) == identities(nodes_before)


async def test_a_killed_poller_comes_back_on_its_node(edge: Edge, castray: Client) -> None:
    killed = edge.worker.host.pids(POLLER)

    edge.worker.host.kill(POLLER)
    await edge.worker.report("detecting")
    await castray.wait_for_status("M3", "detecting", BACK_WITHIN_S)

    assert len(edge.worker.host.pids(POLLER)) == 1
    assert edge.worker.host.pids(POLLER) != killed
    assert len(await castray.fetch_nodes()) == 3


async def test_a_killed_api_comes_back_and_an_open_page_says_so_and_follows_again(
    edge: Edge, castray: Client, page: Page
) -> None:
    banner = page.get_by_test_id("connection-banner")
    cards = page.get_by_test_id("node-card")
    await page.goto(UI)
    await page.locator("[data-testid=node-card][data-work-status=idle]").nth(2).wait_for()

    edge.head.host.kill(REPLICA)
    await banner.wait_for()
    silent = await page.locator("[data-testid=node-card][data-work-status=unknown]").count()
    await banner.wait_for(state="detached", timeout=BACK_WITHIN_S * 1000)
    await edge.worker.report("sending")
    await page.locator("[data-node-name=M3][data-work-status=sending]").wait_for()

    assert silent == 3
    assert await cards.count() == 3


async def test_a_cut_node_is_stale_within_seconds_and_the_same_one_after_healing(
    edge: Edge, castray: Client
) -> None:
    before = await castray.fetch_nodes()

    edge.worker.host.cut()
    cut_at = asyncio.get_running_loop().time()
    try:
        stale = await wait_until_silence_is_seen(castray, "M3")
        classic = (await castray.fetch_dashboard_nodes())["M3"]
        await edge.bare.report("detecting")
        await castray.wait_for_status("M2", "detecting")
        await edge.worker.report("sending")
        await asyncio.sleep(cut_at + CUT_S - asyncio.get_running_loop().time())
    finally:
        edge.worker.host.heal()
    back = await castray.wait_for_status("M3", "sending", BACK_WITHIN_S)

    assert stale["state"] == "stale"
    assert stale["state_reason"]["code"] == "reports_stopped"
    assert stale["work"]["status"] == "unknown"
    assert stale["load"] is None
    assert (classic["cpu"], classic["usageKnown"]) == (None, False)
    assert classic["workStatusConfirmed"] is False
    assert back["state"] == "alive"
    assert identities(await castray.fetch_nodes()) == identities(before)


async def test_a_killed_raylet_is_seen_within_seconds_and_its_successor_takes_its_place(
    edge: Edge, castray: Client
) -> None:
    before = await castray.fetch_nodes()

    edge.worker.host.kill(RAYLET)
    gone = await wait_until_silence_is_seen(castray, "M3")
    edge.start_worker()
    await edge.worker.report("sending")
    back = await castray.wait_for_status("M3", "sending", BACK_WITHIN_S)

    assert gone["work"]["status"] == "unknown"
    assert gone["load"] is None
    assert back["state"] == "alive"
    assert back["node_id"] != before["M3"]["node_id"]
    assert set(await castray.fetch_nodes()) == {"M1", "M2", "M3"}


def epoch(version: str) -> int:
    return int(version.partition(".")[0])
