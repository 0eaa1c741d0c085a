"""Logging in while the page is open, and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from castray.api.auth import AccessPolicy
from castray.models import WorkStatus
from tests.page.nodes import membership, report

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.api.memory_backend import MemoryBackend
    from tests.page.server import PageServer

TOKEN = "correct-horse"
VIEWER_TOKEN = "only-looking"


@pytest.fixture
def access() -> AccessPolicy:
    """Asks for a token."""
    return AccessPolicy(token=TOKEN, viewer_token=VIEWER_TOKEN)


async def open_page(page: Page, server: PageServer, token: str) -> None:
    await page.request.post(f"{server.url}/api/login", data={"token": token})
    await page.goto(f"{server.url}/ui")


async def test_when_the_session_ends_the_page_asks_for_the_token_and_goes_on(
    registry: MemoryBackend, server: PageServer, page: Page
) -> None:
    registry.apply(membership("M3"), report("M3", WorkStatus.IDLE))
    await open_page(page, server, TOKEN)
    await expect(page.get_by_test_id("node-card")).to_be_visible()
    await page.context.clear_cookies()
    await server.stop()
    await server.start()

    await page.get_by_label("Token").fill("wrong-horse")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("does not know this token")).to_be_visible()
    await page.get_by_label("Token").fill(TOKEN)
    await page.keyboard.press("Enter")

    await expect(page.get_by_test_id("node-card")).to_have_attribute("data-work-status", "idle")


async def test_logging_out_hides_the_nodes(
    registry: MemoryBackend, server: PageServer, page: Page
) -> None:
    registry.apply(membership("M3"))
    await open_page(page, server, TOKEN)

    await page.get_by_role("button", name="Log out").click()

    await expect(page.get_by_label("Token")).to_be_visible()
    await expect(page.get_by_test_id("node-card")).to_have_count(0)
    assert (await page.request.get(f"{server.url}/api/session")).status == 401


async def test_who_may_only_look_is_told_so(server: PageServer, page: Page) -> None:
    await open_page(page, server, VIEWER_TOKEN)

    await expect(page.get_by_text("Read only")).to_be_visible()


@pytest.mark.parametrize("access", [AccessPolicy()])
async def test_where_no_token_is_asked_for_there_is_nothing_to_log_out_of(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    registry.apply(membership("M3"))

    await expect(nodes_page.get_by_test_id("node-card")).to_be_visible()
    await expect(nodes_page.get_by_role("button", name="Log out")).to_have_count(0)
