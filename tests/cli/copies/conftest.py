"""A directory in which somebody types, and a node that shares another."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from castray.transfer.agent import CastAgent
from tests.cli.casting_backend import CastingBackend
from tests.core.given import key_of, members, node_facts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from click.testing import Result

    from tests.cli.conftest import RunCastray
    from tests.page.server import PageServer

    Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """What M1 shares."""
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory in which somebody types."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.fixture
async def registry(root: Path) -> AsyncIterator[CastingBackend]:
    """Knows the head M1, with a real agent, and M2."""
    registry = CastingBackend()
    registry.apply(members(node_facts("m1", is_head=True), "m2"))
    agent = CastAgent([str(root)], [0], "127.0.0.1")
    registry.agents[key_of("m1")] = agent
    yield registry
    await agent.aclose()


@pytest.fixture
def run(castray: RunCastray, server: PageServer, here: Path) -> Run:
    """Runs `castray` with those words in that directory, for that server."""

    async def run(*words: str) -> Result:
        return await asyncio.to_thread(castray, *words, "--url", server.url)

    return run
