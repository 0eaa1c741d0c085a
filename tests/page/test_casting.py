"""Beginning a cast on the page, from a node or from one's own computer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from castray.cast_models import Cast, CastRequest, CastState, ClusterTargets, IfExists, LabelTargets
from castray.core.events import CastChanged
from castray.errors import InvalidRequestError, SourceFileError
from tests.page.casts import MIB, cast_card, key_of, sample_cast, target, target_line
from tests.page.nodes import node_card, now

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Locator, Page

    from tests.api.memory_backend import MemoryBackend
    from tests.page.server import PageServer

pytestmark = pytest.mark.usefixtures("three_nodes")


async def open_dialog(page: Page, source: str) -> Locator:
    """The cast dialog, for that node."""
    await node_card(page, source).get_by_role("button", name="Cast").click()
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

    card = cast_card(nodes_page)
    await expect(card).to_have_attribute("data-state", "queued")
    await expect(dialog).to_have_count(0)
    rate: dict[str, Any] = {"rate_bytes_per_s": 10.0 * MIB, "eta_s": 7.5}
    running = target("M1", bytes_done=25 * MIB, **rate)
    registry.apply(CastChanged(sample_cast(running, **rate)))
    bar = target_line(card, "M1").get_by_role("progressbar")
    await expect(bar).to_have_attribute("aria-valuenow", "25")
    for text in ("Running", "25 MiB of 100 MiB", "10 MiB/s", "8s left", "/srv/in/of-M1"):
        await expect(target_line(card, "M1")).to_contain_text(text)
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
