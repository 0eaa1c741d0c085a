"""How long a status change takes to an open socket, with and without casts beside it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aiohttp

    from bench.cast_cluster import CastRay
    from tests.hosts import Host

__all__ = ["measure_lamps"]

CHANGES = 40
GAP_S = 0.1
ARRIVAL_TIMEOUT_S = 10.0
MONITOR_URL = "http://127.0.0.1:8000/api/update_status"
STATUSES = ("detecting", "sending")


async def measure_lamps(castray: CastRay, node: Host) -> list[float]:
    """Milliseconds from a report to the monitor on that node to `/ws?mode=delta` at the head."""
    async with (
        node.http() as reporter,
        castray.http() as reader,
        reader.ws_connect(f"{castray.url}/ws?mode=delta", max_msg_size=0) as socket,
    ):
        return [await _time_change(reporter, socket, number) for number in range(CHANGES)]


async def _time_change(
    reporter: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse[Any], number: int
) -> float:
    await asyncio.sleep(GAP_S)
    task = f"change {time.monotonic_ns()}."
    body = {"status": STATUSES[number % 2], "message": task}
    arrived = asyncio.create_task(_wait_for(socket, task))
    began = time.perf_counter()
    async with reporter.post(MONITOR_URL, json=body) as answer:
        answer.raise_for_status()
    return 1000 * (await asyncio.wait_for(arrived, ARRIVAL_TIMEOUT_S) - began)


async def _wait_for(socket: aiohttp.ClientWebSocketResponse[Any], text: str) -> float:
    async for message in socket:
        if text in message.data:
            return time.perf_counter()
    raise RuntimeError("CastRay closed its socket")
