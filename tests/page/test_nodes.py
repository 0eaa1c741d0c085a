"""Cards, lamps and rings say what is known of each node, and no more."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from castray.core.events import MembershipObserved, TasksObserved, TimePassed
from castray.models import Gpu, Load, WorkStatus
from tests.page.nodes import facts, membership, now, report

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page

    from tests.api.memory_backend import MemoryBackend
    from tests.page.server import PageServer

PULSE = """lamp => {
  const { animationName, animationDuration } = getComputedStyle(lamp, '::after')
  return [animationName, animationDuration]
}"""

MAX_PRESSES = 10

WORKING = [WorkStatus.IDLE, WorkStatus.DETECTING, WorkStatus.SENDING]


def card_of(page: Page, name: str) -> Locator:
    return page.locator(f'[data-testid="node-card"][data-node-name="{name}"]')


def lit_lamps(card: Locator) -> Locator:
    return card.locator('[data-lamp][data-lit="true"]')


async def test_a_card_says_what_is_known_of_its_node(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    load = Load(measured_at=now(), cpu_percent=41.6, memory_percent=63.0)
    registry.apply(
        membership("M3"),
        report("M3", WorkStatus.DETECTING, task="digits batch 7", load=load),
        TasksObserved((("id-of-M3", "ServeReplica:detect"),), ()),
    )

    card = card_of(nodes_page, "M3")

    for text in ("M3", "10.30.2.1", "Head", "Alive", "digits batch 7", "ServeReplica:detect"):
        await expect(card).to_contain_text(text)
    for picture in ("Wired", "CPU: 42 %", "Memory: 63 %", "Detecting: lit"):
        await expect(card.get_by_role("img", name=picture)).to_be_visible()


async def test_what_was_not_measured_is_an_empty_ring_and_no_zero(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    load = Load(measured_at=now(), cpu_percent=0.0)
    registry.apply(membership("M3"), report("M3", WorkStatus.IDLE, load=load))

    card = card_of(nodes_page, "M3")

    await expect(card.get_by_role("img", name="CPU: 0 %")).to_have_text("0")
    for name in ("Memory", "GPU"):
        await expect(card.get_by_role("img", name=f"{name}: not measured")).to_have_text("–")


async def test_the_gpu_ring_is_the_mean_of_the_gpus_that_could_be_read(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    gpus = tuple(
        Gpu(
            index=i,
            name="Orin",
            utilization_percent=percent,
            memory_used_bytes=None,
            memory_total_bytes=None,
        )
        for i, percent in enumerate((20.0, None, 60.0))
    )
    load = Load(measured_at=now(), gpus=gpus)
    registry.apply(membership("M3"), report("M3", WorkStatus.IDLE, load=load))

    await expect(nodes_page.get_by_role("img", name="GPU: 40 %")).to_be_visible()


@pytest.mark.parametrize("status", WORKING)
async def test_only_the_lamp_of_the_status_is_lit(
    registry: MemoryBackend, nodes_page: Page, status: WorkStatus
) -> None:
    registry.apply(membership("M1", "M2"), report("M1", WorkStatus.IDLE), report("M2", status))

    card = card_of(nodes_page, "M2")

    await expect(card).to_have_attribute("data-work-status", status.value)
    await expect(lit_lamps(card)).to_have_count(1)
    await expect(lit_lamps(card)).to_have_attribute("data-lamp", status.value)


async def test_the_lamp_follows_the_status_and_other_nodes_stay_as_they_were(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    registry.apply(membership("M1", "M2"), report("M1", WorkStatus.IDLE))

    for status in WORKING:
        registry.apply(report("M2", status))

        await expect(lit_lamps(card_of(nodes_page, "M2"))).to_have_attribute(
            "data-lamp", status.value
        )
        await expect(lit_lamps(card_of(nodes_page, "M1"))).to_have_attribute("data-lamp", "idle")


async def test_detecting_pulses_and_sending_pulses_faster(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    names = [status.value for status in WORKING]
    registry.apply(membership(*names), *map(report, names, WORKING))

    idle, detecting, sending = [await pulse_s(card_of(nodes_page, name)) for name in names]

    assert idle is None
    assert detecting is not None
    assert sending is not None
    assert sending < detecting


async def test_nothing_pulses_for_those_who_want_no_motion(
    registry: MemoryBackend, server: PageServer, browser: Browser
) -> None:
    registry.apply(membership("M3"), report("M3", WorkStatus.SENDING))
    page = await browser.new_page(reduced_motion="reduce")

    await page.goto(f"{server.url}/ui")

    assert await pulse_s(card_of(page, "M3")) is None


async def test_an_unknown_status_has_no_lit_lamp_and_says_why(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    registry.apply(membership("M3"), report("M3", None))

    card = card_of(nodes_page, "M3")

    await expect(card).to_have_attribute("data-work-status", "unknown")
    await expect(card.get_by_test_id("reason")).to_contain_text("No monitor answers on port 8000")
    await expect(card.locator("[data-lamp]")).to_have_count(3)
    await expect(lit_lamps(card)).to_have_count(0)


async def test_a_silent_node_is_stale_and_a_dead_one_dead_and_neither_has_a_lit_lamp(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    later = now().replace(year=now().year + 1)
    alive = (report("M1", WorkStatus.IDLE), report("M2", WorkStatus.IDLE))
    registry.apply(membership("M1", "M2"), *alive)
    await expect(lit_lamps(card_of(nodes_page, "M1"))).to_have_count(1)

    registry.apply(TimePassed(), now=later)
    registry.apply(
        MembershipObserved((facts("M1", is_head=True), facts("M2", alive=False))), now=later
    )

    for name, state in (("M1", "stale"), ("M2", "dead")):
        card = card_of(nodes_page, name)
        await expect(card).to_have_attribute("data-state", state)
        await expect(lit_lamps(card)).to_have_count(0)


async def test_a_node_that_is_gone_takes_its_card_with_it(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    registry.apply(membership("M1", "M2"))
    await expect(nodes_page.get_by_test_id("node-card")).to_have_count(2)

    registry.apply(membership("M1"))

    await expect(nodes_page.get_by_test_id("node-card")).to_have_count(1)


async def test_the_head_comes_first_and_names_are_ordered_as_people_count(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    registry.apply(membership("M7", "M10", "M9"))

    names = nodes_page.get_by_test_id("node-card").get_by_role("heading")

    await expect(names).to_have_text(["M7", "M9", "M10"])


async def test_without_a_node_the_page_says_how_to_start_one(nodes_page: Page) -> None:
    await expect(nodes_page.get_by_text("ray start --address=127.0.0.1:6379")).to_be_visible()


async def test_a_tile_and_a_search_leave_only_the_nodes_that_fit(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    cards = nodes_page.get_by_test_id("node-card")
    busy = (report("M1", WorkStatus.SENDING), report("M2", WorkStatus.SENDING))
    registry.apply(membership("M1", "M2", "M3"), *busy)

    await nodes_page.get_by_role("button", name="Sending").click()
    await expect(cards).to_have_count(2)
    await nodes_page.get_by_role("searchbox").fill("10.30.2.2")
    await expect(cards).to_have_count(1)
    await nodes_page.get_by_role("searchbox").fill("M3")

    await expect(nodes_page.get_by_text("No node fits the filter")).to_be_visible()
    await nodes_page.get_by_role("button", name="Clear the filter").click()
    await expect(cards).to_have_count(3)


async def test_a_thousand_nodes_are_all_within_reach_and_few_of_them_in_the_document(
    registry: MemoryBackend, nodes_page: Page
) -> None:
    cards = nodes_page.get_by_test_id("node-card")
    registry.apply(membership(*(f"M{i}" for i in range(1000))))
    await expect(nodes_page.get_by_role("button", name="Nodes 1,000")).to_be_visible()
    last = card_of(nodes_page, "M999")

    # The page may still grow while it measures its first cards.
    for _ in range(MAX_PRESSES):
        await nodes_page.keyboard.press("End")
        with suppress(AssertionError):
            await expect(last).to_be_visible(timeout=1000)
            break

    await expect(last).to_be_visible()
    assert await cards.count() < 100


async def pulse_s(card: Locator) -> float | None:
    """How long one pulse of the lit lamp takes, or None where it rests."""
    name, duration = await lit_lamps(card).evaluate(PULSE)
    return None if name == "none" else float(duration.removesuffix("s"))
