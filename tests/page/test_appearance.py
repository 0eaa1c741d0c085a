"""Languages, colours, widths; and nothing from anywhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from castray.core.events import MembershipObserved
from castray.models import WorkStatus
from tests.page.nodes import facts, membership, report
from tests.page.width import fits_width

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from tests.api.memory_backend import MemoryBackend
    from tests.page.server import PageServer


async def test_a_chinese_browser_gets_the_page_in_chinese(
    registry: MemoryBackend, server: PageServer, browser: Browser
) -> None:
    registry.apply(membership("M3"), report("M3", None))
    page = await browser.new_page(locale="zh-CN")

    await page.goto(f"{server.url}/ui")

    await expect(page.get_by_test_id("reason")).to_contain_text("没有监控服务")
    await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


async def test_the_chosen_language_is_kept(registry: MemoryBackend, nodes_page: Page) -> None:
    registry.apply(membership("M3"), report("M3", WorkStatus.IDLE))

    await nodes_page.get_by_text("中文").click()
    await expect(nodes_page.get_by_test_id("node-card")).to_contain_text("空闲")
    await nodes_page.reload()

    await expect(nodes_page.get_by_test_id("node-card")).to_contain_text("空闲")


async def test_the_chosen_colours_are_kept(nodes_page: Page) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    light = await nodes_page.evaluate(background)

    await nodes_page.get_by_role("button", name="Use dark colours").click()
    dark = await nodes_page.evaluate(background)
    await nodes_page.reload()
    await expect(nodes_page.get_by_role("button", name="Use light colours")).to_be_visible()

    assert dark != light
    assert await nodes_page.evaluate(background) == dark


@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_nothing_sticks_out_at_the_side(
    registry: MemoryBackend, nodes_page: Page, width: int
) -> None:
    long_name = "campus-gate-camera-with-a-very-long-name-indeed"
    with_long_address = replace(facts("M2"), address="2001:db8:1234:5678:9abc:def0:1234:5678")
    registry.apply(
        MembershipObserved((facts("M1"), facts(long_name), with_long_address)),
        report(long_name, None),
    )
    await expect(nodes_page.get_by_test_id("node-card")).to_have_count(3)

    await nodes_page.set_viewport_size({"width": width, "height": 800})

    await expect(nodes_page.get_by_test_id("node-card").last).to_be_visible()
    await fits_width(nodes_page, width)


async def test_everything_comes_from_the_server_itself(
    registry: MemoryBackend, server: PageServer, page: Page
) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    registry.apply(membership("M3"))

    await page.goto(f"{server.url}/ui")
    await expect(page.get_by_test_id("node-card")).to_be_visible()

    assert requested
    assert [url for url in requested if not url.startswith(f"{server.url}/")] == []
