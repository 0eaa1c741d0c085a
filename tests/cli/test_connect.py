"""`castray connect`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from castray.errors import TokenMissingError
from tests.cli.given import BLUE, blue_and_locked

if TYPE_CHECKING:
    from tests.api.memory_backend import MemoryBackend
    from tests.cli.conftest import RunCastray
    from tests.page.server import PageServer


async def test_it_passes_on_address_name_and_the_clusters_own_token(
    castray: RunCastray, server: PageServer, registry: MemoryBackend
) -> None:
    asked: list[tuple[str, str | None, str | None]] = []

    async def connect(address: str, name: str | None, token: str | None) -> str:
        asked.append((address, name, token))
        registry.apply(*blue_and_locked())
        return BLUE.id

    registry.on_connect = connect
    more = ("--name", "blue", "--cluster-token", "secret", "--url", server.url)

    result = await asyncio.to_thread(castray, "connect", "127.0.0.1:8266", *more)

    assert result.exit_code == 0
    assert result.output == "Connected to 127.0.0.1:8266: 0 node(s).\n"
    assert asked == [("127.0.0.1:8266", "blue", "secret")]


async def test_a_refusal_is_told_in_castrays_own_words(
    castray: RunCastray, server: PageServer, registry: MemoryBackend
) -> None:
    async def connect(address: str, name: str | None, token: str | None) -> str:
        raise TokenMissingError(address, "wants a token.")

    registry.on_connect = connect

    result = await asyncio.to_thread(castray, "connect", "127.0.0.1:8267", "--url", server.url)

    assert result.exit_code == 1
    assert result.output == "Error: 127.0.0.1:8267 wants a token.\n"
