"""Who has a port, and what answers there."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil

from castray.cli.probes import fetch_health, has_monitor, is_castray_ready, look_at_port
from castray.monitor.service import MonitorServer

if TYPE_CHECKING:
    from tests.api.memory_backend import MemoryBackend
    from tests.page.server import PageServer


async def test_castray_is_recognised_with_its_process(server: PageServer) -> None:
    port = urlsplit(server.url).port or 0

    user = await asyncio.to_thread(look_at_port, port)

    assert user is not None
    assert user.is_castray
    assert not user.is_monitor
    assert user.pid == os.getpid()
    assert str(user) == f"CastRay: {psutil.Process().name()} (pid {os.getpid()})"


async def test_castray_is_ready_once_it_has_heard_of_its_registry(
    server: PageServer, registry: MemoryBackend
) -> None:
    port = urlsplit(server.url).port or 0

    with_registry = await asyncio.to_thread(is_castray_ready, "127.0.0.1", port)
    await server.stop()
    registry.take_down()
    await server.start()
    without_registry = await asyncio.to_thread(is_castray_ready, "127.0.0.1", port)
    await server.stop()

    assert with_registry
    assert not without_registry
    assert not await asyncio.to_thread(is_castray_ready, "127.0.0.1", port)


async def test_a_monitor_is_recognised() -> None:
    monitor = MonitorServer(port=0)
    await monitor.start()

    found = await asyncio.to_thread(has_monitor, monitor.port)
    user = await asyncio.to_thread(look_at_port, monitor.port)
    await monitor.aclose()

    assert found
    assert user is not None
    assert user.is_monitor
    assert str(user).startswith("a CM-ZSB monitor: ")


def test_nobody_has_a_free_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert look_at_port(port) is None
    assert not has_monitor(port)


async def test_what_speaks_no_http_has_its_port_all_the_same() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async with server:
        user = await asyncio.to_thread(look_at_port, port)

    assert user is not None
    assert user.health is None
    assert str(user) == f"{psutil.Process().name()} (pid {os.getpid()})"


async def test_an_answer_that_is_none_of_ours_says_nothing() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async with server:
        health = await asyncio.to_thread(fetch_health, "127.0.0.1", port)

    assert health is not None
    assert not health.is_castray
    assert not health.is_monitor
