"""What goes wrong on the wire or at the source, or is meant to; nothing wrong is called right."""

from __future__ import annotations

import os
import socket
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from castray.cast_models import IfExists
from castray.errors import CastError, UnsafePathError
from castray.transfer.manifest import ManifestBuilder
from castray.transfer.pages import DIRECTORY, FILE, LINK, Entry
from tests.transfer.proxy import Proxy, flip_byte
from tests.transfer.site import Host, Running, tree_of, write

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1 << 20


class TestOnTheWire:
    @pytest.mark.parametrize("is_chained", [True, False])
    @pytest.mark.parametrize("at", [5, 200, 900, MIB, 2 * MIB + 7, 3 * MIB])
    def test_a_flipped_byte_is_noticed_and_the_block_fetched_again(
        self, source: Host, target: Host, at: int, *, is_chained: bool
    ) -> None:
        sent = write(source.root / "a.bin", os.urandom(4 * MIB))
        source.offer("a.bin", is_chained=is_chained)
        wire = Proxy(lambda: source.as_source, flip_byte(at))

        peer = replace(source.as_source, port=wire.port)
        outcome = target.receiver("a.bin", [peer]).run()
        wire.close()

        assert outcome.problems == ()
        assert (target.root / "a.bin").read_bytes() == sent.read_bytes()
        if at >= MIB:
            assert outcome.bad_blocks == {"source": 1}

    def test_a_wire_that_always_flips_ends_in_a_clear_error(
        self, source: Host, target: Host
    ) -> None:
        write(source.root / "a.bin", os.urandom(3 * MIB))
        source.offer("a.bin")
        wire = Proxy(
            lambda: source.as_source,
            lambda data, _: data[:-1] + bytes([data[-1] ^ 1]) if len(data) > 4000 else data,
        )

        peer = replace(source.as_source, port=wire.port)
        with pytest.raises(CastError, match="damaged blocks in a row"):
            target.receiver("a.bin", [peer]).run()
        wire.close()

        assert not (target.root / "a.bin").exists()

    def test_a_connection_that_breaks_again_and_again_is_taken_up_again(
        self, source: Host, target: Host
    ) -> None:
        sent = write(source.root / "a.bin", os.urandom(6 * MIB))
        source.offer("a.bin")
        breaks = iter(range(MIB, 6 * MIB, MIB))
        next_break = [next(breaks)]

        def harm(data: bytes, before: int) -> bytes | None:
            if before + len(data) < next_break[0]:
                return data
            next_break[0] = next(breaks, 1 << 40)
            return None

        wire = Proxy(lambda: source.as_source, harm)

        peer = replace(source.as_source, port=wire.port)
        target.receiver("a.bin", [peer]).run()
        wire.close()

        assert (target.root / "a.bin").read_bytes() == sent.read_bytes()


class TestAtTheSource:
    @pytest.fixture(params=[3 * MIB, 1000], ids=["large", "small"])
    def size(self, request: pytest.FixtureRequest) -> int:
        return int(request.param)

    @pytest.fixture(params=[True, False], ids=["chained", "unchained"])
    def is_chained(self, request: pytest.FixtureRequest) -> bool:
        return bool(request.param)

    @pytest.fixture
    def changing(self, source: Host, size: int, is_chained: bool) -> Path:
        write(source.root / "tree" / "other.txt", b"unharmed")
        path = write(source.root / "tree" / "changing.bin", os.urandom(size))
        os.utime(path, ns=(1, 1))
        source.offer("tree", is_chained=is_chained)
        return path

    def expect(self, source: Host, target: Host, problem: str) -> None:
        outcome = target.receive("tree", source)

        (found,) = outcome.problems
        assert found.path == str(target.root / "tree" / "changing.bin")
        assert problem in found.problem
        assert [*tree_of(target.root / "tree")] == ["other.txt"]
        assert target.litter() == []

    def test_a_file_that_grew_is_told(self, source: Host, target: Host, changing: Path) -> None:
        with changing.open("ab") as file:
            file.write(b"more")

        self.expect(source, target, "grew while it was cast")

    def test_a_file_that_shrank_is_told(self, source: Host, target: Host, changing: Path) -> None:
        os.truncate(changing, 10)

        self.expect(source, target, "shrank while it was cast")

    def test_a_file_that_vanished_is_told(self, source: Host, target: Host, changing: Path) -> None:
        changing.unlink()

        self.expect(source, target, "vanished while it was cast")

    def test_a_file_that_was_written_to_is_told(
        self, source: Host, target: Host, changing: Path
    ) -> None:
        with changing.open("r+b") as file:
            file.write(b"x")

        self.expect(source, target, "was written to while it was cast")

    def test_a_file_that_was_replaced_is_told(
        self, source: Host, target: Host, changing: Path
    ) -> None:
        other = write(changing.with_name("new"), changing.read_bytes())
        os.utime(other, ns=(1, 1))
        other.replace(changing)

        self.expect(source, target, "replaced by another file")

    def test_a_file_that_became_a_link_is_not_followed(
        self, source: Host, target: Host, changing: Path
    ) -> None:
        changing.unlink()
        changing.symlink_to("/etc/passwd")

        self.expect(source, target, "goes through the symbolic link")

    def test_a_file_that_became_a_fifo_is_not_waited_for(
        self, source: Host, target: Host, changing: Path
    ) -> None:
        changing.unlink()
        os.mkfifo(changing)

        self.expect(source, target, "is a FIFO")


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def shrink(path: Path) -> None:
    os.truncate(path, MIB)


def rewrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))


@pytest.mark.parametrize("is_chained", [True, False])
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (grow, "grew while it was cast"),
        (shrink, "shrank while it was cast"),
        (Path.unlink, "vanished while it was cast"),
        (rewrite, "was written to while it was cast"),
    ],
)
def test_a_file_that_changes_while_it_is_sent_is_told_and_never_arrives_mixed(
    source: Host, target: Host, change: Callable[[Path], None], problem: str, *, is_chained: bool
) -> None:
    other = write(source.root / "tree" / "other.txt", b"unharmed")
    changing = write(source.root / "tree" / "changing.bin", os.urandom(16 * MIB))
    source.offer("tree", is_chained=is_chained, bytes_per_s=16 * MIB)
    running = Running(target.receiver("tree", [source.as_source]))
    running.wait_until(lambda: target.bytes_done >= 2 * MIB)

    change(changing)
    outcome = running.end()

    (found,) = outcome.problems
    assert found.path == str(target.root / "tree" / "changing.bin")
    assert problem in found.problem
    assert [*tree_of(target.root / "tree")] == ["other.txt"]
    assert (target.root / "tree" / "other.txt").read_bytes() == other.read_bytes()
    assert target.litter() == []


@pytest.mark.parametrize("is_chained", [True, False])
def test_a_file_that_changes_as_its_first_blocks_are_sent_does_not_arrive(
    source: Host, target: Host, *, is_chained: bool
) -> None:
    path = write(source.root / "a.bin", b"1" * (8 * MIB))
    source.offer("a.bin", is_chained=is_chained, bytes_per_s=32 * MIB)
    running = Running(target.receiver("a.bin", [source.as_source]))
    running.wait_until(lambda: bool(target.progress))

    with path.open("r+b") as file:
        file.write(b"2" * (8 * MIB))
    outcome = running.end()

    assert outcome.files == 0
    assert not (target.root / "a.bin").exists()


def test_what_is_no_file_within_a_tree_is_told_and_the_others_arrive(
    source: Host, target: Host
) -> None:
    tree = source.root / "tree"
    write(tree / "a.bin", b"a")
    os.mkfifo(tree / "fifo")
    (tree / "out").symlink_to("/etc/passwd")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree / "socket"))
    kinds = {"fifo": "is a FIFO", "out": "leads out", "socket": "is a socket"}
    if os.geteuid() == 0:
        os.mknod(tree / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        kinds["null"] = "is a device"
    source.offer("tree")

    outcome = target.receive("tree", source)

    told = {problem.path.rpartition("/")[2]: problem.problem for problem in outcome.problems}
    assert told.keys() == kinds.keys()
    assert all(words in told[name] for name, words in kinds.items()), told
    assert [*tree_of(target.root / "tree")] == ["a.bin"]
    assert target.litter() == []


class TestHostilePaths:
    @pytest.fixture(autouse=True)
    def _offered(self, source: Host) -> None:
        write(source.root / "a.bin", b"a")
        source.offer("a.bin")

    def test_a_destination_behind_a_link_that_leads_out_is_refused(
        self, source: Host, target: Host, tmp_path: Path
    ) -> None:
        (tmp_path / "outside").mkdir()
        (target.root / "link").symlink_to(tmp_path / "outside")

        with pytest.raises(UnsafePathError, match="leads out"):
            target.receive("link/a.bin", source)

        assert list((tmp_path / "outside").iterdir()) == []

    def test_a_destination_behind_a_link_that_stays_inside_works(
        self, source: Host, target: Host
    ) -> None:
        (target.root / "real").mkdir()
        (target.root / "link").symlink_to("real")

        target.receive("link/a.bin", source)

        assert (target.root / "real" / "a.bin").read_bytes() == b"a"

    def test_a_link_at_the_target_is_replaced_and_not_written_through(
        self, source: Host, target: Host, tmp_path: Path
    ) -> None:
        victim = write(tmp_path / "victim", b"victim")
        (target.root / "a.bin").symlink_to(victim)

        target.receive("a.bin", source, if_exists=IfExists.OVERWRITE)

        assert victim.read_bytes() == b"victim"
        assert (target.root / "a.bin").read_bytes() == b"a"
        assert not (target.root / "a.bin").is_symlink()

    def test_a_link_in_place_of_the_partial_is_refused(
        self, source: Host, target: Host, tmp_path: Path
    ) -> None:
        (tmp_path / "outside").mkdir()
        (target.root / ".castray-cast1.partial").symlink_to(tmp_path / "outside")

        with pytest.raises(UnsafePathError, match="symbolic link"):
            target.receive("a.bin", source)

        assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize(
    "entries",
    [
        [("../a", FILE)],
        [("/etc/a", FILE)],
        [("a/../../b", FILE)],
        [("a\0b", FILE)],
        [("a//b", FILE)],
        [("", FILE)],
        [("x" * 300, FILE)],
        [(".castray-x.partial/0", FILE)],
        [("tree", DIRECTORY), ("tree/out", LINK, "/etc")],
        [("tree", DIRECTORY), ("tree/out", LINK, "../../etc")],
        [("out", LINK, "tree")],
    ],
)
def test_a_manifest_with_a_path_that_leads_out_is_refused_whole(
    entries: list[tuple[str, ...]],
) -> None:
    builder = ManifestBuilder()
    for path, kind, *link in entries:
        builder.add(Entry(path, kind, 0, 0o644, 0, *link))  # type: ignore[arg-type]
    with pytest.raises(CastError):
        builder.build("blake3", is_chained=True)


def test_a_link_among_the_entries_is_never_walked_through(source: Host, target: Host) -> None:
    # A link that stays inside is lawful, and an entry beneath it would go through it.
    write(source.root / "tree" / "real" / "keep", b"keep")
    (source.root / "tree" / "link").symlink_to("real")
    source.offer("tree")
    target.receive("tree", source)
    builder = ManifestBuilder()
    for entry in (
        Entry("tree", DIRECTORY, 0, 0o755, 0),
        Entry("tree/link/evil", FILE, 0, 0o644, 0),
    ):
        builder.add(entry)
    hostile = builder.build("blake3", is_chained=True)
    offered = source.server._shares["cast1"]
    offered.manifest = hostile  # type: ignore[attr-defined]

    outcome = target.receive("tree", source)

    assert "symbolic link" in outcome.problems[0].problem
    assert [*tree_of(target.root / "tree")] == ["link", "real", "real/keep"]
