"""Casts on the page: how each stands, what can be done with it, and beginning one."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from castray.api.auth import AccessPolicy
from castray.core.events import CastChanged
from castray.errors import InvalidRequestError, SourceFileError
from castray.models import (
    Cast,
    CastAction,
    CastProblem,
    CastRequest,
    CastRoute,
    CastState,
    ClusterTargets,
    IfExists,
    LabelTargets,
)
from tests.page.casts import MIB, key_of, sample_cast, target
from tests.page.nodes import membership, now
from tests.page.server import PageServer

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser, Locator, Page

    from tests.api.memory_backend import MemoryBackend


@pytest.fixture(autouse=True)
def nodes(registry: MemoryBackend) -> None:
    """M3, which is the head, and two more."""
    registry.apply(membership("M3", "M1", "M2"))


@pytest.fixture
async def casts_page(nodes_page: Page) -> Page:
    """The list of casts, open."""
    await nodes_page.get_by_role("link", name="Casts").click()
    return nodes_page


def card_of(page: Page, cast_id: str = "c1") -> Locator:
    return page.locator(f'[data-testid="cast"][data-cast="{cast_id}"]')


def target_of(card: Locator, name: str) -> Locator:
    return card.locator(f'[data-testid="cast-target"][data-node="{key_of(name)}"]')


async def open_dialog(page: Page, source: str) -> Locator:
    """The cast dialog, for that node."""
    card = page.locator(f'[data-testid="node-card"][data-node-name="{source}"]')
    await card.get_by_role("button", name="Cast").click()
    return page.get_by_role("dialog")


async def test_a_cast_is_planned_begun_and_followed_to_its_end(
    registry: MemoryBackend, nodes_page: Page, shared: Path
) -> None:
    (shared / "models").mkdir()
    (shared / "models" / "digits.pt").write_bytes(bytes(MIB))
    asked: list[CastRequest] = []

    async def begin(request: CastRequest) -> Cast:
        asked.append(request)
        cast = sample_cast(target("M1", CastState.QUEUED), state=CastState.QUEUED)
        if not request.dry_run:
            registry.apply(CastChanged(cast))
        return cast

    registry.on_cast = begin
    dialog = await open_dialog(nodes_page, "M3")

    await dialog.get_by_role("button", name="models").click()
    await dialog.get_by_role("button", name="digits.pt").click()
    await expect(dialog.get_by_label("File, directory or pattern")).to_have_value(
        str(shared / "models" / "digits.pt")
    )
    await dialog.get_by_role("checkbox", name="M1").check()
    await dialog.get_by_label("Destination").fill("in/")
    await dialog.get_by_role("button", name="Preview").click()
    await expect(dialog.get_by_test_id("cast-plan")).to_contain_text("100 MiB in all")
    await expect(dialog.get_by_test_id("cast-plan")).to_contain_text("/srv/in/of-M1")
    await dialog.get_by_role("button", name="Cast", exact=True).click()

    card = card_of(nodes_page)
    await expect(card).to_have_attribute("data-state", "queued")
    await expect(dialog).to_have_count(0)
    rate: dict[str, Any] = {"rate_bytes_per_s": 10.0 * MIB, "eta_s": 7.5}
    running = target("M1", bytes_done=25 * MIB, **rate)
    registry.apply(CastChanged(sample_cast(running, **rate)))
    bar = target_of(card, "M1").get_by_role("progressbar")
    await expect(bar).to_have_attribute("aria-valuenow", "25")
    for text in ("Running", "25 MiB of 100 MiB", "10 MiB/s", "8s left", "/srv/in/of-M1"):
        await expect(target_of(card, "M1")).to_contain_text(text)
    done = sample_cast(target("M1", CastState.COMPLETED), state=CastState.COMPLETED, ended=now())
    registry.apply(CastChanged(done))
    await expect(card).to_have_attribute("data-state", "completed")
    await expect(nodes_page.get_by_role("region", name="History")).to_contain_text("Completed")
    assert [request.dry_run for request in asked] == [True, False]
    assert asked[1].source.node == key_of("M3")
    assert asked[1].source.path == str(shared / "models" / "digits.pt")
    assert asked[1].targets == (key_of("M1"),)
    assert asked[1].destination == "in/"


async def test_targets_are_chosen_by_label_by_cluster_or_all(
    registry: MemoryBackend, nodes_page: Page, shared: Path
) -> None:
    asked: list[CastRequest] = []

    async def plan(request: CastRequest) -> Cast:
        asked.append(request)
        return sample_cast(target("M1"), target("M2"))

    registry.on_cast = plan
    dialog = await open_dialog(nodes_page, "M3")
    await dialog.get_by_label("File, directory or pattern").fill("models/*.pt")
    await dialog.get_by_label("Destination").fill("in/")
    await dialog.get_by_label("Where it exists already").select_option("skip")
    await dialog.get_by_label("Bandwidth limit").fill("2.5")
    preview = dialog.get_by_role("button", name="Preview")
    plan_shown = dialog.get_by_test_id("cast-plan")

    await expect(preview).to_be_disabled()
    await dialog.get_by_text("Label", exact=True).click()
    await dialog.get_by_label("Label selector").fill("castray.io/name=M*")
    await preview.click()
    await expect(plan_shown).to_contain_text("2 targets")
    await dialog.locator("label", has_text=re.compile("^Cluster$")).click()
    await expect(plan_shown).to_have_count(0)
    await dialog.get_by_role("combobox", name="Cluster").click()
    await nodes_page.get_by_role("option", name="Home cluster").click()
    await preview.click()
    await expect(plan_shown).to_be_visible()
    await dialog.get_by_text("All", exact=True).click()
    await expect(dialog).to_contain_text("now those are 2")
    await preview.click()
    await expect(plan_shown).to_be_visible()

    assert [request.targets for request in asked] == [
        LabelTargets(selector="castray.io/name=M*"),
        ClusterTargets(cluster="home"),
        "all",
    ]
    assert {request.if_exists for request in asked} == {IfExists.SKIP}
    assert {request.bandwidth_limit for request in asked} == {int(2.5 * MIB)}


async def test_a_file_of_ones_own_computer_goes_to_the_node_first(
    registry: MemoryBackend, nodes_page: Page, shared: Path, tmp_path: Path
) -> None:
    (shared / "uploads").mkdir()
    (shared / "uploads" / "新 模型.pt").write_bytes(b"another")
    mine = tmp_path / "新 模型.pt"
    mine.write_bytes(b"mine" * MIB)
    asked: list[CastRequest] = []

    async def begin(request: CastRequest) -> Cast:
        asked.append(request)
        return sample_cast(target("M1"))

    registry.on_cast = begin
    dialog = await open_dialog(nodes_page, "M3")

    await dialog.get_by_text("On my computer").click()
    async with nodes_page.expect_file_chooser() as chooser:
        await dialog.get_by_role("button", name="Drop a file here").click()
    await (await chooser.value).set_files(mine)
    await dialog.get_by_text("All", exact=True).click()
    await dialog.get_by_label("Destination").fill("in/")
    await dialog.get_by_role("button", name="Cast", exact=True).click()

    await expect(dialog).to_have_count(0)
    sent = shared / asked[0].source.path
    assert sent.name != mine.name
    assert sent.read_bytes() == mine.read_bytes()


async def test_what_was_sent_to_the_node_is_not_sent_again_where_the_cast_is_refused(
    registry: MemoryBackend, server: PageServer, page: Page, shared: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    asked: list[CastRequest] = []

    async def refuse_once(request: CastRequest) -> Cast:
        asked.append(request)
        if len(asked) == 1:
            raise InvalidRequestError("That makes no sense.")
        return sample_cast(target("M1"))

    registry.on_cast = refuse_once
    await page.goto(f"{server.url}/ui")
    dialog = await open_dialog(page, "M3")
    await dialog.get_by_text("On my computer").click()
    async with page.expect_file_chooser() as chooser:
        await dialog.get_by_role("button", name="Drop a file here").click()
    await (await chooser.value).set_files(tmp_path / "mine")
    await dialog.get_by_text("All", exact=True).click()
    await dialog.get_by_label("Destination").fill("in/")

    await dialog.get_by_role("button", name="Cast", exact=True).click()
    await expect(dialog.get_by_role("alert")).to_have_text("That makes no sense.")
    await expect(dialog.get_by_label("File, directory or pattern")).to_have_value(
        str(shared / "uploads" / "mine")
    )
    await dialog.get_by_role("button", name="Cast", exact=True).click()

    await expect(dialog).to_have_count(0)
    assert [request.source.path for request in asked] == [str(shared / "uploads" / "mine")] * 2


async def test_why_a_cast_cannot_begin_stands_in_the_dialog(
    registry: MemoryBackend, server: PageServer, page: Page, shared: Path
) -> None:
    async def refuse(request: CastRequest) -> Cast:
        raise SourceFileError("/srv/none", "cannot be read: No such file or directory")

    registry.on_cast = refuse
    await page.goto(f"{server.url}/ui")
    dialog = await open_dialog(page, "M3")

    await dialog.get_by_label("File, directory or pattern").fill("none")
    await dialog.get_by_text("All", exact=True).click()
    await dialog.get_by_label("Destination").fill("in/")
    await dialog.get_by_role("button", name="Cast", exact=True).click()

    await expect(dialog.get_by_role("alert")).to_have_text(
        "/srv/none: cannot be read: No such file or directory."
    )
    await expect(dialog.get_by_label("Destination")).to_have_value("in/")


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
    card = card_of(casts_page)

    await expect(target_of(card, "M1")).to_contain_text("waits: 4 casts at once are the most on M1")
    await expect(target_of(card, "M2")).to_contain_text("through the head")
    await expect(target_of(card, "M3")).to_contain_text("a/b: changed while it was sent")
    await expect(target_of(card, "M3")).to_contain_text("6 more files")
    unknown = target_of(card, "M2")
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
    card = card_of(casts_page)

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

    await card_of(casts_page).get_by_role("button", name=button).click()

    await expect(card_of(casts_page)).to_have_attribute("data-state", after.value)


async def test_why_a_cast_cannot_be_steered_stands_beside_the_button(
    registry: MemoryBackend, server: PageServer, page: Page
) -> None:
    async def refuse(cast_id: str, action: CastAction) -> Cast:
        raise InvalidRequestError("The cast has ended meanwhile.")

    registry.on_steer = refuse
    registry.apply(CastChanged(sample_cast(target("M1"))))
    await page.goto(f"{server.url}/ui/casts")

    await card_of(page).get_by_role("button", name="Pause").click()

    await expect(card_of(page).get_by_role("alert")).to_have_text("The cast has ended meanwhile.")


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
    card = card_of(casts_page)
    await expect(target_of(card, "M1")).to_contain_text("10 MiB/s")

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

    await expect(card_of(page)).to_contain_text("Running")
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

    await expect(target_of(card_of(casts_page), "M2")).to_be_visible()
    assert await casts_page.evaluate("document.documentElement.scrollWidth") <= width


async def test_a_chinese_browser_gets_casts_in_chinese(
    registry: MemoryBackend, server: PageServer, browser: Browser
) -> None:
    registry.apply(CastChanged(sample_cast(target("M1"))))
    page = await browser.new_page(locale="zh-CN")

    await page.goto(f"{server.url}/ui/casts")

    await expect(card_of(page)).to_contain_text("传输中")
    await page.get_by_role("button", name="传输文件").click()
    await expect(page.get_by_role("dialog")).to_contain_text("来源节点")
