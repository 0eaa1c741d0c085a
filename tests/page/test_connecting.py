"""Finding, connecting and disconnecting clusters on the page."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from castray.core.events import ClusterForgotten, ClusterObserved
from castray.discovery.source import Rejected
from castray.errors import (
    ClusterUnreachableError,
    InvalidRequestError,
    NotFoundError,
    TokenMissingError,
)
from tests.page.clusters import (
    LAB,
    REFUSED,
    WANTS_TOKEN,
    cluster,
    cluster_card,
    discovery,
    external_node,
    source_report,
    wants_token,
)
from tests.page.nodes import membership

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from castray.discovery.source import DiscoveryReport
    from castray.errors import CastRayError
    from tests.api.memory_backend import MemoryBackend
    from tests.page.server import PageServer


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
    await expect(cluster_card(nodes_page, LAB)).to_be_visible()
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
    await expect(cluster_card(nodes_page, LAB)).to_contain_text("ray://10.0.0.5:10001")
    assert asked == [("ray://10.0.0.5:10001", "lab", "open sesame")]


@pytest.mark.parametrize(
    ("language", "field", "button", "error", "text"),
    [
        ("en-GB", "Address", "Connect", ClusterUnreachableError("10.9.9.9:1", REFUSED), REFUSED),
        (
            "zh-CN",
            "令牌",
            "连接",
            TokenMissingError("10.9.9.9:1", WANTS_TOKEN),
            "10.9.9.9:1：需要令牌",
        ),
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
    card = cluster_card(nodes_page, LAB)
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
    card = cluster_card(nodes_page, LAB)

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

    await cluster_card(page, LAB).get_by_role("button", name="Disconnect").click()
    await page.get_by_role("dialog").get_by_role("button", name="Disconnect").click()

    await expect(page.get_by_role("dialog")).to_contain_text(f"no connected cluster {LAB}")
