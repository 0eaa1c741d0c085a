"""Files between real hosts: whole, verified and under their names, or not there."""

from __future__ import annotations

import asyncio
import os
import re
import stat
from typing import TYPE_CHECKING

import pytest

from tests.hosts import REPOSITORY
from tests.system.cast_harms import HARMS, cast_and_harm
from tests.system.cast_site import has_begun, until
from tests.system.cast_tree import ENTRIES, MIB, facts_of, write_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.system.cast_site import Cast, Caster, CastSite, Station

pytestmark = pytest.mark.timeout(300)

HOSTS = 3

SLOW_MIB = 24
SLOW = 4 * MIB
"""At so many bytes per second such a file is on its way for six seconds."""

REST_S = 3.0
"""Three times as much would arrive in it as may."""


def states(cast: Cast) -> set[str]:
    return {target["state"] for target in cast["targets"]}


@pytest.mark.parametrize(
    ("source", "targets", "receivers"),
    [
        ("M1", ["M3"], ["M3"]),
        ("M2", ["M1", "M3"], ["M1", "M3"]),
        ("M3", "all", ["M1", "M2"]),
        ("M1", {"selector": "castray.io/name=M*"}, ["M2", "M3"]),
    ],
)
async def test_everything_goes_from_any_node_to_one_some_or_all(
    site: CastSite, caster: Caster, source: str, targets: object, receivers: list[str]
) -> None:
    stations = {station.name: station for station in site.stations}
    write_tree(stations[source].root / "tree 树")

    cast = await caster.cast(f"{source}:tree 树", targets, "in/")

    assert cast["state"] == "completed", cast
    assert len(cast["targets"]) == len(receivers)
    sent = facts_of(stations[source].root / "tree 树")
    assert len(sent) == ENTRIES
    for name in receivers:
        assert facts_of(stations[name].root / "in" / "tree 树") == sent
    # What shows a receiver begun again that it had ended goes once its end is known.
    await until(lambda: not any(stations[name].litter() for name in receivers))


async def test_one_file_gets_its_new_name_and_what_is_there_stays(
    site: CastSite, caster: Caster
) -> None:
    sent = site.head.write("a.bin", 2)

    first = await caster.cast("M1:a.bin", ["M2"], "models/b.bin")
    again = await caster.cast("M1:a.bin", ["M2"], "models/b.bin")
    renamed = await caster.cast("M1:a.bin", ["M2"], "models/b.bin", if_exists="rename")

    assert [cast["state"] for cast in (first, again, renamed)] == [
        "completed",
        "failed",
        "completed",
    ]
    assert "is there already" in again["targets"][0]["error"]
    assert renamed["targets"][0]["path"].endswith("/models/b (1).bin")
    there = facts_of(site.bare.root / "models")
    assert there["b.bin"] == there["b (1).bin"] == sent


async def test_a_dry_run_tells_what_would_go_and_moves_nothing(
    site: CastSite, caster: Caster
) -> None:
    site.head.write("a.bin", 2)

    status, cast = await caster.request("M1:a.bin", "all", dry_run=True)

    assert status == 200
    assert cast["bytes_total"] == 2 * 2 * MIB
    assert len(cast["targets"]) == 2
    assert list(site.bare.root.iterdir()) == []


@pytest.mark.parametrize(("seed", "harm"), list(enumerate(HARMS)))
async def test_a_cast_goes_on_by_itself_and_shows_nothing_before_its_end(
    site: CastSite, caster: Caster, seed: int, harm: str
) -> None:
    # It looks at the file and at what the cast claims until the end.
    await cast_and_harm(site, caster, harm, seed)


async def test_a_paused_cast_rests_until_it_is_resumed(site: CastSite, caster: Caster) -> None:
    sent = site.head.write("a.bin", SLOW_MIB)
    cast_id = await caster.start("M1:a.bin", ["M2"], bandwidth_limit=SLOW)
    await caster.when(cast_id, has_begun)

    paused = await caster.steer(cast_id, "pause")
    at_first = site.bare.blocks()
    await asyncio.sleep(REST_S)
    at_last = site.bare.blocks()
    still = await caster.fetch(cast_id)
    await caster.steer(cast_id, "resume")
    ended = await caster.ended(cast_id)

    assert (paused["state"], still["state"]) == ("paused", "paused")
    # What was on its way when it was paused still arrives.
    assert 0 < at_first <= at_last <= at_first + SLOW / MIB
    assert ended["state"] == "completed"
    assert facts_of(site.bare.root / "a.bin")[""] == sent


async def test_a_cancelled_cast_leaves_nothing_and_can_be_tried_again(
    site: CastSite, caster: Caster
) -> None:
    sent = site.head.write("a.bin", SLOW_MIB)
    cast_id = await caster.start("M1:a.bin", ["M2", "M3"], bandwidth_limit=SLOW)
    await caster.when(cast_id, has_begun)

    cancelled = await caster.steer(cast_id, "cancel")
    await until(lambda: not site.bare.litter() and not site.worker.litter())
    left = [*site.bare.root.iterdir(), *site.worker.root.iterdir()]
    await caster.steer(cast_id, "retry")
    ended = await caster.ended(cast_id)

    assert states(cancelled) == {"cancelled"}
    assert left == []
    assert ended["state"] == "completed"
    for station in (site.bare, site.worker):
        assert facts_of(station.root / "a.bin")[""] == sent


@pytest.fixture
def wall(site: CastSite) -> Iterator[None]:
    """M2 and M3 cannot reach each other; the head reaches both."""
    site.bare.block(site.worker)
    site.worker.block(site.bare)
    yield
    site.bare.unblock(site.worker)
    site.worker.unblock(site.bare)


async def test_hosts_that_cannot_reach_each_other_cast_through_the_head(
    site: CastSite, caster: Caster, wall: None
) -> None:
    sent = site.bare.write("a.bin", 8)

    by_itself = await caster.cast("M2:a.bin", ["M3", "M1"])
    direct = await caster.cast("M2:a.bin", ["M3"], "b.bin", mode="direct")

    assert by_itself["state"] == "completed", by_itself
    routes = {target["path"]: target["route"] for target in by_itself["targets"]}
    assert sorted(target["route"] for target in by_itself["targets"]) == ["direct", "relay"], routes
    assert facts_of(site.worker.root / "a.bin")[""] == sent
    assert direct["state"] == "failed"
    assert site.bare.host.address in direct["targets"][0]["error"]
    assert not (site.worker.root / "b.bin").exists()


async def test_a_cast_is_relayed_when_that_is_asked_for(site: CastSite, caster: Caster) -> None:
    sent = site.bare.write("a.bin", 8)

    cast = await caster.cast("M2:a.bin", ["M3"], mode="relay")

    assert cast["state"] == "completed", cast
    assert cast["targets"][0]["route"] == "relay"
    assert facts_of(site.worker.root / "a.bin")[""] == sent


async def test_a_full_and_a_read_only_disk_fail_for_that_target_alone(
    site: CastSite, caster: Caster
) -> None:
    sent = site.head.write("a.bin", 16)
    for station, options in ((site.bare, "size=8m"), (site.worker, "ro")):
        mount(station, "disk", options)

    try:
        full = await caster.cast("M1:a.bin", ["M2", "M1"], "disk/b.bin")
        read_only = await caster.cast("M1:a.bin", ["M3"], "disk/b.bin")
        left = list((site.bare.root / "disk").iterdir())
    finally:
        for station in (site.bare, site.worker):
            station.host.run(["umount", "/tmp/home/castray/disk"])

    assert full["state"] == "partial"
    assert "the disk has 8384512 left" in str([target["error"] for target in full["targets"]])
    assert left == []
    assert facts_of(site.head.root / "disk" / "b.bin")[""] == sent
    assert read_only["state"] == "failed"
    assert "read-only" in read_only["targets"][0]["error"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("../secret", r"\.\."),
        ("/etc/passwd", "lies outside of what this node shares"),
        ("a\0b", "NUL"),
        ("x" * 300, "255"),
        ("out", "leads out"),
        ("pipe", "is a FIFO"),
        ("null", "is a device"),
        ("nosuch", "No such file"),
    ],
)
async def test_what_may_not_be_read_or_written_is_refused_in_words(
    site: CastSite, caster: Caster, path: str, words: str
) -> None:
    (site.head.root / "out").symlink_to("/etc/passwd")
    os.mkfifo(site.head.root / "pipe")
    os.mknod(site.head.root / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))

    status, problem = await caster.request(f"M1:{path}", ["M3"])

    assert 400 <= status < 500
    assert re.search(words, problem["detail"]), problem
    assert list(site.worker.root.iterdir()) == []


async def test_a_destination_that_leads_out_is_refused(site: CastSite, caster: Caster) -> None:
    site.head.write("a.bin", 1)
    (site.worker.root / "out").symlink_to("/tmp")

    upwards = await caster.cast("M1:a.bin", ["M3"], "../a.bin")
    linked = await caster.cast("M1:a.bin", ["M3"], "out/a.bin")

    assert (upwards["state"], linked["state"]) == ("failed", "failed")
    assert "'..'" in upwards["targets"][0]["error"]
    assert "leads out" in linked["targets"][0]["error"]
    assert not (site.worker.root.parent / "a.bin").exists()
    assert "a.bin" not in site.worker.host.run(["ls", "/tmp"])


async def test_a_source_that_changes_while_it_is_sent_is_told(
    site: CastSite, caster: Caster
) -> None:
    site.head.write("tree/a.bin", SLOW_MIB)
    kept = site.head.write("tree/b.bin", 1)
    cast_id = await caster.start("M1:tree", ["M3"], bandwidth_limit=SLOW)
    await caster.when(cast_id, has_begun)

    with (site.head.root / "tree/a.bin").open("ab") as file:
        file.write(b"more")
    ended = await caster.ended(cast_id)

    assert ended["state"] == "partial", ended
    assert "grew while it was cast" in ended["targets"][0]["problems"][0]["problem"]
    assert set(facts_of(site.worker.root / "tree")) == {"", "b.bin"}
    assert facts_of(site.worker.root / "tree/b.bin")[""] == kept
    await until(lambda: site.worker.litter() == [])


async def test_files_go_from_and_to_the_machine_where_somebody_types(
    site: CastSite, caster: Caster, tmp_path: Path
) -> None:
    host = site.head.host
    host.run(["sh", "-c", "mkdir -p /tmp/here && head -c 9M /dev/urandom > /tmp/here/'a b.bin'"])

    host.run(["castray", "cp", "a b.bin", "M2:in/"], cwd="/tmp/here")
    host.run(["castray", "cp", "M2:in/a b.bin", "M3:"], cwd="/tmp/here")
    host.run(["castray", "cp", "M3:a b.bin", "c.bin"], cwd="/tmp/here")
    host.run(["castray", "cast", "c.bin", "--to", "all"], cwd="/tmp/here")

    host.run(["cmp", "/tmp/here/a b.bin", "/tmp/here/c.bin"])
    [sent] = facts_of(site.bare.root / "in" / "a b.bin").values()
    for station in (site.bare, site.worker):
        assert facts_of(station.root / "c.bin")[""].digest == sent.digest


async def test_the_guides_program_works_as_it_is_written(site: CastSite, caster: Caster) -> None:
    sent = site.head.write("models/a.bin", 1)
    guide = (REPOSITORY / "docs" / "casting.md").read_text(encoding="utf-8")
    [program] = re.findall(r"^```python\n(.*?)^```", guide, re.DOTALL | re.MULTILINE)

    output = site.head.host.run(["python", "-c", program], timeout_s=120)

    assert "completed" in output
    assert facts_of(site.worker.root / "models" / "a.bin")[""] == sent


def mount(station: Station, name: str, options: str) -> None:
    (station.root / name).mkdir()
    place = f"/tmp/home/castray/{name}"
    station.host.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place])
