"""The command line in this process, and a CastRay for it to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from castray.api.auth import AccessPolicy
from castray.cli import main
from tests.api.memory_backend import MemoryBackend
from tests.page.server import PageServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from click.testing import Result

    RunCastray = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory in which nothing was ever started."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def castray() -> RunCastray:
    """Runs `castray` with those arguments."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, prog_name="castray")

    return run


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
    """A CastRay over that registry."""
    server = PageServer(registry, access)
    await server.start()
    yield server
    await server.stop()
