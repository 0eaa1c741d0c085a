"""What happens to clusters is told on the page once, and goes away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.async_api import expect

from castray.core.events import Noticed
from castray.core.notices import connected_notice, lost_notice
from tests.page.clusters import LAB, REFUSED, cluster, lost_cluster
from tests.page.nodes import now

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.api.memory_backend import MemoryBackend
    from tests.page.server import PageServer


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
