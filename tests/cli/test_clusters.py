"""`castray clusters`."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from tests.cli.given import BLUE, LOCKED, blue_and_locked

if TYPE_CHECKING:
    import pytest

    from tests.api.memory_backend import MemoryBackend
    from tests.cli.conftest import RunCastray
    from tests.page.server import PageServer


async def test_it_shows_each_cluster_with_its_state_and_what_is_wrong(
    castray: RunCastray,
    server: PageServer,
    registry: MemoryBackend,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    registry.apply(*blue_and_locked())

    result = await asyncio.to_thread(castray, "clusters", "--url", server.url)

    assert result.exit_code == 0
    blue, locked = result.output.splitlines()[1:]
    assert "● connected" in blue
    assert "3 of 8" in blue
    assert "○ found" in locked
    assert "wants a token" in locked


async def test_it_prints_records_for_programs(
    castray: RunCastray, server: PageServer, registry: MemoryBackend
) -> None:
    registry.apply(*blue_and_locked())

    result = await asyncio.to_thread(castray, "clusters", "--json", "--url", server.url)

    shown = json.loads(result.output)["clusters"]
    assert {cluster["id"] for cluster in shown} == {BLUE.id, LOCKED.id}
