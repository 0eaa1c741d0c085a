"""Casts between hosts, beside iperf3, nginx and curl, Ray's object store and rsync.

Hosts are network namespaces of this machine, so all of them share its cores, and files lie in
memory. Needs root, and iperf3, nginx, curl and rsync.

    python -m bench.cast [--rounds 5]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench import cast_agent, cast_cluster
from bench.cast_cluster import CastRay
from bench.cast_fleet import Fleet
from bench.cast_lamps import measure_lamps
from bench.cast_peers import Nginx, ObjectStore, Rsync, iperf3, missing_programs
from bench.figures import Limit, describe_machine, percentile, print_limits, print_table
from bench.free_memory import held_by_this_machine
from tests.hosts import create_hosts, why_no_hosts

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hosts import Host

__all__ = ["main"]

MIB = 2**20
GIB = 2**30

LARGE_MIB = 1024
TREE_FILES, TREE_FILE_KIB = 1000, 64
SHARED_MIB = 256
RECEIVERS = 7
LINK_MBIT_PER_S = 200

CASTS_AT_ONCE = 20
CAST_BYTES_PER_S = 4 * MIB
"""So slow that they outlast what is measured; four of them move at once, the others wait."""

LAMP_LIMITS_MS = {50: 15, 99: 100}

Seconds = dict[str, list[float]]


def main() -> None:
    """Measure, print, and say which limits are met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="of each, in turns; medians count")
    rounds = parser.parse_args().rounds
    if reason := why_no_hosts():
        sys.exit(f"cast: {reason}")
    if packages := missing_programs():
        sys.exit(f"cast: apt-get install {' '.join(packages)}")
    print(f"cast: {rounds} rounds; {describe_machine()}\n", flush=True)
    with held_by_this_machine(), TemporaryDirectory(prefix="castray-bench") as directory:
        limits = [
            *_measure_two(Path(directory, "two"), rounds),
            *_measure_eight(Path(directory, "eight")),
        ]
    print_limits(limits)


def _measure_two(directory: Path, rounds: int) -> list[Limit]:
    directory.mkdir()
    with create_hosts(2, directory) as (source, target):
        root = cast_cluster.ROOT
        castray = CastRay(source, target)
        _write_files(source, root)
        nginx, rsync = Nginx(source, root), Rsync(source, root)
        store = ObjectStore(castray.address, source)
        large: Seconds = {}
        tree: Seconds = {}
        asyncio.run(castray.cast("warm-up", "warm-up-copy"))
        copies: dict[str, Callable[[], float]] = {
            "iperf3, no file": lambda: iperf3(source, target, LARGE_MIB * MIB),
            "CastRay": lambda: asyncio.run(castray.cast("large", "copy")),
            "nginx → curl": lambda: nginx.copy(target, "large", root / "copy"),
            "rsync daemon": lambda: rsync.copy(target, "large", root / "copy"),
        }
        tree_copies: dict[str, Callable[[], float]] = {
            "CastRay": lambda: asyncio.run(castray.cast("tree", "tree-copy")),
            "rsync daemon": lambda: rsync.copy(target, "tree/", root / "tree-copy"),
        }
        for _ in range(rounds):
            for name, copy in copies.items():
                _touch_memory(target, root)
                large.setdefault(name, []).append(copy())
                if name == "CastRay":
                    _compare(source, target, root / "large", root / "copy")
                target.run(["rm", "-rf", str(root / "copy")])
            for name, copy in tree_copies.items():
                _touch_memory(target, root)
                tree.setdefault(name, []).append(copy())
                target.run(["rm", "-rf", str(root / "tree-copy")])
        for _ in range(rounds):
            # In rounds of its own: for seconds after it Ray starts and ends workers.
            _touch_memory(target, root)
            seconds = store.copy(target, root / "large", root / "copy")
            large.setdefault("Ray object store", []).append(seconds)
            target.run(["rm", "-rf", str(root / "copy")])
        lamp_limits = asyncio.run(_measure_lamps(castray, target))
    _print_seconds(f"2 hosts, {LARGE_MIB} MiB", LARGE_MIB * MIB, large)
    tree_bytes = TREE_FILES * TREE_FILE_KIB * 1024
    _print_seconds(f"2 hosts, {TREE_FILES} files of {TREE_FILE_KIB} KiB", tree_bytes, tree)
    wanted = {"iperf3, no file": 0.8, "nginx → curl": 1.2, "Ray object store": 5, "rsync daemon": 8}
    limits = [
        _at_least(f"{LARGE_MIB} MiB: CastRay's rate / {name}", least, large[name], large["CastRay"])
        for name, least in wanted.items()
    ]
    what = f"{TREE_FILES} files: CastRay's rate / rsync daemon"
    return [*limits, *lamp_limits, _at_least(what, 1, tree["rsync daemon"], tree["CastRay"])]


async def _measure_lamps(castray: CastRay, target: Host) -> list[Limit]:
    target.start(["python", "-m", "castray.monitor"]).wait_for_output("CM-ZSB monitor")
    await measure_lamps(castray, target)  # until everything is connected
    alone = await measure_lamps(castray, target)
    for number in range(CASTS_AT_ONCE):
        await castray.start("shared", f"copy-{number}", CAST_BYTES_PER_S)
    beside = await measure_lamps(castray, target)
    if not await castray.count_unfinished():
        raise RuntimeError("the casts ended before the lamps were measured: make them slower")
    print_table(
        ("status change → /ws?mode=delta, ms", "p50", "p99"),
        [
            (name, f"{percentile(values, 50):.1f}", f"{percentile(values, 99):.1f}")
            for name, values in (("no cast", alone), (f"{CASTS_AT_ONCE} casts", beside))
        ],
    )
    return [
        Limit(
            f"lamp beside {CASTS_AT_ONCE} casts, p{percent}",
            f"≤ {limit_ms} ms",
            f"{percentile(beside, percent):.1f} ms",
            percentile(beside, percent) <= limit_ms,
        )
        for percent, limit_ms in LAMP_LIMITS_MS.items()
    ]


def _measure_eight(directory: Path) -> list[Limit]:
    directory.mkdir()
    with create_hosts(1 + RECEIVERS, directory) as hosts:
        source, *targets = hosts
        root = cast_agent.ROOT
        fleet = Fleet(hosts)
        source.run(["mkdir", "-p", str(root)])
        _write_random(source, root / "warm-up", 1)
        _write_random(source, root / "shared", SHARED_MIB)
        asyncio.run(fleet.cast("warm-up", "warm-up-copy"))
        nginx = Nginx(source, root)
        for host in hosts:
            host.cap(LINK_MBIT_PER_S)
        one = nginx.copy(targets[0], "shared", root / "one")
        several = asyncio.run(fleet.cast("shared", "copy"))
        for target in targets:
            _compare(source, target, root / "shared", root / "copy")
    name = f"{1 + RECEIVERS} hosts, links of {LINK_MBIT_PER_S} Mbit/s, {SHARED_MIB} MiB"
    rows = {"one copy, nginx → curl": [one], f"agents, cast to {RECEIVERS}": [several]}
    _print_seconds(name, SHARED_MIB * MIB, rows)
    ratio = several / one
    what = f"{SHARED_MIB} MiB to {RECEIVERS} hosts: time / one copy"
    return [Limit(what, "≤ 1.3", f"{ratio:.2f}", ratio <= 1.3)]


def _at_least(what: str, least: float, peer: list[float], ours: list[float]) -> Limit:
    ratio = median(peer) / median(ours)
    return Limit(what, f"≥ {least}", f"{ratio:.2f}", ratio >= least)


def _print_seconds(name: str, size_bytes: int, seconds: Seconds) -> None:
    print_table(
        (name, "median s", "longest s", "GB/s"),
        [
            (
                way,
                f"{median(values):.2f}",
                f"{max(values):.2f}",
                f"{size_bytes / median(values) / 1e9:.2f}",
            )
            for way, values in seconds.items()
        ],
    )


def _write_files(source: Host, root: Path) -> None:
    source.run(["mkdir", "-p", str(root / "tree")])
    _write_random(source, root / "warm-up", 1)
    _write_random(source, root / "large", LARGE_MIB)
    _write_random(source, root / "shared", SHARED_MIB)
    kib = TREE_FILES * TREE_FILE_KIB
    script = f"head -c {kib}K /dev/urandom | split -b {TREE_FILE_KIB}K -a 4 - {root}/tree/file"
    source.run(["sh", "-c", script])


def _write_random(host: Host, file: Path, mib: int) -> None:
    host.run(["sh", "-c", f"head -c {mib}M /dev/urandom > {file}"], timeout_s=120)


def _touch_memory(host: Host, root: Path) -> None:
    """Have as much memory at hand as a copy takes.

    A virtual machine may have to get from its own host what it has not used for a moment, and that
    takes longer than the copying.
    """
    used = root / "used"
    host.run(["sh", "-c", f"head -c {LARGE_MIB}M /dev/zero > {used}; rm {used}"], timeout_s=120)


def _compare(source: Host, target: Host, file: Path, copy: Path) -> None:
    """Raise where the copy is another."""
    digests = [
        host.run(["sha256sum", str(path)], timeout_s=120).split()[0]
        for host, path in ((source, file), (target, copy))
    ]
    if digests[0] != digests[1]:
        raise RuntimeError(f"{copy} on {target} differs")


if __name__ == "__main__":
    main()
