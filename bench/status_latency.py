"""From a status change at a node's monitor to the message on an open socket of CastRay's API.

A change is one `POST /api/update_status` at the monitor. Its latency ends when a message that
carries it has arrived on `/ws?mode=delta` or `/ws`, both open in the same client. Beside each
change the same client makes a bare round: a POST to one uvicorn process that pushes the body to
its WebSocket. Then the same with a monitor that does not stream and is polled.

    python -m bench.status_latency [--changes 200]
"""

from __future__ import annotations

import argparse
import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp

from bench.figures import Limit, describe_machine, percentile, print_limits, print_table
from bench.local_castray import running_castray, running_monitors, wait_for_nodes
from bench.programs import running_uvicorn
from castray.cli.processes import free_port
from castray.config import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["main"]

POLL_INTERVAL_S = Settings().monitor.poll_interval_s
STREAM_GAPS_S = (0.35, 0.85)
"""Between two changes: out of step with every clock of ours, and as close as `/ws` tells them
apart, which sends the whole cluster and therefore at most four times a second."""

POLL_GAPS_S = (0.0, POLL_INTERVAL_S)
"""A poll ends each wait, so that a gap spread over one interval meets every phase of the next."""

GOLDEN_RATIO = 0.618034
"""Its multiples spread evenly over an interval, however many are taken."""

ARRIVAL_TIMEOUT_S = 10.0
STATUSES = ("detecting", "sending")
"""Those in whose messages the old shape names the task, by which a change is recognised."""

P50_LIMIT_MS = 15.0
P99_LIMIT_MS = 100.0
POLL_LIMIT_MS = 1000 * POLL_INTERVAL_S + 50.0


class Latencies(NamedTuple):
    """Milliseconds of every change, by where it arrived."""

    delta: list[float]
    classic: list[float]
    bare: list[float]


def main() -> None:
    """Measure, print, and say whether the limits are met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--changes", type=int, default=200, help="for each monitor (%(default)s)")
    changes = parser.parse_args().changes
    port = free_port()
    print(f"status_latency: {changes} changes each; {describe_machine()}\n")
    with running_uvicorn("bench.bare_server:app") as bare_url, running_castray([port]) as url:
        streamed = _measure("castray.monitor", "stream", port, url, bare_url, changes)
        polled = _measure("bench.plain_monitor", "poll", port, url, bare_url, changes)
    _print(streamed, polled)


def _measure(module: str, kind: str, port: int, url: str, bare_url: str, changes: int) -> Latencies:
    with running_monitors(module, [port]):
        wait_for_nodes(url, 1, lambda node: node["monitor"]["kind"] == kind)
        return asyncio.run(
            _measure_changes(kind, f"http://127.0.0.1:{port}", url, bare_url, changes)
        )


async def _measure_changes(
    kind: str, monitor_url: str, url: str, bare_url: str, changes: int
) -> Latencies:
    shortest_s, longest_s = STREAM_GAPS_S if kind == "stream" else POLL_GAPS_S
    latencies = Latencies([], [], [])
    async with (
        aiohttp.ClientSession() as session,
        _arrivals(session, f"{url}/ws?mode=delta") as delta,
        _arrivals(session, f"{url}/ws") as classic,
        _arrivals(session, f"{bare_url}/ws") as bare,
    ):
        for number in range(changes):
            await asyncio.sleep(shortest_s + (longest_s - shortest_s) * (number * GOLDEN_RATIO % 1))
            body = {"status": STATUSES[number % 2], "message": f"change {kind}-{number:04d}."}
            update_url = f"{monitor_url}/api/update_status"
            took = await _time_round(session, update_url, body, [delta, classic])
            latencies.delta.append(took[0])
            latencies.classic.append(took[1])
            latencies.bare.extend(await _time_round(session, bare_url, body, [bare]))
    return latencies


async def _time_round(
    session: aiohttp.ClientSession, url: str, body: dict[str, str], arrivals: list[_Arrivals]
) -> list[float]:
    """Milliseconds from sending the change until it has arrived, for each socket."""
    arrived = [each.expect(body["message"]) for each in arrivals]
    sent_at = time.perf_counter()
    async with session.post(url, json=body) as response:
        response.raise_for_status()
    return [1000 * (await asyncio.wait_for(at, ARRIVAL_TIMEOUT_S) - sent_at) for at in arrived]


class _Arrivals:
    """An open socket, and when the text that is waited for came over it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse[Any]) -> None:
        self._socket = socket
        self._text = ""
        self._at: asyncio.Future[float] | None = None

    def expect(self, text: str) -> asyncio.Future[float]:
        """The time at which a message with that text comes from now on."""
        self._text, self._at = text, asyncio.get_running_loop().create_future()
        return self._at

    async def run(self) -> None:
        """Receive until the socket ends."""
        async for message in self._socket:
            if self._at is not None and not self._at.done() and self._text in message.data:
                self._at.set_result(time.perf_counter())


@asynccontextmanager
async def _arrivals(session: aiohttp.ClientSession, url: str) -> AsyncIterator[_Arrivals]:
    async with session.ws_connect(url, max_msg_size=0) as socket:
        arrivals = _Arrivals(socket)
        task = asyncio.create_task(arrivals.run())
        try:
            yield arrivals
        finally:
            task.cancel()
            await asyncio.wait([task])


def _print(streamed: Latencies, polled: Latencies) -> None:
    bare_ms = percentile(streamed.bare, 50)
    rows = {
        "bare POST → WebSocket": streamed.bare,
        "streaming monitor → /ws?mode=delta": streamed.delta,
        "streaming monitor → /ws": streamed.classic,
        "plain monitor → /ws?mode=delta": polled.delta,
        "plain monitor → /ws": polled.classic,
    }
    print_table(
        ("ms", "p50", "p99", "longest", "p50 / bare p50"),
        [
            (
                name,
                *(f"{percentile(values, percent):.1f}" for percent in (50, 99, 100)),
                f"{percentile(values, 50) / bare_ms:.1f}",
            )
            for name, values in rows.items()
        ],
    )
    print_limits(
        [
            _limit("streaming, /ws?mode=delta, p50", streamed.delta, 50, P50_LIMIT_MS),
            _limit("streaming, /ws?mode=delta, p99", streamed.delta, 99, P99_LIMIT_MS),
            _limit("streaming, /ws, p50", streamed.classic, 50, P50_LIMIT_MS),
            _limit("streaming, /ws, p99", streamed.classic, 99, P99_LIMIT_MS),
            _limit("plain, /ws?mode=delta, p99", polled.delta, 99, POLL_LIMIT_MS),
            _limit("plain, /ws, p99", polled.classic, 99, POLL_LIMIT_MS),
        ]
    )


def _limit(what: str, values: list[float], percent: float, limit_ms: float) -> Limit:
    measured_ms = percentile(values, percent)
    return Limit(what, f"≤ {limit_ms:.0f} ms", f"{measured_ms:.1f} ms", measured_ms <= limit_ms)


if __name__ == "__main__":
    main()
