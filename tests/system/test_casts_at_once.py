"""Many casts at once, from and to every host."""

from __future__ import annotations

import asyncio
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from tests.system.cast_tree import MIB, facts_of

if TYPE_CHECKING:
    from tests.system.cast_site import Cast, Caster, CastSite

pytestmark = pytest.mark.timeout(600)

HOSTS = 6

CASTS = 20
FILE_MIB = 32
BYTES_PER_S = 8 * MIB
"""At so many bytes per second none has ended when the last is asked for."""

AGENT_BYTES = 150 * MIB


async def test_many_casts_at_once_all_complete_in_little_memory(
    site: CastSite, caster: Caster
) -> None:
    stations = {station.name: station for station in site.stations}
    sent = {name: station.write("a.bin", FILE_MIB) for name, station in stations.items()}
    # Each third of 30 pairs is left out: every host still sends and receives.
    pairs = [pair for number, pair in enumerate(permutations(stations, 2)) if number % 3][:CASTS]
    most = dict.fromkeys(stations, 0)

    requests = [
        caster.start(f"{source}:a.bin", [target], f"from {source}.bin", bandwidth_limit=BYTES_PER_S)
        for source, target in pairs
    ]
    ids = await asyncio.gather(*requests)
    casts: list[Cast] = [await caster.fetch(cast_id) for cast_id in ids]
    unfinished = [cast for cast in casts if cast["ended"] is None]
    while any(cast["ended"] is None for cast in casts):
        for name, station in stations.items():
            most[name] = max([most[name], *station.agent_bytes()])
        casts = [await caster.fetch(cast_id) for cast_id in ids]

    assert len(unfinished) == CASTS
    assert {cast["state"] for cast in casts} == {"completed"}, casts
    assert all(0 < bytes_ <= AGENT_BYTES for bytes_ in most.values()), most
    for source, target in pairs:
        assert facts_of(stations[target].root / f"from {source}.bin")[""] == sent[source]
