"""A real monitor on a free port, an HTTP client, and servers that answer what a test tells them."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Protocol

import aiohttp
import pytest

from castray.monitor.service import MonitorServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

POLL_S = 0.01


class ServeRaw(Protocol):
    """Starts a server that holds this conversation on each connection; returns its URL."""

    async def __call__(self, conversation: Conversation) -> str: ...


class Eventually(Protocol):
    """Waits until something holds, and fails when it does not within the time."""

    async def __call__(self, holds: Callable[[], bool], timeout_s: float = 20) -> None: ...


@pytest.fixture
async def monitor() -> AsyncIterator[MonitorServer]:
    """A monitor that listens on loopback."""
    server = MonitorServer(port=0)
    await server.start()
    yield server
    await server.aclose()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def serve_raw() -> AsyncIterator[ServeRaw]:
    """Makes servers of raw TCP; they end with the test."""
    async with AsyncExitStack() as stack:

        async def serve(conversation: Conversation) -> str:
            tasks: set[asyncio.Task[None]] = set()

            async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                try:
                    await conversation(reader, writer)
                except (ConnectionError, asyncio.CancelledError):
                    pass
                finally:
                    writer.close()

            def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                tasks.add(asyncio.create_task(hold(reader, writer)))

            async def end() -> None:
                server.close()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks)

            server = await asyncio.start_server(connected, "127.0.0.1", 0)
            stack.push_async_callback(end)
            return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

        yield serve


@pytest.fixture
def eventually() -> Eventually:
    """Waits for a condition itself, with a deadline."""

    async def wait(holds: Callable[[], bool], timeout_s: float = 20) -> None:
        deadline = time.monotonic() + timeout_s
        while not holds():
            assert time.monotonic() < deadline, "it did not come to hold in time"
            await asyncio.sleep(POLL_S)

    return wait
