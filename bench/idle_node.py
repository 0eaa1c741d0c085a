"""What CastRay adds to a node that does nothing: memory and processor time.

That is the poller, on a Ray of one node, beside a monitor that says idle, and then with the
monitor embedded. The peer is an async actor that does nothing, on the same Ray. A monitor of its
own is shown too.

    python -m bench.idle_node [--seconds 30]
"""

from __future__ import annotations

import argparse
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

import psutil
import ray

from bench.figures import Limit, describe_machine, print_limits, print_table
from bench.local_castray import running_monitors
from bench.local_ray import local_ray, process_of
from bench.minimal_actor import MinimalActor
from castray.actors.launch import ensure_registry, remove_actors
from castray.actors.names import ActorSettings, ExternalSettings
from castray.cli.processes import free_port
from castray.models import WorkStatus

if TYPE_CHECKING:
    from typing import Any

    from castray.models import Snapshot

__all__ = ["main"]

MONITOR = "castray.monitor"
MIB = 2**20
TIMEOUT_S = 120.0
MEMORY_LIMIT = 1.3
CPU_LIMIT_PERCENT = 1.0


class Use(NamedTuple):
    """What a process takes."""

    private_mib: float
    """Memory that no other process shares, and that would be free without it."""

    shared_mib: float
    """Its part of what it shares."""

    cpu_percent: float
    """Of one core."""


def main() -> None:
    """Measure, print, and say whether the limits are met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="for each (%(default)s)")
    duration_s = parser.parse_args().seconds
    print(f"idle_node: {duration_s:.0f} s each; {describe_machine()}\n")
    with local_ray() as directory:
        minimal: Any = ray.remote(MinimalActor).options(num_cpus=0).remote()
        ray.get(minimal.ready.remote(), timeout=TIMEOUT_S)
        uses = {"minimal async actor": _watch([process_of("MinimalActor")], duration_s)[0]}
        for is_embedded in (False, True):
            settings = ActorSettings(
                f"{directory}/{is_embedded}.db",
                monitor_port=free_port(),
                monitor_embedded=is_embedded,
                external=ExternalSettings(enabled=False),
            )
            uses |= _measure(settings, duration_s)
    _print(uses)


def _measure(settings: ActorSettings, duration_s: float) -> dict[str, Use]:
    """What the poller takes with these settings, and the monitor where it has one of its own."""
    is_embedded = settings.monitor_embedded
    monitors = nullcontext() if is_embedded else running_monitors(MONITOR, [settings.monitor_port])
    with monitors:
        _wait_until_idle(ensure_registry(settings))
        names = ["poller, monitor embedded"] if is_embedded else ["poller", "monitor"]
        processes = [process_of("StatusPoller")]
        if not is_embedded:
            processes.append(_monitor_on(settings.monitor_port))
        uses = dict(zip(names, _watch(processes, duration_s), strict=True))
        remove_actors(settings.namespace)
    return uses


def _wait_until_idle(registry: Any) -> None:
    """Return once the one node's monitor was heard, and its load measured.

    Raises:
        TimeoutError: That does not happen.
    """
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        snapshot: Snapshot = ray.get(registry.snapshot.remote(), timeout=TIMEOUT_S)
        if any(n.work.status is WorkStatus.IDLE and n.load is not None for n in snapshot.nodes):
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"the node does not become idle: {snapshot}")
        ray.get(registry.changes.remote(snapshot.version, 1.0), timeout=TIMEOUT_S)


def _monitor_on(port: int) -> int:
    """The process of the monitor that was started for that port."""
    (monitor,) = (
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if f"--port={port}" in (process.info["cmdline"] or ())
    )
    return monitor


def _watch(process_ids: list[int], duration_s: float) -> list[Use]:
    """What each takes over so long: memory at the end, of processor time the mean."""
    processes = [psutil.Process(process_id) for process_id in process_ids]
    before = [process.cpu_times() for process in processes]
    began = time.perf_counter()
    time.sleep(duration_s)
    uses = []
    for process, earlier in zip(processes, before, strict=True):
        now, memory = process.cpu_times(), process.memory_full_info()
        cpu_s = now.user + now.system - earlier.user - earlier.system
        uses.append(
            Use(
                memory.uss / MIB,
                (memory.pss - memory.uss) / MIB,
                100 * cpu_s / (time.perf_counter() - began),
            )
        )
    return uses


def _print(uses: dict[str, Use]) -> None:
    print_table(
        ("", "private MiB", "its part of shared MiB", "% of a core"),
        [
            (name, f"{use.private_mib:.1f}", f"{use.shared_mib:.1f}", f"{use.cpu_percent:.2f}")
            for name, use in uses.items()
        ],
    )
    minimal = uses["minimal async actor"]
    limits = []
    for name, use in uses.items():
        if not name.startswith("poller"):
            continue
        ratio = (use.private_mib + use.shared_mib) / (minimal.private_mib + minimal.shared_mib)
        added_percent = use.cpu_percent - minimal.cpu_percent
        limits += [
            Limit(
                f"{name}: memory / minimal actor",
                f"≤ {MEMORY_LIMIT}",
                f"{ratio:.2f}",
                ratio <= MEMORY_LIMIT,
            ),
            Limit(
                f"{name}: of a core, beyond that",
                f"< {CPU_LIMIT_PERCENT:.0f} %",
                f"{added_percent:.2f} %",
                added_percent < CPU_LIMIT_PERCENT,
            ),
        ]
    print_limits(limits)


if __name__ == "__main__":
    main()
