from __future__ import annotations

import os
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from castray.cast_models import IfExists
from castray.errors import CastCancelledError, PeerError, TargetFileError
from castray.transfer.partial import partial_name
from castray.transfer.peer import PeerAddress
from castray.transfer.placing import Placer
from tests.transfer.site import Host, Running, tree_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from castray.transfer.pages import Entry
    from castray.transfer.source import SourceShare

MIB = 1 << 20
NAME = "权重 与 标签.bin"


def write(
    path: Path, content: bytes, mode: int = 0o644, mtime_ns: int = 1_600_000_000_123_456_789
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    os.utime(path, ns=(mtime_ns, mtime_ns))
    return path


def write_tree(root: Path) -> Path:
    """A tree with all that a tree can have."""
    tree = root / "tree"
    write(tree / "large.bin", os.urandom(3 * MIB + 17), mode=0o600)
    for number in range(300):
        write(tree / "many" / f"{number:03}.txt", os.urandom(number), mode=0o640)
    write(tree / NAME, b"x" * 5000, mode=0o444)
    write(tree / "deep" / "deeper" / "empty", b"", mode=0o755)
    (tree / "hollow").mkdir()
    (tree / "link").symlink_to("many/001.txt")
    (tree / "deep" / "up").symlink_to("../link")
    for directory in (tree / "hollow", tree / "deep"):
        os.utime(directory, ns=(1, 1_500_000_000_000_000_001))
    (tree / "many").chmod(0o700)
    return tree


@pytest.mark.parametrize("algorithm", ["blake3", "sha256"])
@pytest.mark.parametrize("is_chained", [True, False])
@pytest.mark.parametrize("size", [0, 1, MIB, MIB + 1, 5 * MIB + 333])
def test_a_file_arrives_with_content_mode_and_time(
    source: Host, target: Host, size: int, *, is_chained: bool, algorithm: str
) -> None:
    sent = write(source.root / NAME, os.urandom(size), mode=0o640)
    source.offer(NAME, algorithm=algorithm, is_chained=is_chained)  # type: ignore[arg-type]

    outcome = target.receive("models/", source)

    arrived = target.root / "models" / NAME
    assert outcome.path == str(arrived)
    assert (outcome.files, outcome.bytes_done, outcome.problems) == (1, size, ())
    assert arrived.read_bytes() == sent.read_bytes()
    assert arrived.stat().st_mode == sent.stat().st_mode
    assert arrived.stat().st_mtime_ns == sent.stat().st_mtime_ns
    assert target.litter() == []


@pytest.mark.parametrize("is_chained", [True, False])
def test_a_tree_arrives_as_it_was(source: Host, target: Host, *, is_chained: bool) -> None:
    write_tree(source.root)
    source.offer("tree", is_chained=is_chained)

    outcome = target.receive("copies/", source)

    assert outcome.problems == ()
    assert tree_of(target.root / "copies" / "tree") == tree_of(source.root / "tree")
    assert target.litter() == []


def test_a_tree_takes_the_name_that_it_is_given(source: Host, target: Host) -> None:
    write_tree(source.root)
    source.offer("tree")

    outcome = target.receive("a/other", source)

    assert outcome.path == str(target.root / "a" / "other")
    assert tree_of(target.root / "a" / "other") == tree_of(source.root / "tree")


def test_the_matches_of_a_glob_arrive_side_by_side(source: Host, target: Host) -> None:
    for name in ("a.log", "b.log", "c.txt", "sub/d.log"):
        write(source.root / "logs" / name, name.encode())
    source.offer("logs/*.log")

    outcome = target.receive("in/", source)

    assert outcome.path == f"{target.root}/in/"
    assert sorted(tree_of(target.root)) == ["in", "in/a.log", "in/b.log"]


def test_several_things_do_not_fit_one_name(source: Host, target: Host) -> None:
    write(source.root / "a.log", b"a")
    write(source.root / "b.log", b"b")
    source.offer("*.log")

    with pytest.raises(TargetFileError, match="one name for 2 things"):
        target.receive("name", source)

    assert list(target.root.iterdir()) == []


def test_progress_grows_until_everything_is_there(source: Host, target: Host) -> None:
    write(source.root / "a.bin", os.urandom(4 * MIB))
    source.offer("a.bin")

    target.receive("b.bin", source)

    done = [progress.bytes_done for progress in target.progress]
    assert done == sorted(done)
    assert target.progress[-1].bytes_done == target.progress[-1].bytes_total == 4 * MIB


class TestWhenTheTargetExists:
    @pytest.fixture(autouse=True)
    def _there(self, source: Host, target: Host) -> None:
        write(source.root / "tree" / "a.bin", b"new")
        write(source.root / "tree" / "b.bin", b"bbb")
        write(target.root / "tree" / "a.bin", b"old")
        source.offer("tree")

    def test_by_default_it_stays_and_the_others_arrive(self, source: Host, target: Host) -> None:
        outcome = target.receive("tree", source)

        (problem,) = outcome.problems
        assert problem.path == str(target.root / "tree" / "a.bin")
        assert "is there already" in problem.problem
        assert outcome.files == 1
        assert (target.root / "tree" / "a.bin").read_bytes() == b"old"
        assert (target.root / "tree" / "b.bin").read_bytes() == b"bbb"

    def test_it_can_be_overwritten(self, source: Host, target: Host) -> None:
        outcome = target.receive("tree", source, if_exists=IfExists.OVERWRITE)

        assert outcome.problems == ()
        assert (target.root / "tree" / "a.bin").read_bytes() == b"new"

    def test_the_new_one_can_be_renamed(self, source: Host, target: Host) -> None:
        write(target.root / "tree" / "a (1).bin", b"old too")

        outcome = target.receive("tree", source, if_exists=IfExists.RENAME)

        assert outcome.problems == ()
        assert (target.root / "tree" / "a.bin").read_bytes() == b"old"
        assert (target.root / "tree" / "a (1).bin").read_bytes() == b"old too"
        assert (target.root / "tree" / "a (2).bin").read_bytes() == b"new"

    def test_it_is_skipped_only_when_it_is_the_same(self, source: Host, target: Host) -> None:
        write(target.root / "tree" / "b.bin", b"bbb", mtime_ns=5)

        outcome = target.receive("tree", source, if_exists=IfExists.SKIP)

        (problem,) = outcome.problems
        assert "with other content" in problem.problem
        assert (target.root / "tree" / "a.bin").read_bytes() == b"old"
        assert (target.root / "tree" / "b.bin").stat().st_mtime_ns == 5, "it was not touched"
        assert outcome.files == 1

    def test_a_directory_in_its_place_is_never_replaced(self, source: Host, target: Host) -> None:
        write(target.root / "tree" / "b.bin" / "inner", b"inner")

        outcome = target.receive("tree", source, if_exists=IfExists.OVERWRITE)

        (problem,) = outcome.problems
        assert "is a directory there" in problem.problem
        assert (target.root / "tree" / "b.bin" / "inner").read_bytes() == b"inner"

    def test_a_file_in_place_of_a_directory_fails_what_goes_into_it(
        self, source: Host, target: Host
    ) -> None:
        write(target.root / "file", b"file")

        outcome = target.receive("file", source)

        assert outcome.files == 0
        assert outcome.problems_total == 3
        assert (target.root / "file").read_bytes() == b"file"


def test_a_file_renamed_tells_its_new_path(source: Host, target: Host) -> None:
    write(source.root / "a.bin", b"new")
    write(target.root / "a.bin", b"old")
    source.offer("a.bin")

    outcome = target.receive("a.bin", source, if_exists=IfExists.RENAME)

    assert outcome.path == str(target.root / "a (1).bin")


def test_what_is_skipped_whole_brings_no_byte_over(source: Host, target: Host) -> None:
    content = os.urandom(3 * MIB)
    write(source.root / "a.bin", content)
    write(target.root / "a.bin", content)
    share = source.offer("a.bin")

    outcome = target.receive("a.bin", source, if_exists=IfExists.SKIP)

    assert (outcome.files, outcome.bytes_received, share.blocks_sent) == (1, 0, 0)


class TestGoingOn:
    @pytest.fixture
    def share(self, source: Host) -> SourceShare:
        write(source.root / "tree" / "large.bin", os.urandom(12 * MIB))
        for number in range(40):
            write(source.root / "tree" / f"{number}.txt", os.urandom(100_000))
        return source.offer("tree", bytes_per_s=8 * MIB)

    def test_after_a_stop_only_what_is_missing_is_sent(
        self, source: Host, target: Host, share: SourceShare
    ) -> None:
        first = Running(target.receiver("tree", [source.as_source]))
        first.wait_until(lambda: target.bytes_done >= 5 * MIB)
        first.receiver.stop()
        with pytest.raises(CastCancelledError):
            first.end()
        assert target.litter() != []

        outcome = target.receive("tree", source)

        assert outcome.problems == ()
        assert tree_of(target.root / "tree") == tree_of(source.root / "tree")
        assert share.blocks_sent - share.manifest.blocks <= 2, "one for each stream"
        assert target.litter() == []

    def test_after_a_cancel_nothing_is_left(
        self, source: Host, target: Host, share: SourceShare
    ) -> None:
        running = Running(target.receiver("tree", [source.as_source]))
        running.wait_until(lambda: target.bytes_done >= 2 * MIB)

        running.receiver.cancel()

        with pytest.raises(CastCancelledError):
            running.end()
        assert list(target.root.iterdir()) == []

    def test_a_pause_stops_the_flow_until_it_is_resumed(
        self, source: Host, target: Host, share: SourceShare
    ) -> None:
        running = Running(target.receiver("tree", [source.as_source]))
        running.wait_until(lambda: target.bytes_done >= 2 * MIB)
        running.receiver.pause()
        in_flight = 3 * MIB
        paused_at = target.progress[-1].bytes_received
        told = len(target.progress)
        running.wait_until(lambda: len(target.progress) >= told + 6)

        assert target.progress[-1].bytes_received <= paused_at + in_flight
        assert not running.has_ended

        running.receiver.resume()

        assert running.end().problems == ()

    def test_a_damaged_partial_is_noticed_and_mended(
        self, source: Host, target: Host, share: SourceShare
    ) -> None:
        first = Running(target.receiver("tree", [source.as_source]))
        first.wait_until(lambda: target.bytes_done >= 6 * MIB)
        first.receiver.stop()
        with pytest.raises(CastCancelledError):
            first.end()
        (partial,) = target.litter()
        for part in partial.iterdir():
            if part.name.isdecimal():
                content = bytearray(part.read_bytes())
                content[len(content) // 4] ^= 1
                part.write_bytes(content)

        target.receive("tree", source)

        assert tree_of(target.root / "tree") == tree_of(source.root / "tree")

    def test_a_directory_made_before_a_sudden_end_gets_its_mode_and_time_all_the_same(
        self, source: Host, target: Host, share: SourceShare, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def end(placer: Placer, entry: Entry) -> None:
            raise CastCancelledError("cast", "was ended")

        with monkeypatch.context() as patch:
            patch.setattr(Placer, "_finish_directory", end)
            with pytest.raises(CastCancelledError):
                target.receive("tree", source)
        left = tree_of(target.root, with_partials=False)

        target.receive("tree", source)

        assert left.keys() == tree_of(source.root).keys()
        assert left["tree"] != tree_of(source.root)["tree"]
        assert tree_of(target.root) == tree_of(source.root)

    def test_another_content_begins_anew(
        self, source: Host, target: Host, share: SourceShare
    ) -> None:
        first = Running(target.receiver("tree", [source.as_source]))
        first.wait_until(lambda: target.bytes_done >= 6 * MIB)
        first.receiver.stop()
        with pytest.raises(CastCancelledError):
            first.end()
        write(source.root / "tree" / "large.bin", os.urandom(12 * MIB), mtime_ns=77)
        source.offer("tree")

        target.receive("tree", source)

        assert tree_of(target.root / "tree") == tree_of(source.root / "tree")

    def test_two_receivers_of_one_cast_do_not_work_in_one_place(
        self, source: Host, target: Host, share: SourceShare, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("castray.transfer.partial.LOCK_WITHIN_S", 0.0)
        first = Running(target.receiver("tree", [source.as_source]))
        first.wait_until(lambda: target.bytes_done >= 1)

        with pytest.raises(TargetFileError, match="in use by another receiver"):
            target.receive("tree", source)

        assert first.end().problems == ()

    def test_the_next_receiver_waits_until_the_one_before_it_has_ended(
        self, source: Host, target: Host, share: SourceShare
    ) -> None:
        first = Running(target.receiver("tree", [source.as_source]))
        first.wait_until(lambda: target.bytes_done >= 1)

        second = Running(target.receiver("tree", [source.as_source]))
        first.receiver.stop()

        with pytest.raises(CastCancelledError):
            first.end()
        assert second.end().problems == ()


def test_a_source_that_comes_back_elsewhere_is_used_again(
    source: Host, target: Host, make_host: Callable[[str], Host]
) -> None:
    write(source.root / "a.bin", os.urandom(12 * MIB))
    source.offer("a.bin", bytes_per_s=8 * MIB)
    running = Running(target.receiver("a.bin", [source.as_source]))
    running.wait_until(lambda: target.bytes_done >= 3 * MIB)

    source.server.close()
    reborn = Host("source", source.root)
    reborn.offer("a.bin")
    running.receiver.set_peers([reborn.as_source])

    assert running.end().problems == ()
    reborn.server.close()
    assert (target.root / "a.bin").read_bytes() == (source.root / "a.bin").read_bytes()


def test_a_source_that_stays_away_is_given_up_and_what_arrived_is_kept(
    source: Host, target: Host
) -> None:
    write(source.root / "a.bin", os.urandom(12 * MIB))
    source.offer("a.bin", bytes_per_s=8 * MIB)
    running = Running(target.receiver("a.bin", [source.as_source], patience_s=0.5))
    running.wait_until(lambda: target.bytes_done >= 3 * MIB)

    source.server.close()

    with pytest.raises(PeerError, match="received nothing"):
        running.end()
    assert [path.name for path in target.root.iterdir()] == [partial_name("cast1")]


def test_nobody_at_the_sources_address_is_told(target: Host) -> None:
    nobody = PeerAddress("source", "127.0.0.1", 9, is_source=True)

    with pytest.raises(PeerError, match="cannot be reached"):
        target.receiver("a", [nobody], patience_s=0.2).run()

    assert list(target.root.iterdir()) == []


def test_a_limit_is_kept(source: Host, target: Host) -> None:
    write(source.root / "a.bin", os.urandom(2 * MIB))
    source.offer("a.bin")

    target.receive("a.bin", source, bytes_per_s=4 * MIB)

    # Told four times a second: half a second's worth of bytes cannot come in one of them.
    steps = [0, *(progress.bytes_received for progress in target.progress)]
    assert max(b - a for a, b in pairwise(steps)) < 2 * MIB


@pytest.mark.parametrize("is_chained", [True, False])
def test_a_cast_of_nothing_but_what_cannot_be_read_fails_file_by_file(
    source: Host, target: Host, *, is_chained: bool
) -> None:
    write(source.root / "tree" / "a.bin", os.urandom(3 * MIB))
    write(source.root / "tree" / "b.txt", b"b")
    source.offer("tree", is_chained=is_chained)
    (source.root / "tree" / "a.bin").unlink()
    (source.root / "tree" / "b.txt").unlink()

    outcome = target.receive("tree", source)

    assert outcome.files == 0
    assert {problem.problem for problem in outcome.problems} == {"vanished while it was cast"}
    assert tree_of(target.root / "tree") == {}
