"""The page in a browser, over a registry that the test feeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from castray.api.auth import AccessPolicy
from castray.api.page import PAGE_DIRECTORY
from castray.transfer.agent import CastAgent
from tests.api.memory_backend import MemoryBackend
from tests.page.casts import key_of
from tests.page.nodes import membership
from tests.page.server import PageServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Page


@pytest.fixture(scope="session", autouse=True)
def built_page() -> None:
    """The page has to be there before anything can be shown."""
    if not (PAGE_DIRECTORY / "index.html").exists():
        pytest.fail("castray/page is empty: run `make page` first")


@pytest.fixture
def registry() -> MemoryBackend:
    """Knows nothing yet."""
    return MemoryBackend()


@pytest.fixture
def access() -> AccessPolicy:
    """Asks for no token."""
    return AccessPolicy()


@pytest.fixture
async def server(registry: MemoryBackend, access: AccessPolicy) -> AsyncIterator[PageServer]:
    """Serves the page until the test ends."""
    server = PageServer(registry, access)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def nodes_page(page: Page, server: PageServer) -> AsyncIterator[Page]:
    """The page, open; the test fails for whatever the browser complained of meanwhile."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
    await page.goto(f"{server.url}/ui")
    yield page
    assert complaints == []


@pytest.fixture
def three_nodes(registry: MemoryBackend) -> None:
    """M3, which is the head, and two more."""
    registry.apply(membership("M3", "M1", "M2"))


@pytest.fixture
async def shared(registry: MemoryBackend, tmp_path: Path) -> AsyncIterator[Path]:
    """The directory that the node M3 shares; its agent is there."""
    root = tmp_path / "shared"
    root.mkdir()
    agent = CastAgent([str(root)], [0], "127.0.0.1")
    registry.agents[key_of("M3")] = agent
    yield root
    await agent.aclose()
