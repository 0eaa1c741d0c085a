"""`castray status`."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from tests.core.given import members, reported

if TYPE_CHECKING:
    from tests.api.memory_backend import MemoryBackend
    from tests.cli.conftest import RunCastray
    from tests.page.server import PageServer


async def test_it_shows_a_table(
    castray: RunCastray, server: PageServer, registry: MemoryBackend
) -> None:
    registry.apply(members("m1"), reported("m1"))

    result = await asyncio.to_thread(castray, "status", "--url", server.url)

    assert result.exit_code == 0
    assert "M1" in result.output
    assert "● detecting" in result.output


async def test_it_prints_records_for_programs(
    castray: RunCastray, server: PageServer, registry: MemoryBackend
) -> None:
    registry.apply(members("m1"), reported("m1", task="camera 2"))

    result = await asyncio.to_thread(castray, "status", "--json", "--url", server.url)

    [node] = json.loads(result.output)
    assert node["name"] == "M1"
    assert node["work"]["current_task"] == "camera 2"


async def test_it_fails_in_one_line_where_nobody_answers(
    castray: RunCastray, server: PageServer
) -> None:
    await server.stop()

    result = await asyncio.to_thread(castray, "status", "--url", server.url)

    assert result.exit_code == 1
    assert result.output.startswith(f"Error: Nothing answers at {server.url}")
    assert result.output.count("\n") == 1
