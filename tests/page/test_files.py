"""The files of a node on the page: look through them, fetch them, put more there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from castray.transfer.agent import CastAgent
from castray.transfer.agent_link import MAX_PIECE_BYTES
from tests.api.waiting import until
from tests.page.casts import key_of
from tests.page.nodes import membership

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from playwright.async_api import Locator, Page

    from tests.api.memory_backend import MemoryBackend
    from tests.page.server import PageServer


@pytest.fixture(autouse=True)
def nodes(registry: MemoryBackend) -> None:
    """M3, and one more."""
    registry.apply(membership("M3", "M1"))


class ReluctantAgent(CastAgent):
    """Writes nothing of an upload until it may."""

    def __init__(self, roots: Sequence[str], ports: Sequence[int], address: str) -> None:
        super().__init__(roots, ports, address)
        self.is_asked = asyncio.Event()
        self.may_write = asyncio.Event()

    async def append_upload(self, upload_id: str, offset: int, data: bytes) -> None:
        self.is_asked.set()
        await self.may_write.wait()
        await super().append_upload(upload_id, offset, data)


async def open_files(page: Page, node: str) -> Locator:
    card = page.locator(f'[data-testid="node-card"][data-node-name="{node}"]')
    await card.get_by_role("button", name="Files").click()
    return page.get_by_role("dialog")


async def upload(page: Page, dialog: Locator, *paths: Path) -> None:
    async with page.expect_file_chooser() as chooser:
        await dialog.get_by_role("button", name="Drop files here").click()
    await (await chooser.value).set_files(paths)


async def test_a_file_is_found_and_fetched(nodes_page: Page, shared: Path, tmp_path: Path) -> None:
    content = bytes(range(256)) * 20_000
    (shared / "日志").mkdir()
    (shared / "日志" / "第 1 批.bin").write_bytes(content)
    dialog = await open_files(nodes_page, "M3")

    await dialog.get_by_role("button", name="日志", exact=True).click()
    await expect(dialog.get_by_test_id("files")).to_contain_text("4.9 MiB")
    async with nodes_page.expect_download() as download:
        await dialog.get_by_role("link", name="Download 第 1 批.bin").click()
    fetched = await download.value
    await fetched.save_as(tmp_path / "fetched")

    assert fetched.suggested_filename == "第 1 批.bin"
    assert (tmp_path / "fetched").read_bytes() == content


async def test_files_are_put_into_the_directory_that_is_shown(
    nodes_page: Page, shared: Path, tmp_path: Path
) -> None:
    (shared / "in").mkdir()
    mine = [tmp_path / "large.bin", tmp_path / "empty.bin"]
    mine[0].write_bytes(b"large" * 1_000_000)
    mine[1].touch()
    dialog = await open_files(nodes_page, "M3")
    await dialog.get_by_role("button", name="in", exact=True).click()
    await expect(dialog.get_by_test_id("files")).to_contain_text("Nothing is in this directory")

    await upload(nodes_page, dialog, *mine)

    await expect(dialog.locator('[data-testid="upload"][data-phase="done"]')).to_have_count(2)
    await expect(dialog.get_by_test_id("files")).to_contain_text("empty.bin")
    assert [(shared / "in" / path.name).read_bytes() for path in mine] == [
        path.read_bytes() for path in mine
    ]


@pytest.mark.parametrize(
    ("button", "old_content", "count"), [("Replace", b"new", 1), ("Keep both", b"old", 2)]
)
async def test_where_a_name_is_taken_one_is_asked_what_to_do(
    server: PageServer,
    page: Page,
    shared: Path,
    tmp_path: Path,
    button: str,
    old_content: bytes,
    count: int,
) -> None:
    (shared / "f").write_bytes(b"old")
    (tmp_path / "f").write_bytes(b"new")
    await page.goto(f"{server.url}/ui")
    dialog = await open_files(page, "M3")

    await upload(page, dialog, tmp_path / "f")
    await expect(dialog.get_by_test_id("upload")).to_contain_text("is there already")
    await dialog.get_by_role("button", name=button).click()

    await expect(dialog.locator('[data-testid="upload"][data-phase="done"]')).to_have_count(1)
    assert (shared / "f").read_bytes() == old_content
    await expect(dialog.get_by_test_id("files").get_by_role("listitem")).to_have_count(count)


async def test_an_upload_goes_on_without_its_dialog_until_it_is_stopped(
    registry: MemoryBackend, nodes_page: Page, shared: Path, tmp_path: Path
) -> None:
    # More than all the buffers on its way take in, so that it cannot all be sent already.
    (tmp_path / "mine").write_bytes(bytes(12 * MAX_PIECE_BYTES))
    agent = ReluctantAgent([str(shared)], [0], "127.0.0.1")
    registry.agents[key_of("M3")] = agent
    dialog = await open_files(nodes_page, "M3")
    await upload(nodes_page, dialog, tmp_path / "mine")
    line = dialog.locator('[data-testid="upload"][data-phase="sending"]')
    await expect(line).to_be_visible()
    await agent.is_asked.wait()

    await dialog.get_by_role("button", name="Close").click()
    await open_files(nodes_page, "M3")
    await line.get_by_role("button", name="Stop this upload").click()
    agent.may_write.set()

    await expect(nodes_page.get_by_test_id("upload")).to_have_count(0)
    await until(lambda: list(shared.rglob("*")) == [])
    await agent.aclose()


async def test_why_a_nodes_files_cannot_be_shown_is_said(
    server: PageServer, page: Page, shared: Path
) -> None:
    await page.goto(f"{server.url}/ui")

    dialog = await open_files(page, "M1")

    await expect(dialog.get_by_role("alert")).to_contain_text("no agent can be there")
    await expect(dialog.get_by_role("button", name="Drop files here")).to_have_count(0)


async def test_a_directory_that_went_is_read_again_once_it_is_back(
    server: PageServer, page: Page, shared: Path
) -> None:
    (shared / "d").mkdir()
    await page.goto(f"{server.url}/ui")
    dialog = await open_files(page, "M3")
    await expect(dialog.get_by_role("button", name="d", exact=True)).to_be_visible()
    (shared / "d").rmdir()
    await dialog.get_by_role("button", name="d", exact=True).click()
    await expect(dialog.get_by_role("alert")).to_contain_text("No such file or directory")

    (shared / "d").mkdir()
    await dialog.get_by_role("button", name="Read again").click()

    await expect(dialog.get_by_test_id("files")).to_contain_text("Nothing is in this directory")


async def test_what_was_found_can_be_cast_from_there(nodes_page: Page, shared: Path) -> None:
    (shared / "f").write_bytes(b"x")
    dialog = await open_files(nodes_page, "M3")

    await dialog.get_by_role("button", name="Cast f").click()

    await expect(nodes_page.get_by_label("File, directory or pattern")).to_have_value(
        str(shared / "f")
    )
    await expect(nodes_page.get_by_role("combobox", name="Source node")).to_have_value(
        "M3 · 10.30.2.1"
    )
