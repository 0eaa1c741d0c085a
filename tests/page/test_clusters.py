"""Clusters on the page: how each stands, finding, connecting and disconnecting them."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from castray.api.auth import AccessPolicy
from castray.core.events import ClusterForgotten, ClusterObserved, ClustersFound, Noticed
from castray.core.notices import connected_notice, lost_notice
from castray.discovery.source import Rejected
from castray.errors import (
    ClusterUnreachableError,
    InvalidRequestError,
    NotFoundError,
    TokenMissingError,
)
from castray.models import ClusterState, Reason, ReasonCode
from tests.page.clusters import (
    LAB,
    cluster,
    discovery,
    external_node,
    lost_cluster,
    source_report,
)
from tests.page.nodes import membership, now

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page

    from castray.discovery.source import DiscoveryReport
    from castray.errors import CastRayError
    from tests.api.memory_backend import MemoryBackend
    from tests.page.server import PageServer

REFUSED = "refuses the connection: is Ray running there, and is this its dashboard's port?"
WANTS_TOKEN = "wants a token: give one with it."


def card_of(page: Page, cluster_id: str) -> Locator:
    return page.locator(f'[data-testid="cluster-card"][data-cluster="{cluster_id}"]')


def wants_token(cluster_id: str) -> ClustersFound:
    """A discovery found that cluster, which let nobody in."""
    reason = Reason(code=ReasonCode.CLUSTER_WANTS_TOKEN, detail=f"{cluster_id} {WANTS_TOKEN}")
    unread: dict[str, Any] = {"ray_version": None, "node_count": None, "resources": {}}
    found = cluster(cluster_id, ClusterState.FOUND, needs_token=True, state_reason=reason, **unread)
    return ClustersFound((found,))


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

    card = card_of(nodes_page, LAB)

    await expect(card).to_have_attribute("data-state", "connected")
    for text in ("lab", "127.0.0.1:8201", "Ray 2.60.0", "2 nodes", "CPU 5 / 8", "for 3m"):
        await expect(card).to_contain_text(text)
    await expect(card).to_contain_text("Ray processes, dashboard ports")


async def test_a_lost_cluster_says_why_and_how_long_ago_it_answered(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    registry.apply(ClusterObserved(cluster(), (external_node("N1"),)))
    await expect(card_of(nodes_page, LAB)).to_have_attribute("data-state", "connected")

    gone = lost_cluster(LAB, f"{LAB} {REFUSED}", last_seen=now() - timedelta(minutes=2))
    registry.apply(ClusterObserved(gone, ()))

    card = card_of(nodes_page, LAB)
    await expect(card).to_have_attribute("data-state", "lost")
    await expect(card.get_by_test_id("cluster-reason")).to_contain_text("refuses the connection")
    await expect(card.get_by_test_id("cluster-reason")).to_contain_text("2m")
    await expect(card).not_to_contain_text("CPU")


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
    await expect(card_of(nodes_page, LAB)).to_have_attribute("data-state", "connected")

    registry.take_down()

    await expect(card_of(nodes_page, LAB)).to_have_attribute("data-state", "unknown")
    registry.bring_back()


async def test_a_discovery_says_what_each_source_saw(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    lab = cluster()
    may_end = asyncio.Event()

    async def look(all_nodes: bool) -> DiscoveryReport:
        await may_end.wait()
        registry.apply(ClusterObserved(lab, (external_node("N1"),)))
        web = Rejected(address="127.0.0.1:8266", why="127.0.0.1:8266 is no Ray dashboard.")
        return discovery(
            (lab,),
            source_report("process_scan", clusters=("127.0.0.1:8201",)),
            source_report("dashboard_scan", rejected=(web,)),
            source_report("temp_dir", notes=("Session directories of clusters that ended: 1.",)),
            source_report("ray_status@M7", error=f"took too long, on all nodes: {all_nodes}"),
        )

    registry.on_discover = look
    await nodes_page.get_by_label("On every node").check()

    await nodes_page.get_by_role("button", name="Discover external clusters").click()
    await expect(nodes_page.get_by_test_id("discovery-running")).to_be_visible()
    may_end.set()

    result = nodes_page.get_by_test_id("discovery-result")
    await expect(result).to_contain_text("Found 1 external cluster(s); 1 of them connected.")
    for source, text in (
        ("process_scan", "1 cluster"),
        ("dashboard_scan", "127.0.0.1:8266 is no Ray dashboard."),
        ("temp_dir", "clusters that ended: 1"),
        ("ray_status@M7", "ray status @ M7"),
        ("ray_status@M7", "on all nodes: True"),
        ("ray_status@M7", "0.4 s"),
    ):
        await expect(result.locator(f'[data-source="{source}"]')).to_contain_text(text)
    await expect(card_of(nodes_page, LAB)).to_be_visible()
    await result.get_by_role("button", name="Close the result").click()
    await expect(result).to_have_count(0)


async def test_a_discovery_that_fails_says_why(
    registry: MemoryBackend, server: PageServer, page: Page
) -> None:
    async def refuse(all_nodes: bool) -> DiscoveryReport:
        raise InvalidRequestError(f"External clusters are turned off ({all_nodes}).")

    registry.on_discover = refuse
    await page.goto(f"{server.url}/ui")

    await page.get_by_role("button", name="Discover external clusters").click()

    await expect(page.get_by_text("External clusters are turned off (False)")).to_be_visible()


async def test_a_cluster_is_connected_by_address_with_a_name_and_a_token(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    asked: list[tuple[str, str | None, str | None]] = []

    async def connect(address: str, name: str | None, token: str | None) -> str:
        asked.append((address, name, token))
        registry.apply(ClusterObserved(cluster(name=name, address=address), ()))
        return LAB

    registry.on_connect = connect
    await nodes_page.get_by_role("button", name="Connect by address").click()
    dialog = nodes_page.get_by_role("dialog")

    await dialog.get_by_label("Address").fill(" ray://10.0.0.5:10001 ")
    await dialog.get_by_label("Name").fill("lab")
    await dialog.get_by_role("textbox", name="Token").fill("open sesame")
    await dialog.get_by_role("button", name="Connect").click()

    await expect(dialog).to_have_count(0)
    await expect(card_of(nodes_page, LAB)).to_contain_text("ray://10.0.0.5:10001")
    assert asked == [("ray://10.0.0.5:10001", "lab", "open sesame")]


@pytest.mark.parametrize(
    ("language", "field", "button", "error", "text"),
    [
        ("en-GB", "Address", "Connect", ClusterUnreachableError("10.9.9.9:1", REFUSED), REFUSED),
        ("zh-CN", "令牌", "连接", TokenMissingError("10.9.9.9:1", WANTS_TOKEN), "10.9.9.9:1："),
    ],
)
async def test_why_it_could_not_be_connected_stands_at_the_field_to_correct(
    registry: MemoryBackend,
    server: PageServer,
    browser: Browser,
    language: str,
    field: str,
    button: str,
    error: CastRayError,
    text: str,
) -> None:
    async def refuse(address: str, name: str | None, token: str | None) -> str:
        assert (address, name, token) == ("10.9.9.9:1", None, None)
        raise error

    registry.on_connect = refuse
    page = await browser.new_page(locale=language)
    await page.goto(f"{server.url}/ui")
    await page.get_by_role("button", name=re.compile("Connect by address|按地址连接")).click()
    await page.get_by_role("textbox").first.fill("10.9.9.9:1")
    await page.get_by_role("button", name=button, exact=True).click()

    field_at_fault = page.get_by_role("dialog").get_by_role("textbox", name=field)
    await expect(field_at_fault).to_have_attribute("aria-invalid", "true")
    await expect(field_at_fault).to_have_accessible_description(re.compile(re.escape(text[:20])))


async def test_a_found_cluster_that_wants_a_token_is_connected_with_one(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    registry.apply(wants_token(LAB))

    async def connect(address: str, name: str | None, token: str | None) -> str:
        registry.apply(ClusterObserved(cluster(address=address, name=str(token)), ()))
        return LAB

    registry.on_connect = connect
    card = card_of(nodes_page, LAB)
    await expect(card).to_contain_text("wants a token")
    await card.get_by_role("button", name="Connect").click()
    dialog = nodes_page.get_by_role("dialog")
    await expect(dialog.get_by_label("Address")).to_have_value("127.0.0.1:8201")
    await expect(dialog.get_by_role("textbox", name="Token")).to_be_focused()

    await nodes_page.keyboard.type("open sesame")
    await nodes_page.keyboard.press("Enter")

    await expect(card).to_have_attribute("data-state", "connected")
    await expect(card.get_by_role("heading", name="open sesame")).to_be_visible()


async def test_a_cluster_is_disconnected_only_when_that_is_confirmed(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    ended: list[str | None] = []

    async def disconnect(cluster_id: str | None, address: str | None) -> list[str]:
        assert address is None
        ended.append(cluster_id)
        registry.apply(ClusterForgotten(LAB))
        return [LAB]

    registry.on_disconnect = disconnect
    registry.apply(membership("M3"), ClusterObserved(cluster(), (external_node("N1"),)))
    card = card_of(nodes_page, LAB)

    await card.get_by_role("button", name="Disconnect").click()
    await nodes_page.get_by_role("button", name="Cancel").last.click()
    assert ended == []
    await card.get_by_role("button", name="Disconnect").click()
    await nodes_page.get_by_role("dialog").get_by_role("button", name="Disconnect").click()

    await expect(card).to_have_count(0)
    await expect(nodes_page.get_by_role("dialog")).to_have_count(0)
    await expect(nodes_page.get_by_test_id("node-card")).to_have_count(1)
    assert ended == [LAB]


async def test_a_disconnect_that_is_refused_says_why(
    registry: MemoryBackend, server: PageServer, page: Page
) -> None:
    async def refuse(cluster_id: str | None, address: str | None) -> list[str]:
        raise NotFoundError("connected cluster", cluster_id or address or "")

    registry.on_disconnect = refuse
    registry.apply(ClusterObserved(cluster(), ()))
    await page.goto(f"{server.url}/ui")

    await card_of(page, LAB).get_by_role("button", name="Disconnect").click()
    await page.get_by_role("dialog").get_by_role("button", name="Disconnect").click()

    await expect(page.get_by_role("dialog")).to_contain_text(f"no connected cluster {LAB}")


async def test_what_happens_is_told_once_in_the_pages_language_and_what_happened_is_not(
    registry: MemoryBackend, server: PageServer, nodes_page: Page
) -> None:
    registry.apply(Noticed(connected_notice(cluster("ray_cluster_009"), now())))
    await nodes_page.goto(f"{server.url}/ui")
    await expect(nodes_page.get_by_test_id("connection")).to_have_text("Live")
    toasts = nodes_page.get_by_test_id("toast")

    registry.apply(Noticed(connected_notice(cluster(name="lab"), now())))
    await expect(toasts).to_have_text(["Connected to lab at 127.0.0.1:8201."])
    gone = lost_cluster(LAB, f"{LAB} {REFUSED}", name="lab")
    registry.apply(Noticed(lost_notice(gone, now())))
    await expect(toasts).to_have_count(2)
    await nodes_page.get_by_text("中文").click()

    await expect(toasts.last).to_contain_text("连接已丢失")
    await toasts.first.get_by_role("button", name="关闭").click()
    await expect(toasts).to_have_count(1)


async def test_a_notice_leaves_by_itself(
    registry: MemoryBackend, server: PageServer, page: Page
) -> None:
    await page.clock.install()
    await page.goto(f"{server.url}/ui")
    await expect(page.get_by_test_id("connection")).to_have_text("Live")
    registry.apply(Noticed(connected_notice(cluster(), now())))
    await expect(page.get_by_test_id("toast")).to_be_visible()

    await page.clock.run_for(15_000)

    await expect(page.get_by_test_id("toast")).to_have_count(0)


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
        await card_of(nodes_page, f"ray_cluster_00{n}").evaluate(BORDER_COLOR) for n in (1, 2)
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

    assert await nodes_page.evaluate("document.documentElement.scrollWidth") <= 360


BORDER_COLOR = "card => getComputedStyle(card).borderLeftColor"


def node_card(page: Page, name: str) -> Locator:
    return page.locator(f'[data-testid="node-card"][data-node-name="{name}"]')


async def stripe(page: Page, name: str) -> str:
    """The colour at the side of that node's card."""
    color: str = await node_card(page, name).evaluate(BORDER_COLOR)
    return color
