"""`castray disconnect`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from castray.errors import NotFoundError
from tests.cli.given import BLUE, blue_and_locked

if TYPE_CHECKING:
    from tests.api.memory_backend import MemoryBackend
    from tests.cli.conftest import RunCastray
    from tests.page.server import PageServer


@pytest.mark.parametrize(
    ("named", "asked_for"),
    [
        ((BLUE.id,), (BLUE.id, None)),
        (("127.0.0.1:8266",), (None, "127.0.0.1:8266")),
        (("--all",), (None, None)),
    ],
    ids=["by id", "by address", "all"],
)
async def test_it_disconnects_what_is_named(
    castray: RunCastray,
    server: PageServer,
    registry: MemoryBackend,
    named: tuple[str, ...],
    asked_for: tuple[str | None, str | None],
) -> None:
    asked: list[tuple[str | None, str | None]] = []

    async def disconnect(cluster: str | None, address: str | None) -> list[str]:
        asked.append((cluster, address))
        return ["ray_cluster_009"]

    registry.on_disconnect = disconnect
    registry.apply(*blue_and_locked())

    result = await asyncio.to_thread(castray, "disconnect", *named, "--url", server.url)

    assert result.exit_code == 0
    assert result.output == "Disconnected 1 external cluster(s).\n"
    assert asked == [asked_for]


async def test_it_fails_for_what_is_not_connected(
    castray: RunCastray, server: PageServer, registry: MemoryBackend
) -> None:
    async def disconnect(cluster: str | None, address: str | None) -> list[str]:
        raise NotFoundError("connected cluster", address or "")

    registry.on_disconnect = disconnect
    registry.apply(*blue_and_locked())

    result = await asyncio.to_thread(castray, "disconnect", "green", "--url", server.url)

    assert result.exit_code == 1
    assert "green" in result.output


@pytest.mark.parametrize("arguments", [(), ("blue", "--all")])
def test_it_wants_to_know_exactly_what(castray: RunCastray, arguments: tuple[str, ...]) -> None:
    result = castray("disconnect", *arguments)

    assert result.exit_code == 2
    assert "Name one cluster, or give --all." in result.output
