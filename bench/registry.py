"""How many reports a second the registry takes in, of 100 and of 10,000 simulated nodes.

Each report is an actor call, waited for by whoever makes it, as pollers do; meanwhile one reader
follows the changes, as a replica of the API does. The peer is the same call of an actor that does
nothing, which nobody reads. One Ray, one of the actors at a time, in turns.

    python -m bench.registry [--rounds 3] [--seconds 5]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil
import ray

from bench.figures import Limit, describe_machine, print_limits, print_table
from bench.local_ray import local_ray
from bench.simulated_nodes import node_facts, node_report
from castray.actors.names import REGISTRY_CONCURRENCY_GROUPS, ActorSettings, ExternalSettings
from castray.actors.registry import ClusterRegistry

if TYPE_CHECKING:
    from castray.changes import Changes
    from castray.core.events import NodeFacts
    from castray.models import NodeReport

__all__ = ["main"]

FEW, MANY = 100, 10_000
SPEAKERS = 2
CALLS_AT_ONCE = 16
"""Of each speaker."""

TIMEOUT_S = 120.0
RATE_LIMIT = 0.5
COST_LIMIT = 1.2


class Rates(NamedTuple):
    """Of one actor, a value for each round."""

    calls_per_s: list[float]
    cpu_us: list[float]
    """Of the actor's process, for each call."""


class BareActor:
    """Takes reports, and does nothing with them."""

    async def report(self, report: NodeReport) -> None:
        """Take one."""

    async def settle(self) -> int:
        """Have every poller started; the process of this actor."""
        return os.getpid()


class SimulatedRegistry(ClusterRegistry):
    """The registry over simulated nodes, none of which has a poller to be started.

    Args:
        store_path: Where its store is made.
        count: How many nodes.
    """

    def __init__(self, store_path: str, count: int) -> None:
        settings = ActorSettings(store_path, external=ExternalSettings(enabled=False))

        def fetch_members() -> tuple[NodeFacts, ...]:
            return tuple(map(node_facts, range(count)))

        self._started = asyncio.Event()
        start = _Start(self._started)
        super().__init__(settings, "", lambda *_: start, lambda *_: None, fetch_members)

    async def settle(self) -> int:
        """Have every poller started; the process of this actor."""
        self._started.set()
        return os.getpid()


class _Start:
    """What a poller that starts shows of itself: `poller.ready.remote()`.

    Args:
        started: When it has.
    """

    def __init__(self, started: asyncio.Event) -> None:
        self._started = started

    @property
    def ready(self) -> _Start:
        return self

    async def remote(self) -> None:
        await self._started.wait()


class Speaker:
    """Reports for some of the nodes.

    Args:
        numbers: Which.
    """

    def __init__(self, numbers: range) -> None:
        self._reports = [node_report(number, 0) for number in numbers]

    async def speak(self, actor: Any, duration_s: float) -> int:
        """Report for one node after the other for so long, but for each at least once; how often.

        Args:
            actor: Who is told.
            duration_s: How long.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + duration_s
        made = 0

        async def keep_calling() -> None:
            nonlocal made
            while loop.time() < end or made < len(self._reports):
                report = self._reports[made % len(self._reports)]
                made += 1
                await actor.report.remote(report)

        await asyncio.gather(*(keep_calling() for _ in range(CALLS_AT_ONCE)))
        return made


def main() -> None:
    """Measure, print, and say whether the limits are met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="in turns; medians count")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each actor in a round")
    arguments = parser.parse_args()
    print(f"registry: {arguments.rounds} rounds; {describe_machine()}\n")
    measured = {count: Rates([], []) for count in (0, FEW, MANY)}
    with local_ray() as directory:
        for round_ in range(arguments.rounds):
            for count, rates in measured.items():
                _measure(f"{directory}/{count}-{round_}.db", count, arguments.seconds, rates)
    _print(measured)


def _measure(store_path: str, count: int, duration_s: float, rates: Rates) -> None:
    """Add what one actor does in one round: the registry over so many nodes, or the bare one."""
    # As the registry is made. Ray takes this option nowhere else, though its types do not know it.
    make_remote: Any = ray.remote(concurrency_groups=REGISTRY_CONCURRENCY_GROUPS)  # type: ignore[call-overload]
    kind, arguments = (SimulatedRegistry, (store_path, count)) if count else (BareActor, ())
    actor = make_remote(kind).options(num_cpus=0, max_task_retries=-1, max_restarts=-1)
    actor = actor.remote(*arguments)
    speakers: list[Any] = [
        ray.remote(Speaker).options(num_cpus=0).remote(range(first, count or FEW, SPEAKERS))
        for first in range(SPEAKERS)
    ]
    reader = _Reader(actor if count else None)
    try:
        reader.read_while([speaker.speak.remote(actor, 0.0) for speaker in speakers])
        process = psutil.Process(ray.get(actor.settle.remote(), timeout=TIMEOUT_S))
        began_s, before = time.perf_counter(), process.cpu_times()
        calls = reader.read_while([each.speak.remote(actor, duration_s) for each in speakers])
        took_s, after = time.perf_counter() - began_s, process.cpu_times()
    finally:
        for each in (*speakers, actor):
            ray.kill(each)
    cpu_s = after.user + after.system - before.user - before.system
    rates.calls_per_s.append(calls / took_s)
    rates.cpu_us.append(1e6 * cpu_s / calls)


class _Reader:
    """Follows the changes of a registry, where there is one.

    Args:
        registry: Its handle, or None.
    """

    def __init__(self, registry: Any) -> None:
        self._registry = registry
        self._version: str | None = None

    def read_while(self, speaking: list[Any]) -> int:
        """Read until all have spoken; how many calls that were."""
        if self._registry is not None:
            while len(ray.wait(speaking, num_returns=len(speaking), timeout=0)[0]) < len(speaking):
                waiting = self._registry.changes.remote(self._version, 1.0)
                changes: Changes = ray.get(waiting, timeout=TIMEOUT_S)
                self._version = changes.version
        return sum(ray.get(speaking, timeout=TIMEOUT_S))


def _print(measured: dict[int, Rates]) -> None:
    names = {0: "bare actor", FEW: f"registry, {FEW} nodes", MANY: f"registry, {MANY} nodes"}
    print_table(
        ("", "calls/s", "least", "µs of CPU a call"),
        [
            (
                names[count],
                f"{median(rates.calls_per_s):.0f}",
                f"{min(rates.calls_per_s):.0f}",
                f"{median(rates.cpu_us):.0f}",
            )
            for count, rates in measured.items()
        ],
    )
    rate = median(measured[MANY].calls_per_s) / median(measured[0].calls_per_s)
    cost = median(measured[MANY].cpu_us) / median(measured[FEW].cpu_us)
    print_limits(
        [
            Limit(
                f"{MANY} nodes: calls/s / bare actor",
                f"≥ {RATE_LIMIT}",
                f"{rate:.2f}",
                rate >= RATE_LIMIT,
            ),
            Limit(
                f"CPU a call, {MANY} nodes / {FEW} nodes",
                f"≤ {COST_LIMIT}",
                f"{cost:.2f}",
                cost <= COST_LIMIT,
            ),
        ]
    )


if __name__ == "__main__":
    main()
