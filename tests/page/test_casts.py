"""Casts on the page: how each stands, and what can be done with it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from castray.api.auth import AccessPolicy
from castray.cast_models import Cast, CastAction, CastProblem, CastRoute, CastState
from castray.core.events import CastChanged
from castray.errors import InvalidRequestError
from tests.page.casts import MIB, cast_card, sample_cast, target, target_line
from tests.page.nodes import now
from tests.page.server import PageServer
from tests.page.width import fits_width

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from tests.api.memory_backend import MemoryBackend

pytestmark = pytest.mark.usefixtures("three_nodes")


@pytest.fixture
async def casts_page(nodes_page: Page) -> Page:
    """The list of casts, open."""
    await nodes_page.get_by_role("link", name="Casts").click()
    return nodes_page


async def test_what_a_target_waits_for_and_what_went_wrong_is_said_in_words(
    registry: MemoryBackend, casts_page: Page
) -> None:
    lost = CastProblem(path="a/b", problem="changed while it was sent")
    registry.apply(
        CastChanged(
            sample_cast(
                target("M1", CastState.QUEUED, waits_for="4 casts at once are the most on M1"),
                target("M2", bytes_total=None, route=CastRoute.RELAY),
                target("M3", CastState.PARTIAL, problems=(lost,), problems_total=7),
            )
        )
    )
    card = cast_card(casts_page)

    await expect(target_line(card, "M1")).to_contain_text(
        "waits: 4 casts at once are the most on M1"
    )
    await expect(target_line(card, "M2")).to_contain_text("through the head")
    await expect(target_line(card, "M3")).to_contain_text("a/b: changed while it was sent")
    await expect(target_line(card, "M3")).to_contain_text("6 more files")
    unknown = target_line(card, "M2")
    await expect(unknown.get_by_text("–", exact=True)).to_have_count(3)
    await expect(unknown.get_by_role("progressbar")).not_to_have_attribute(
        "aria-valuenow", re.compile("")
    )


async def test_a_cast_is_cancelled_only_when_that_is_confirmed(
    registry: MemoryBackend, casts_page: Page
) -> None:
    steered: list[tuple[str, CastAction]] = []

    async def steer(cast_id: str, action: CastAction) -> Cast:
        steered.append((cast_id, action))
        cast = sample_cast(target("M1", CastState.CANCELLED), state=CastState.CANCELLED)
        registry.apply(CastChanged(cast))
        return cast

    registry.on_steer = steer
    registry.apply(CastChanged(sample_cast(target("M1"))))
    card = cast_card(casts_page)

    await card.get_by_role("button", name="Cancel").click()
    await casts_page.get_by_role("button", name="Keep it going").last.click()
    assert steered == []
    await card.get_by_role("button", name="Cancel").click()
    await casts_page.get_by_role("dialog").get_by_role("button", name="Cancel the cast").click()

    await expect(card).to_have_attribute("data-state", "cancelled")
    await expect(casts_page.get_by_role("dialog")).to_have_count(0)
    assert steered == [("c1", CastAction.CANCEL)]


@pytest.mark.parametrize(
    ("state", "button", "after"),
    [
        (CastState.RUNNING, "Pause", CastState.PAUSED),
        (CastState.PAUSED, "Resume", CastState.RUNNING),
        (CastState.PARTIAL, "Retry", CastState.QUEUED),
    ],
)
async def test_a_cast_is_steered_as_its_state_allows(
    registry: MemoryBackend,
    casts_page: Page,
    state: CastState,
    button: str,
    after: CastState,
) -> None:
    async def steer(cast_id: str, action: CastAction) -> Cast:
        assert action.value == button.lower()
        cast = sample_cast(target("M1", after), state=after)
        registry.apply(CastChanged(cast))
        return cast

    registry.on_steer = steer
    registry.apply(CastChanged(sample_cast(target("M1", state), state=state)))

    await cast_card(casts_page).get_by_role("button", name=button).click()

    await expect(cast_card(casts_page)).to_have_attribute("data-state", after.value)


async def test_why_a_cast_cannot_be_steered_stands_beside_the_button(
    registry: MemoryBackend, server: PageServer, page: Page
) -> None:
    async def refuse(cast_id: str, action: CastAction) -> Cast:
        raise InvalidRequestError("The cast has ended meanwhile.")

    registry.on_steer = refuse
    registry.apply(CastChanged(sample_cast(target("M1"))))
    await page.goto(f"{server.url}/ui/casts")

    await cast_card(page).get_by_role("button", name="Pause").click()

    await expect(cast_card(page).get_by_role("alert")).to_have_text("The cast has ended meanwhile.")


async def test_history_goes_back_a_page_at_a_time(
    registry: MemoryBackend, server: PageServer, nodes_page: Page
) -> None:
    ended: dict[str, Any] = {"state": CastState.COMPLETED, "ended": now()}
    registry.remembered = [
        sample_cast(
            target("M1", CastState.COMPLETED),
            id=f"c{number}",
            created=now() - timedelta(minutes=number),
            **ended,
        )
        for number in range(60)
    ]
    await nodes_page.goto(f"{server.url}/ui/casts")
    cards = nodes_page.get_by_test_id("cast")
    await expect(cards).to_have_count(50)

    await nodes_page.get_by_role("button", name="Older casts").click()

    await expect(cards).to_have_count(60)
    await expect(cards.last).to_have_attribute("data-cast", "c59")
    await expect(nodes_page.get_by_role("button", name="Older casts")).to_have_count(0)


async def test_without_a_registry_nobody_says_how_fast_a_cast_goes(
    registry: MemoryBackend, casts_page: Page
) -> None:
    rate: dict[str, Any] = {"rate_bytes_per_s": 10.0 * MIB, "eta_s": 7.5}
    registry.apply(CastChanged(sample_cast(target("M1", **rate), **rate)))
    card = cast_card(casts_page)
    await expect(target_line(card, "M1")).to_contain_text("10 MiB/s")

    registry.take_down()

    await expect(card).to_contain_text("Unknown")
    await expect(card).not_to_contain_text("10 MiB/s")
    registry.bring_back()
    await expect(card).to_contain_text("10 MiB/s")


async def test_the_header_says_how_many_casts_have_not_ended_and_leads_to_them(
    registry: MemoryBackend, server: PageServer, nodes_page: Page
) -> None:
    registry.apply(
        CastChanged(sample_cast(target("M1"))),
        CastChanged(sample_cast(target("M2"), id="c2", state=CastState.PAUSED)),
        CastChanged(sample_cast(target("M2"), id="c3", state=CastState.FAILED)),
    )

    link = nodes_page.get_by_role("link", name="Casts")
    await expect(link).to_contain_text("2")
    await link.click()
    await expect(nodes_page.get_by_test_id("cast")).to_have_count(3)
    await expect(nodes_page).to_have_url(f"{server.url}/ui/casts")
    await nodes_page.go_back()

    await expect(nodes_page.get_by_test_id("node-card")).to_have_count(3)


async def test_who_may_only_look_sees_casts_and_no_buttons(
    registry: MemoryBackend, browser: Browser
) -> None:
    server = PageServer(registry, AccessPolicy(token="full", viewer_token="look"))
    await server.start()
    registry.apply(CastChanged(sample_cast(target("M1"))))
    context = await browser.new_context(locale="en-GB")
    await context.request.post(f"{server.url}/api/login", data={"token": "look"})
    page = await context.new_page()

    await page.goto(f"{server.url}/ui/casts")

    await expect(cast_card(page)).to_contain_text("Running")
    await expect(page.get_by_text("Read only")).to_be_visible()
    for name in ("Cast files", "Cancel", "Pause"):
        await expect(page.get_by_role("button", name=name)).to_have_count(0)
    await context.close()
    await server.stop()


@pytest.mark.parametrize("width", [320, 1280])
async def test_nothing_sticks_out_at_the_side(
    registry: MemoryBackend, casts_page: Page, width: int
) -> None:
    long = "campus-gate-camera-with-a-very-long-name-indeed/" * 3
    problem = CastProblem(path=long, problem="changed while it was sent")
    registry.apply(
        CastChanged(
            sample_cast(
                target("M1", path=f"/srv/{long}", problems=(problem,), problems_total=1),
                target("M2", bytes_done=MIB, rate_bytes_per_s=1.5, eta_s=98765.0),
            )
        )
    )
    await casts_page.set_viewport_size({"width": width, "height": 800})

    await expect(target_line(cast_card(casts_page), "M2")).to_be_visible()
    await fits_width(casts_page, width)


async def test_a_chinese_browser_gets_casts_in_chinese(
    registry: MemoryBackend, server: PageServer, browser: Browser
) -> None:
    lost = CastProblem(path="a/b", problem="vanished while it was cast")
    registry.apply(
        CastChanged(
            sample_cast(
                target("M1", problems=(lost,), problems_total=1),
                target("M2", CastState.QUEUED, waits_for="M2 is dead"),
                target("M3", CastState.FAILED, error="met the moon"),
            )
        )
    )
    page = await browser.new_page(locale="zh-CN")

    await page.goto(f"{server.url}/ui/casts")

    card = cast_card(page)
    await expect(target_line(card, "M1")).to_contain_text("传输中")
    await expect(target_line(card, "M1")).to_contain_text("a/b：在传输过程中消失")
    await expect(target_line(card, "M2")).to_contain_text("等待： M2 已停止")
    await expect(card.locator('[lang="en"]')).to_have_text(["met the moon"])
    await page.get_by_role("button", name="传输文件").click()
    await expect(page.get_by_role("dialog")).to_contain_text("来源节点")
