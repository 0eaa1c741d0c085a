from __future__ import annotations

import asyncio
import os
import socket
import time
from typing import TYPE_CHECKING

import pytest

from castray.cast_models import CastState, IfExists
from castray.errors import CastError, PeerError, SourceFileError, UnsafePathError
from castray.transfer import receiver_thread
from castray.transfer.agent import CastAgent
from castray.transfer.agent_link import UploadOrder
from castray.transfer.peer import Membership, PeerAddress, PeerConnection
from tests.transfer.agents import DEADLINE_S, SECRET, Node

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from castray.transfer.agent_link import ReceiverReport

MIB = 1 << 20

CONTENT = os.urandom(3 * MIB + 5)

STUCK = 1.0
"""So slow that no block ever arrives."""


def is_pulling(report: ReceiverReport) -> bool:
    return report.bytes_total is not None


@pytest.fixture
async def make_node(tmp_path: Path) -> AsyncIterator[Callable[[str], Node]]:
    """Makes nodes, whose agents end with the test."""
    nodes = []

    def make(name: str) -> Node:
        nodes.append(Node.create(name, tmp_path / name))
        return nodes[-1]

    yield make
    for node in nodes:
        await node.aclose()


@pytest.fixture
async def source(make_node: Callable[[str], Node]) -> Node:
    """A node with a file."""
    node = make_node("source")
    (node.root / "a.bin").write_bytes(CONTENT)
    return node


@pytest.fixture
async def target(make_node: Callable[[str], Node]) -> Node:
    return make_node("target")


async def address_of(source: Node) -> PeerAddress:
    return await source.address(is_source=True)


async def test_a_file_goes_from_agent_to_agent(source: Node, target: Node) -> None:
    offered = await source.offer("a.bin")

    await target.receive("in/b.bin", await address_of(source))

    report = await target.ended()
    assert (offered.files, offered.bytes_total) == (1, len(CONTENT))
    assert (report.state, report.error, report.files) == (CastState.COMPLETED, None, 1)
    assert report.bytes_done == report.bytes_total == len(CONTENT)
    assert report.path == str(target.root / "in/b.bin")
    assert (target.root / "in/b.bin").read_bytes() == CONTENT


async def test_nothing_is_left_of_a_cast_that_was_ended(source: Node, target: Node) -> None:
    await source.offer("a.bin")
    await target.receive("b.bin", await address_of(source))
    await target.ended()

    for node in (source, target):
        await node.agent.end("cast1", keep_partial=True)

    reports = [await node.agent.reports(0, 0) for node in (source, target)]
    assert [(report.receivers, report.offers) for report in reports] == [((), ()), ((), ())]
    assert target.litter() == []
    await target.agent.end("cast1", keep_partial=False)


@pytest.mark.parametrize("keep_partial", [False, True])
async def test_an_agent_begun_anew_ends_what_another_one_left(
    source: Node, target: Node, make_node: Callable[[str], Node], keep_partial: bool
) -> None:
    await source.offer("a.bin")
    await target.receive("in/b.bin", await address_of(source))
    await target.ended()
    left = target.litter()
    anew = make_node("target")

    await anew.agent.end("other", keep_partial=False, destination=f"{target.root}/in/b.bin")
    await anew.agent.end("cast1", keep_partial=keep_partial, destination=f"{target.root}/in/b.bin")

    assert len(left) == 1
    assert target.litter() == (left if keep_partial else [])
    assert (target.root / "in/b.bin").read_bytes() == CONTENT


async def test_an_end_makes_no_directory_where_there_was_none(target: Node) -> None:
    await target.agent.end("cast1", keep_partial=False, destination=f"{target.root}/in/b.bin")

    assert list(target.root.iterdir()) == []


async def test_whoever_waits_for_reports_is_told_of_a_change(source: Node) -> None:
    before = await source.agent.reports(0, 0)

    waiting = asyncio.create_task(source.agent.reports(before.sequence, 10 * DEADLINE_S))
    await source.offer("a.bin")

    after = await asyncio.wait_for(waiting, DEADLINE_S)
    assert after.offers == ("cast1",)
    assert after.sequence > before.sequence
    assert after.incarnation == before.incarnation


async def test_reports_that_do_not_change_are_given_after_the_wait(source: Node) -> None:
    before = await source.agent.reports(0, 0)

    assert await source.agent.reports(before.sequence, 0.01) == before


async def test_a_new_agent_is_known_by_its_incarnation_and_tells_at_once(source: Node) -> None:
    before = await source.agent.reports(0, 0)

    again = Node.create("source", source.root)

    after = await asyncio.wait_for(again.agent.reports(before.sequence, 600), DEADLINE_S)
    assert after.incarnation != before.incarnation
    await again.aclose()


async def test_receiving_again_only_tells_where_the_others_are(source: Node, target: Node) -> None:
    await source.offer("a.bin")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = PeerAddress("source", "127.0.0.1", closed.getsockname()[1], is_source=True)
    await target.receive("b.bin", nobody)

    await target.receive("b.bin", await address_of(source))

    assert (await target.ended()).state is CastState.COMPLETED


async def test_a_cast_that_completed_is_not_received_again(source: Node, target: Node) -> None:
    await source.offer("a.bin")
    await target.receive("b.bin", await address_of(source))
    completed = await target.ended()

    await target.receive("b.bin", await address_of(source))

    assert (await target.agent.reports(0, 0)).receivers == (completed,)


async def test_a_cast_that_failed_begins_anew(source: Node, target: Node) -> None:
    await source.offer("a.bin")
    (target.root / "b.bin").write_text("in the way")
    await target.receive("b.bin", await address_of(source))
    failed = await target.ended()

    (target.root / "b.bin").unlink()
    await target.receive("b.bin", await address_of(source))

    assert failed.state is CastState.FAILED
    assert not failed.can_retry
    assert failed.error == (
        f"{target.root}/b.bin: is there already; choose overwrite, skip or rename"
    )
    assert (await target.ended()).state is CastState.COMPLETED


async def test_a_source_that_falls_silent_leaves_what_arrived_for_another_try(
    source: Node, target: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as impatient:
        impatient.setattr(receiver_thread, "PATIENCE_S", 0.5)
        await source.offer("a.bin", bytes_per_s=STUCK)
        await target.receive("b.bin", await address_of(source))
        failed = await target.ended()
    kept = target.litter()

    await source.agent.end("cast1", keep_partial=True)
    await source.offer("a.bin")
    await target.receive("b.bin", await address_of(source))

    assert (failed.state, failed.can_retry) == (CastState.FAILED, True)
    assert len(kept) == 1
    assert (await target.ended()).state is CastState.COMPLETED


@pytest.mark.parametrize("keep_partial", [True, False])
async def test_what_arrived_is_kept_or_removed_at_the_end(
    keep_partial: bool, source: Node, target: Node
) -> None:
    await source.offer("a.bin", bytes_per_s=STUCK)
    await target.receive("b.bin", await address_of(source))
    await target.report_when(is_pulling)

    await target.agent.end("cast1", keep_partial=keep_partial)

    assert len(target.litter()) == keep_partial
    assert not (target.root / "b.bin").exists()


async def test_what_a_lost_cast_left_is_removed_at_its_end(
    source: Node, target: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver_thread, "PATIENCE_S", 0.5)
    await source.offer("a.bin", bytes_per_s=STUCK)
    await target.receive("b.bin", await address_of(source))
    await target.ended()

    await target.agent.end("cast1", keep_partial=False)

    assert target.litter() == []


async def test_a_paused_cast_says_so_and_goes_on(source: Node, target: Node) -> None:
    await source.offer("a.bin", bytes_per_s=STUCK)
    await target.receive("b.bin", await address_of(source))

    await target.agent.pause("cast1")
    paused = (await target.agent.reports(0, 0)).receivers[0]
    await target.agent.resume("cast1")
    resumed = (await target.agent.reports(0, 0)).receivers[0]
    await source.agent.end("cast1", keep_partial=True)
    await source.offer("a.bin")

    assert (paused.state, resumed.state) == (CastState.PAUSED, CastState.RUNNING)
    assert (await target.ended()).state is CastState.COMPLETED


async def test_steering_a_cast_that_is_unknown_is_no_error(target: Node) -> None:
    await target.agent.pause("cast1")
    await target.agent.resume("cast1")
    await target.agent.end("cast1", keep_partial=False)

    assert (await target.agent.reports(0, 0)).receivers == ()


async def test_an_agent_that_starts_again_knows_what_was_placed(source: Node, target: Node) -> None:
    await source.offer("a.bin")
    await target.receive("b.bin", await address_of(source))
    await target.ended()

    # The first one ended suddenly before anybody heard from it.
    again = Node.create("target", target.root)
    await again.receive("b.bin", await address_of(source))

    assert (await again.ended()).state is CastState.COMPLETED
    await again.agent.end("cast1", keep_partial=False)
    assert again.litter() == []
    await again.aclose()


async def test_a_tree_of_which_some_is_in_the_way_is_partial(source: Node, target: Node) -> None:
    tree = source.root / "tree"
    tree.mkdir()
    for name in ("a", "b"):
        (tree / name).write_text(name)
    (target.root / "tree").mkdir()
    (target.root / "tree/a").write_text("in the way")
    await source.offer("tree")

    await target.receive("tree", await address_of(source))

    report = await target.ended()
    assert (report.state, report.files, report.problems_total) == (CastState.PARTIAL, 1, 1)
    assert report.problems[0].path == str(target.root / "tree/a")


async def test_the_source_can_be_its_own_target(source: Node) -> None:
    await source.offer("a.bin")

    await source.receive("copy/", await address_of(source))

    report = await source.ended()
    assert report.state is CastState.COMPLETED
    assert (source.root / "copy/a.bin").read_bytes() == CONTENT


async def test_what_arrived_is_given_to_others_until_the_end(source: Node, target: Node) -> None:
    await source.offer("a.bin")
    await target.receive("b.bin", await address_of(source))
    await target.ended()
    connection = PeerConnection(
        await target.address(), Membership("cast1", bytes.fromhex(SECRET), "third")
    )

    verified = connection.fetch_news(0, 0)
    await target.agent.end("cast1", keep_partial=False)

    assert set(verified) == set(range(len(verified)))
    assert verified
    with pytest.raises(PeerError, match="does not take part"):
        connection.fetch_news(0, 0)
    connection.close()


async def test_offering_again_changes_nothing_until_the_end(source: Node) -> None:
    first = await source.offer("a.bin")
    (source.root / "a.bin").write_bytes(b"shorter")

    same = await source.offer("a.bin")
    await source.agent.end("cast1", keep_partial=False)
    anew = await source.offer("a.bin")

    assert same == first
    assert anew.bytes_total == len(b"shorter")


async def test_a_survey_tells_what_a_path_stands_for(source: Node) -> None:
    (source.root / "b.bin").write_bytes(b"b")
    os.mkfifo(source.root / "c.bin")

    offered = await source.agent.survey("*.bin")

    assert (offered.files, offered.bytes_total) == (2, len(CONTENT) + 1)
    assert (offered.skipped_total, offered.skipped[0].path) == (1, "c.bin")
    assert (await source.agent.reports(0, 0)).offers == ()


@pytest.mark.parametrize(
    ("path", "error", "text"),
    [
        ("missing", SourceFileError, "No such file"),
        ("/etc/passwd", UnsafePathError, "lies outside of what this node shares"),
        ("../a.bin", UnsafePathError, "leads upwards"),
    ],
)
async def test_what_cannot_be_cast_is_told(
    path: str, error: type[Exception], text: str, source: Node
) -> None:
    with pytest.raises(error, match=text):
        await source.offer(path)
    with pytest.raises(error, match=text):
        await source.agent.survey(path)


async def test_a_destination_outside_of_the_roots_is_refused_at_once(
    source: Node, target: Node
) -> None:
    with pytest.raises(UnsafePathError, match=r"transfer\.roots"):
        await target.receive("/etc/passwd", await address_of(source))

    assert (await target.agent.reports(0, 0)).receivers == ()


async def test_a_root_that_is_missing_is_told(source: Node, target: Node) -> None:
    await source.offer("a.bin")
    target.root.rmdir()

    await target.receive("b.bin", await address_of(source))

    report = await target.ended()
    assert report.state is CastState.FAILED
    assert "is not there on this node; make that directory" in str(report.error)


async def test_an_agent_reaches_another_or_says_what_it_saw(source: Node, target: Node) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = PeerAddress("edge", "127.0.0.1", closed.getsockname()[1])

    assert await target.agent.reach(await address_of(source)) is None
    seen = await target.agent.reach(nobody)
    assert seen is not None
    assert "refused" in seen


async def test_a_cast_goes_through_a_relay_until_its_end(
    source: Node, target: Node, make_node: Callable[[str], Node]
) -> None:
    await source.offer("a.bin")
    head = make_node("head")
    port = await head.agent.relay("cast1", await address_of(source))
    same = await head.agent.relay("cast1", await address_of(source))

    await target.receive("b.bin", PeerAddress("source", "127.0.0.1", port, is_source=True))

    assert same == port
    assert (await target.ended()).state is CastState.COMPLETED
    await head.agent.end("cast1", keep_partial=False)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)


async def test_a_port_that_is_taken_is_told_and_tried_again(tmp_path: Path) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    agent = CastAgent([str(tmp_path)], range(port, port + 1), "127.0.0.1")

    with pytest.raises(CastError, match=r"in use.*transfer\.port_range"):
        await agent.facts()
    taken.close()

    assert (await agent.facts()).port == port
    await agent.aclose()


async def test_files_are_listed_and_read(source: Node) -> None:
    listing = await source.agent.list_files("")

    assert listing.path == str(source.root)
    assert [entry.name for entry in listing.entries] == ["a.bin"]
    assert await source.agent.read_file("a.bin", len(CONTENT) - 5, 100) == CONTENT[-5:]


async def test_a_file_is_taken_in(target: Node) -> None:
    await target.agent.begin_upload(
        UploadOrder(upload_id="u1", path="new/b.bin", if_exists=IfExists.FAIL)
    )
    await target.agent.append_upload("u1", 0, b"abc")
    path = await target.agent.finish_upload("u1")

    assert path == str(target.root / "new/b.bin")
    assert (target.root / "new/b.bin").read_bytes() == b"abc"
    assert target.litter() == []


async def test_an_upload_that_is_given_up_leaves_nothing(target: Node) -> None:
    await target.agent.begin_upload(
        UploadOrder(upload_id="u1", path="b.bin", if_exists=IfExists.FAIL)
    )

    await target.agent.abort_upload("u1")

    assert list(target.root.iterdir()) == []


async def test_sweeping_removes_what_waited_for_too_long(target: Node) -> None:
    for name, age_s in (("old", 25 * 3600), ("new", 3600)):
        partial = target.root / f".castray-{name}.partial"
        partial.mkdir()
        os.utime(partial, (time.time() - age_s,) * 2)

    await target.agent.sweep()

    assert [path.name for path in target.litter()] == [".castray-new.partial"]


async def test_closing_ends_everything_and_keeps_what_arrived(source: Node, tmp_path: Path) -> None:
    target = Node.create("target", tmp_path / "target")
    await source.offer("a.bin", bytes_per_s=STUCK)
    await target.receive("b.bin", await address_of(source))
    await target.report_when(is_pulling)
    port = (await target.agent.facts()).port

    await target.aclose()

    assert len(target.litter()) == 1
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)
