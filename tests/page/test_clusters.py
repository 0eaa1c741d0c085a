"""Clusters on the page: how each stands, and which node is of which."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from castray.api.auth import AccessPolicy
from castray.core.events import ClusterForgotten, ClusterObserved, Noticed
from castray.core.notices import connected_notice
from tests.page.clusters import (
    LAB,
    REFUSED,
    WANTS_TOKEN,
    cluster,
    cluster_card,
    external_node,
    lost_cluster,
    wants_token,
)
from tests.page.nodes import membership, node_card, now
from tests.page.width import fits_width

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from tests.api.memory_backend import MemoryBackend
    from tests.page.server import PageServer

BORDER_COLOR = "card => getComputedStyle(card).borderLeftColor"


async def test_with_only_the_home_cluster_the_panel_is_one_quiet_line(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    registry.apply(membership("M3"))

    await expect(nodes_page.get_by_test_id("clusters")).to_contain_text("No external cluster")
    await expect(nodes_page.get_by_test_id("node-card")).to_be_visible()
    await expect(nodes_page.get_by_test_id("cluster-card")).to_have_count(0)
    await expect(nodes_page.get_by_text("Group by cluster")).to_have_count(0)


async def test_a_connected_cluster_says_all_that_is_known_of_it(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    lab = cluster(name="lab", connected_since=now() - timedelta(minutes=3))
    registry.apply(membership("M3"), ClusterObserved(lab, (external_node("N1"),)))

    card = cluster_card(nodes_page, LAB)

    await expect(card).to_have_attribute("data-state", "connected")
    for text in ("lab", "127.0.0.1:8201", "Ray 2.60.0", "2 nodes", "CPU 5 / 8", "for 3m"):
        await expect(card).to_contain_text(text)
    await expect(card).to_contain_text("Ray processes, dashboard ports")


async def test_a_lost_cluster_says_why_and_how_long_ago_it_answered(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    registry.apply(ClusterObserved(cluster(), (external_node("N1"),)))
    await expect(cluster_card(nodes_page, LAB)).to_have_attribute("data-state", "connected")

    gone = lost_cluster(LAB, f"{LAB} {REFUSED}", last_seen=now() - timedelta(minutes=2))
    registry.apply(ClusterObserved(gone, ()))

    card = cluster_card(nodes_page, LAB)
    await expect(card).to_have_attribute("data-state", "lost")
    await expect(card.get_by_test_id("cluster-reason")).to_contain_text("refuses the connection")
    await expect(card.get_by_test_id("cluster-reason")).to_contain_text("2m")
    await expect(card).not_to_contain_text("CPU")


async def test_on_a_chinese_page_a_lost_cluster_says_why_in_chinese(
    registry: MemoryBackend, server: PageServer, browser: Browser
) -> None:
    page = await browser.new_page(locale="zh-CN")
    await page.goto(f"{server.url}/ui")
    why = f"{LAB} {WANTS_TOKEN} It is tried again by itself."
    registry.apply(ClusterObserved(lost_cluster(LAB, why), ()))

    reason = cluster_card(page, LAB).get_by_test_id("cluster-reason")

    await expect(reason).to_have_text(f"{LAB}：需要令牌；请用该集群自己的令牌连接。会自动重试。")


async def test_the_clusters_are_folded_away_and_stay_so(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    registry.apply(ClusterObserved(cluster(), ()), wants_token("ray_cluster_002"))
    await expect(nodes_page.get_by_test_id("cluster-card")).to_have_count(2)

    await nodes_page.get_by_role("button", name="1 Connected · 1 Found").click()
    await expect(nodes_page.get_by_test_id("cluster-card")).to_have_count(0)
    await nodes_page.reload()

    await expect(nodes_page.get_by_role("button", name="1 Connected · 1 Found")).to_be_visible()
    await expect(nodes_page.get_by_test_id("cluster-card")).to_have_count(0)


async def test_without_a_registry_nobody_says_how_a_cluster_stands(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    registry.apply(ClusterObserved(cluster(), (external_node("N1"),)))
    await expect(cluster_card(nodes_page, LAB)).to_have_attribute("data-state", "connected")

    registry.take_down()

    await expect(cluster_card(nodes_page, LAB)).to_have_attribute("data-state", "unknown")
    registry.bring_back()


async def test_a_node_carries_the_colour_of_its_cluster_and_an_icon(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    registry.apply(membership("M3"))
    for number in (1, 2):
        id_ = f"ray_cluster_00{number}"
        registry.apply(ClusterObserved(cluster(id_), (external_node(f"N{number}", id_),)))
    await expect(nodes_page.get_by_test_id("node-card")).to_have_count(3)

    colors = [await stripe(nodes_page, name) for name in ("M3", "N1", "N2")]
    of_clusters = [
        await cluster_card(nodes_page, f"ray_cluster_00{n}").evaluate(BORDER_COLOR) for n in (1, 2)
    ]

    assert len(set(colors)) == 3
    assert colors[1:] == of_clusters
    for name, label in (("M3", "Home cluster"), ("N1", "External cluster")):
        await expect(node_card(nodes_page, name).get_by_role("img", name=label)).to_be_visible()
    await expect(node_card(nodes_page, "N1")).to_contain_text("ray_cluster_001")


async def test_nodes_are_grouped_and_filtered_by_cluster(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    lab = ClusterObserved(cluster(name="lab"), (external_node("N1"),))
    registry.apply(membership("M3", "M4"), lab)
    names = nodes_page.get_by_test_id("node-card").get_by_role("heading")
    tile = nodes_page.get_by_role("button", name="lab 1", exact=True)

    await nodes_page.get_by_role("switch", name="Group by cluster").check()
    headings = nodes_page.get_by_test_id("cluster-heading")
    await expect(headings).to_have_text(["Home cluster2 nodes", "lab1 node"])
    await nodes_page.reload()
    await expect(headings).to_have_count(2)
    await tile.click()
    await expect(names).to_have_text(["N1"])
    await tile.click()
    await expect(names).to_have_text(["M3", "M4", "N1"])

    await tile.click()
    await expect(names).to_have_text(["N1"])
    registry.apply(ClusterForgotten(LAB))
    await expect(names).to_have_text(["M3", "M4"])


@pytest.mark.parametrize("access", [AccessPolicy(token="full-token", viewer_token="viewer-token")])
async def test_who_may_only_look_sees_clusters_but_nothing_to_change_them(
    registry: MemoryBackend, server: PageServer, page: Page
) -> None:
    registry.apply(ClusterObserved(cluster(), ()), wants_token("ray_cluster_002"))
    await page.request.post(f"{server.url}/api/login", data={"token": "viewer-token"})

    await page.goto(f"{server.url}/ui")

    await expect(page.get_by_text("Read only")).to_be_visible()
    await expect(page.get_by_test_id("cluster-card")).to_have_count(2)
    for name in ("Discover external clusters", "Connect by address", "Connect", "Disconnect"):
        await expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)


async def test_clusters_fit_a_phone(registry: MemoryBackend, nodes_page: Page) -> None:
    long_name = "x" * 100
    registry.apply(
        membership("M3"),
        ClusterObserved(cluster(name=long_name), (external_node("N1"),)),
        ClusterObserved(lost_cluster("ray_cluster_002", "x" * 300), ()),
        Noticed(connected_notice(cluster(name=long_name), now())),
    )
    await nodes_page.set_viewport_size({"width": 360, "height": 800})

    await expect(nodes_page.get_by_test_id("cluster-card")).to_have_count(2)

    await fits_width(nodes_page, 360)


async def stripe(page: Page, name: str) -> str:
    """The colour at the side of that node's card."""
    color: str = await node_card(page, name).evaluate(BORDER_COLOR)
    return color
