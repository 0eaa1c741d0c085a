"""`castray discover`."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from tests.cli.given import REPORT, blue_and_locked

if TYPE_CHECKING:
    import pytest

    from castray.discovery.source import DiscoveryReport
    from tests.api.memory_backend import MemoryBackend
    from tests.cli.conftest import RunCastray
    from tests.page.server import PageServer


def give(registry: MemoryBackend) -> list[bool]:
    """Have a discovery find a cluster and one that wants a token; how it was asked."""
    asked: list[bool] = []

    async def discover(all_nodes: bool) -> DiscoveryReport:
        asked.append(all_nodes)
        return REPORT

    registry.on_discover = discover
    registry.apply(*blue_and_locked())
    return asked


async def test_it_says_what_each_source_saw_and_which_cluster_wants_a_token(
    castray: RunCastray,
    server: PageServer,
    registry: MemoryBackend,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    asked = give(registry)

    result = await asyncio.to_thread(castray, "discover", "--url", server.url)

    assert result.exit_code == 0
    assert asked == [False]
    assert "http://127.0.0.1:8267 wants a token" in result.output
    assert "http://127.0.0.1:8269 is no Ray" in result.output
    assert "1 of them connected. Connect with its token: http://127.0.0.1:8267." in result.output


async def test_it_looks_on_all_nodes_and_prints_json_when_asked(
    castray: RunCastray, server: PageServer, registry: MemoryBackend
) -> None:
    asked = give(registry)

    arguments = ("discover", "--all-nodes", "--json", "--url", server.url)
    result = await asyncio.to_thread(castray, *arguments)

    assert asked == [True]
    assert [found["needs_token"] for found in json.loads(result.output)["clusters"]] == [
        False,
        True,
    ]


async def test_it_fails_in_one_line_where_nobody_looks(
    castray: RunCastray, server: PageServer
) -> None:
    result = await asyncio.to_thread(castray, "discover", "--url", server.url)

    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
