from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from castray.api.auth import AccessPolicy
from tests.page.server import PageServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page

    from tests.api.memory_backend import MemoryBackend

TOKEN = "correct-horse"


@pytest.fixture
async def url(registry: MemoryBackend) -> AsyncIterator[str]:
    server = PageServer(registry, AccessPolicy(token=TOKEN))
    await server.start()
    yield server.url
    await server.stop()


async def session_of(page: Page, url: str) -> int:
    return (await page.request.get(f"{url}/api/session")).status


async def test_who_types_the_token_in_gets_what_was_asked_for(page: Page, url: str) -> None:
    await page.goto(f"{url}/docs")

    await page.get_by_label("Access token").fill(f" {TOKEN} ")
    await page.get_by_role("button", name="Log in").click()

    await expect(page.get_by_role("heading", name="Records")).to_be_visible()
    assert await session_of(page, url) == 200


async def test_a_wrong_token_is_told_and_can_be_corrected(page: Page, url: str) -> None:
    await page.goto(f"{url}/docs")
    await page.get_by_label("Access token").fill("wrong-horse")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("typing mistake")

    await page.get_by_label("Access token").fill(TOKEN)
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("heading", name="Records")).to_be_visible()


async def test_the_printed_address_logs_in_and_its_token_does_not_stay(
    page: Page, url: str
) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))

    await page.goto(f"{url}/docs#token={TOKEN}")

    await expect(page.get_by_role("heading", name="Records")).to_be_visible()
    assert page.url == f"{url}/docs"
    assert [address for address in requested if TOKEN in address] == []


async def test_it_speaks_chinese_to_a_chinese_browser(browser: Browser, url: str) -> None:
    page = await browser.new_page(locale="zh-CN")

    await page.goto(f"{url}/ui")
    await page.get_by_label("访问令牌").fill("wrong-horse")
    await page.get_by_role("button", name="登录").click()

    await expect(page.get_by_role("alert")).to_contain_text("令牌")
    await expect(page.get_by_text("Access token")).to_be_hidden()


async def test_the_browser_has_nothing_to_complain_of(page: Page, url: str) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))

    await page.goto(f"{url}/docs")
    await page.get_by_label("Access token").fill(TOKEN)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Records")).to_be_visible()

    # That the first answer was a 401 is the browser's own remark.
    assert [c for c in complaints if "401" not in c] == []
