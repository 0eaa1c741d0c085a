"""The API over as many simulated nodes as wanted, each of which reports once a second.

    python -m bench.simulated_api --nodes 1000 --port PORT [--quiet]

With `--quiet` only the first of them reports, once for each `POST /report`.
The registry's state is the real one, in this process; what an actor call takes from it to a
replica is waited, so that as many changes come together as in life.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import uvicorn

from bench.programs import PING_INTERVAL_S
from bench.simulated_nodes import STATUS_ROUNDS, node_facts, node_report
from castray.api.app import build_app
from castray.api.auth import AccessPolicy
from castray.config import Settings
from castray.core.events import MembershipObserved, NodeReported
from castray.core.registry import RegistryState
from castray.core.versioned import Version
from castray.errors import RegistryUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from castray.changes import Changes

__all__ = ["main"]

REPORT_INTERVAL_S = 1.0
CALL_S = 0.002
"""A long-poll of an actor."""

SIGN_OF_LIFE_S = 1.0


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--quiet", action="store_true")
    arguments = parser.parse_args()
    backend = _SimulatedNodes(arguments.nodes)
    api = build_app(backend, Settings(), AccessPolicy())
    api.add_api_route("/report", backend.report_once, methods=["POST"])

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        reports = asyncio.create_task(backend.run(), name="reports")
        if arguments.quiet:
            reports.cancel()
        async with whole_lifespan(api):
            yield
        reports.cancel()
        await asyncio.wait([reports])

    whole_lifespan = api.router.lifespan_context
    api.router.lifespan_context = lifespan
    # As Ray Serve does once a replica is ready: what was there before is not looked through again.
    gc.collect()
    gc.freeze()
    uvicorn.run(
        api,
        port=arguments.port,
        log_level="warning",
        access_log=False,
        ws_ping_interval=PING_INTERVAL_S,
    )


class _SimulatedNodes:
    """A backend whose nodes report one after the other, spread evenly over each interval."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._registry = RegistryState(epoch=1)
        self._news = asyncio.Event()
        self._rounds = 0
        nodes = tuple(node_facts(number) for number in range(count))
        self._registry.apply(MembershipObserved(nodes), _now())
        for number in range(count):
            self._report(number, 0)

    async def next_changes(self, since: str | None) -> Changes:
        """What the API's `Backend` promises."""
        version = None if since is None else Version.parse(since)
        if version == self._registry.version:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), SIGN_OF_LIFE_S)
        await asyncio.sleep(CALL_S)
        return self._registry.changes_since(version)

    async def _refuse(self, *_: object, **__: object) -> Any:
        raise RegistryUnavailableError

    discover = connect = disconnect = _refuse
    start_cast = cast = casts = steer_cast = agent = _refuse

    async def run(self) -> None:
        """Have each node report in its turn, for ever."""
        loop = asyncio.get_running_loop()
        began, reported = loop.time(), 0
        while True:
            due = int((loop.time() - began) * self._count / REPORT_INTERVAL_S)
            for turn in range(reported, due):
                self._report(turn % self._count, turn // self._count)
            if due > reported:
                self._tell()
            reported = due
            await asyncio.sleep(min(REPORT_INTERVAL_S / self._count, CALL_S))

    async def report_once(self) -> None:
        """Have the first node say something else than before."""
        self._rounds += STATUS_ROUNDS
        self._report(0, self._rounds)
        self._tell()

    def _report(self, number: int, round_: int) -> None:
        self._registry.apply(NodeReported(node_report(number, round_)), _now())

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _now() -> datetime:
    return datetime.now(timezone.utc)


if __name__ == "__main__":
    main()
