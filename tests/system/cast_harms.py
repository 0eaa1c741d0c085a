"""Harms a real cluster at random moments of a cast, and looks at what that does to the cast.

    python -m tests.system.cast_harms --runs 30 --seed 1

Each run casts a file from M1 to M3. By turns, and at a moment drawn from its seed, it kills an
agent or both, the registry, or a node's raylet, or cuts a link. Until the cast has ended: nothing
but the whole, right file is ever under its final name, and it is there whenever the cast is called
completed.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.hosts import RAYLET, create_hosts
from tests.system.cast_site import AGENT, CastSite, caster_on, has_begun, until
from tests.system.cast_tree import MIB, facts_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.system.cast_site import Cast, Caster

__all__ = ["HARMS", "cast_and_harm", "main"]

FILE_MIB = 16
BYTES_PER_S = 4 * MIB

LATEST = 0.9
"""So much may have arrived before the harm."""

NEWS_S = 0.3
"""Progress is told about as often; the moment of the harm lies anywhere between."""

MAX_CUT_S = 3.0


async def cast_and_harm(site: CastSite, caster: Caster, harm: str, seed: int) -> None:
    """One cast, one harm.

    Raises:
        AssertionError: The cast did not complete, or claimed or showed what was not so.
    """
    draw = random.Random(seed)  # noqa: S311
    begins_at = draw.uniform(0, LATEST) * FILE_MIB * MIB
    moment_s = draw.uniform(0, NEWS_S)
    sent = site.head.write("a.bin", FILE_MIB)
    arrived = site.worker.root / "a.bin"

    def has_ended(cast: Cast) -> bool:
        there = facts_of(arrived)[""] if arrived.exists() else None
        assert there in (None, sent), "what is under the final name is wrong"
        assert there or cast["state"] != "completed", "completed, and there is no file"
        return cast["ended"] is not None

    cast_id = await caster.start("M1:a.bin", ["M3"], bandwidth_limit=BYTES_PER_S)
    await caster.when(
        cast_id, lambda cast: has_begun(cast) and cast["targets"][0]["bytes_done"] >= begins_at
    )
    await asyncio.sleep(moment_s)
    await HARMS[harm](site, draw)
    ended = await caster.when(cast_id, has_ended)

    assert ended["state"] == "completed", ended
    assert facts_of(arrived)[""] == sent
    # What shows a receiver begun again that it had ended goes once its end is known.
    await until(lambda: site.worker.litter() == [])


async def _kill_receiver(site: CastSite, draw: random.Random) -> None:
    site.worker.host.kill(AGENT)


async def _kill_sender(site: CastSite, draw: random.Random) -> None:
    site.head.host.kill(AGENT)


async def _kill_both(site: CastSite, draw: random.Random) -> None:
    site.worker.host.kill(AGENT)
    site.head.host.kill(AGENT)


async def _kill_registry(site: CastSite, draw: random.Random) -> None:
    site.head.host.kill("^ray::ClusterRegistry")


async def _kill_raylet(site: CastSite, draw: random.Random) -> None:
    site.worker.host.kill(RAYLET)
    site.start_node(site.worker)


async def _cut_link(site: CastSite, draw: random.Random) -> None:
    site.worker.host.cut()
    await asyncio.sleep(draw.uniform(0, MAX_CUT_S))
    site.worker.host.heal()


HARMS: dict[str, Callable[[CastSite, random.Random], Awaitable[None]]] = {
    "kill receiver": _kill_receiver,
    "kill sender": _kill_sender,
    "kill both": _kill_both,
    "kill registry": _kill_registry,
    "kill raylet": _kill_raylet,
    "cut link": _cut_link,
}


async def _run(site: CastSite, seed: int) -> str:
    harm = list(HARMS)[seed % len(HARMS)]
    async with caster_on(site) as caster:
        await cast_and_harm(site, caster, harm, seed)
    return harm


def main() -> None:
    """Run as many as asked for; the first that fails ends it, with its seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    harms: Counter[str] = Counter()
    with (
        TemporaryDirectory(prefix="castray-harms-") as place,
        create_hosts(3, Path(place)) as hosts,
    ):
        site = CastSite(hosts)
        for seed in range(options.seed, options.seed + options.runs):
            try:
                harms[asyncio.run(_run(site, seed))] += 1
            except AssertionError:
                print(f"seed {seed} fails", file=sys.stderr)  # noqa: T201
                raise
            print(f"{harms.total()} runs: {dict(harms)}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
