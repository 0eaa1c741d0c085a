from __future__ import annotations

import pytest

from castray.discovery.remote import RemoteSource, seen_from_here
from castray.discovery.source import Candidate, Sightings


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("http://127.0.0.1:8265", "http://10.0.0.7:8265"),
        ("http://localhost:8265/ray", "http://10.0.0.7:8265/ray"),
        ("http://10.0.0.9:8265", "http://10.0.0.9:8265"),
        (None, None),
    ],
)
def test_a_loopback_address_of_another_machine_becomes_that_machines(
    there: str | None, here: str | None
) -> None:
    candidate = Candidate(dashboard_url=there, ray_address="gcs://127.0.0.1:6379")

    moved = seen_from_here(candidate, "10.0.0.7")

    assert moved.dashboard_url == here
    assert moved.ray_address == "gcs://10.0.0.7:6379"


async def test_a_remote_source_says_where_it_looked_and_keeps_its_notes() -> None:
    async def ask() -> Sightings:
        return Sightings((Candidate(dashboard_url="http://127.0.0.1:8265"),), ("a note",))

    source = RemoteSource("temp_dir", "M3", "10.0.0.7", ask)
    sightings = await source.fetch()

    assert source.name == "temp_dir@M3"
    assert sightings.notes == ("a note",)
    assert [c.dashboard_url for c in sightings.candidates] == ["http://10.0.0.7:8265"]
