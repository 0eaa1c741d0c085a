"""The page says when nothing is heard, believes nothing meanwhile, and recovers by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.async_api import expect

from castray.models import WorkStatus
from tests.page.nodes import membership, report

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from tests.api.memory_backend import MemoryBackend
    from tests.page.server import PageServer


async def test_without_a_server_it_tells_what_was_last_known_and_tries_again(
    registry: MemoryBackend, server: PageServer, page: Page
) -> None:
    registry.apply(membership("M3"), report("M3", WorkStatus.DETECTING))
    await page.goto(f"{server.url}/ui")
    card = page.get_by_test_id("node-card")
    await expect(card).to_have_attribute("data-work-status", "detecting")

    await server.stop()

    await expect(page.get_by_test_id("connection-banner")).to_contain_text("No connection")
    await expect(page.get_by_test_id("connection-banner")).to_contain_text("Attempt 2")
    await expect(card).to_have_attribute("data-work-status", "unknown")
    await expect(card).to_contain_text("Detecting")
    await expect(card.locator('[data-lit="true"][data-lamp]')).to_have_count(0)


async def test_when_the_server_is_back_it_shows_what_changed_meanwhile(
    registry: MemoryBackend, server: PageServer, page: Page
) -> None:
    registry.apply(membership("M1", "M2"), report("M2", WorkStatus.DETECTING))
    await page.goto(f"{server.url}/ui")
    await expect(page.get_by_test_id("node-card")).to_have_count(2)
    await server.stop()
    await expect(page.get_by_test_id("connection-banner")).to_be_visible()

    registry.apply(membership("M2"), report("M2", WorkStatus.SENDING))
    await server.start()

    card = page.get_by_test_id("node-card")
    await expect(page.get_by_test_id("connection-banner")).to_be_hidden()
    await expect(card).to_have_count(1)
    await expect(card).to_have_attribute("data-work-status", "sending")


async def test_without_a_registry_every_node_is_unknown_until_it_is_back(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    registry.apply(membership("M3"), report("M3", WorkStatus.IDLE))
    card = nodes_page.get_by_test_id("node-card")
    await expect(card).to_have_attribute("data-work-status", "idle")

    registry.take_down()

    await expect(card).to_have_attribute("data-state", "stale")
    await expect(card.get_by_test_id("reason")).to_contain_text("registry does not answer")
    registry.bring_back()
    await expect(card).to_have_attribute("data-work-status", "idle")


async def test_a_registry_that_starts_from_nothing_leaves_no_card_of_before(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    registry.apply(membership("M1", "M2"))
    cards = nodes_page.get_by_test_id("node-card")
    await expect(cards).to_have_count(2)

    registry.restart()
    registry.apply(membership("M2"), report("M2", WorkStatus.IDLE))

    await expect(cards).to_have_count(1)
    await expect(cards).to_have_attribute("data-work-status", "idle")


async def test_ages_are_told_by_the_servers_clock(
    registry: MemoryBackend, server: PageServer, browser: Browser
) -> None:
    registry.apply(membership("M3"), report("M3", WorkStatus.DETECTING))
    page = await browser.new_page(locale="en-GB")
    await page.clock.install(time="2001-01-01")

    await page.goto(f"{server.url}/ui")

    age = page.get_by_test_id("node-card").locator("time").first
    await page.clock.run_for(2_000)
    await expect(age).to_contain_text("for")
    text = await age.inner_text()
    assert text.endswith("s")
    assert int(text.removeprefix("for ").removesuffix("s")) < 60
