from __future__ import annotations

import os
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from castray.errors import UnsafePathError
from castray.transfer.beneath import (
    Neighbours,
    make_directory,
    open_directory,
    open_regular,
    open_root,
    resolve,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

OPEN_FILES = Path("/proc/self/fd")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "root"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "b" / "file").write_bytes(b"inside")
    (tmp_path / "secret").write_bytes(b"outside")
    return tree


@pytest.fixture
def root(tree: Path) -> Iterator[int]:
    with open_root(str(tree)) as descriptor:
        yield descriptor


def read(root: int, *parts: str, follow: bool = True) -> bytes:
    with open_regular(root, parts, follow=follow) as descriptor:
        return os.read(descriptor, 100)


def test_a_file_is_opened_by_its_parts(root: int) -> None:
    assert read(root, "a", "b", "file") == b"inside"


@pytest.mark.parametrize(
    ("place", "target", "parts"),
    [
        ("link", "a/b/file", ["link"]),
        ("a/link", "b/file", ["a", "link"]),
        ("a/b/up", "../../a", ["a", "b", "up", "b", "file"]),
        ("one", "two", ["one", "b", "file"]),
    ],
)
def test_a_link_that_stays_inside_is_followed_where_that_is_asked_for(
    tree: Path, root: int, place: str, target: str, parts: list[str]
) -> None:
    (tree / "two").symlink_to("a")
    (tree / place).symlink_to(target)

    assert read(root, *parts) == b"inside"
    with pytest.raises(UnsafePathError, match="symbolic link"):
        read(root, *parts, follow=False)


@pytest.mark.parametrize("target", ["../secret", "/etc/passwd", "a/../../secret", "a/b/../../.."])
def test_a_link_that_leads_out_is_refused(tree: Path, root: int, target: str) -> None:
    (tree / "link").symlink_to(target)

    with pytest.raises(UnsafePathError, match="leads out"):
        read(root, "link")


def test_links_in_a_circle_are_refused(tree: Path, root: int) -> None:
    (tree / "x").symlink_to("y")
    (tree / "y").symlink_to("x")

    with pytest.raises(UnsafePathError, match="symbolic link"):
        read(root, "x")


def test_a_fifo_is_refused_without_waiting_for_it(tree: Path, root: int) -> None:
    os.mkfifo(tree / "fifo")

    with pytest.raises(UnsafePathError, match="is a FIFO"):
        read(root, "fifo")


def test_a_directory_is_no_file(root: int) -> None:
    with pytest.raises(UnsafePathError, match="is a directory"):
        read(root, "a")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make a device")
def test_a_device_is_refused(tree: Path, root: int) -> None:
    os.mknod(tree / "null", 0o600 | 0o020000, os.makedev(1, 3))

    with pytest.raises(UnsafePathError, match="is a device"):
        read(root, "null")


def test_what_is_missing_is_missing(root: int) -> None:
    with pytest.raises(FileNotFoundError):
        read(root, "a", "nothing")


def test_no_descriptor_is_left_open(tree: Path, root: int) -> None:
    (tree / "link").symlink_to("../secret")
    before = len(list(OPEN_FILES.iterdir()))

    read(root, "a", "b", "file")
    for parts in (["a", "no"], ["link"], ["a", "b"]):
        with pytest.raises((OSError, UnsafePathError)):
            read(root, *parts)

    assert len(list(OPEN_FILES.iterdir())) == before


class TestNeighbours:
    @pytest.fixture
    def found(self, tree: Path) -> Iterator[Neighbours]:
        with closing(Neighbours(str(tree))) as found:
            yield found

    def read(self, found: Neighbours, *parts: str) -> bytes:
        descriptor = found.open(parts)
        try:
            return os.read(descriptor, 100)
        finally:
            os.close(descriptor)

    def test_files_are_found_wherever_the_one_before_lay(
        self, tree: Path, found: Neighbours
    ) -> None:
        (tree / "a" / "b" / "second").write_bytes(b"beside it")
        (tree / "top").write_bytes(b"above it")

        read = [
            self.read(found, *parts)
            for parts in (["a", "b", "file"], ["a", "b", "second"], ["top"], ["a", "b", "file"])
        ]

        assert read == [b"inside", b"beside it", b"above it", b"inside"]

    @pytest.mark.parametrize(
        ("parts", "problem"),
        [
            (["link"], "symbolic link"),
            (["up", "b", "file"], "symbolic link"),
            (["a", "b"], "is a directory"),
            (["fifo"], "is a FIFO"),
        ],
    )
    def test_only_files_are_opened_and_no_link_is_followed(
        self, tree: Path, found: Neighbours, parts: list[str], problem: str
    ) -> None:
        (tree / "link").symlink_to("a/b/file")
        (tree / "up").symlink_to("a")
        os.mkfifo(tree / "fifo")

        with pytest.raises(UnsafePathError, match=problem):
            self.read(found, *parts)

    def test_no_descriptor_is_left_open(self, tree: Path) -> None:
        before = len(list(OPEN_FILES.iterdir()))

        with closing(Neighbours(str(tree))) as found:
            self.read(found, "a", "b", "file")
            for parts in (["a", "no"], ["no", "file"], ["a", "b"]):
                with pytest.raises((OSError, UnsafePathError)):
                    self.read(found, *parts)

        assert len(list(OPEN_FILES.iterdir())) == before


def test_a_directory_that_turns_into_a_link_at_any_moment_leads_nowhere(
    tree: Path, root: int, tmp_path: Path
) -> None:
    (tmp_path / "trap" / "b").mkdir(parents=True)
    (tmp_path / "trap" / "b" / "file").write_bytes(b"trapped")
    is_done = threading.Event()

    def swap() -> None:
        while not is_done.is_set():
            (tree / "a").rename(tree / "real")
            (tree / "a").symlink_to(tmp_path / "trap")
            (tree / "a").unlink()
            (tree / "real").rename(tree / "a")

    swapper = threading.Thread(target=swap)
    swapper.start()
    seen = set()
    # The other thread may be held up for long between two of its steps.
    for number in range(1_000_000):
        if number >= 2000 and b"inside" in seen:
            break
        try:
            seen.add(read(root, "a", "b", "file"))
        except (OSError, UnsafePathError) as error:
            seen.add(type(error).__name__.encode())
    is_done.set()
    swapper.join()

    assert b"trapped" not in seen
    assert b"inside" in seen


def test_a_directory_is_made_once(tree: Path, root: int) -> None:
    assert make_directory(root, ["a", "new"])
    assert not make_directory(root, ["a", "new"])
    assert (tree / "a" / "new").is_dir()


def test_no_directory_is_made_behind_a_link_or_in_place_of_a_file(
    tree: Path, root: int, tmp_path: Path
) -> None:
    (tree / "link").symlink_to(tmp_path)

    with pytest.raises(UnsafePathError):
        make_directory(root, ["link", "new"])
    with pytest.raises(UnsafePathError):
        make_directory(root, ["link"])
    with pytest.raises(FileExistsError):
        make_directory(root, ["a", "b", "file"])
    assert not (tmp_path / "new").exists()


def test_a_file_is_no_directory(root: int) -> None:
    with pytest.raises(NotADirectoryError), open_directory(root, ["a", "b", "file"], follow=True):
        pass


def test_a_place_that_was_found_stays_found_when_it_is_renamed(tree: Path, root: int) -> None:
    with resolve(root, ["a", "b"], follow=False) as place:
        (tree / "a" / "b").rename(tree / "elsewhere")

        with open_regular(place, ["file"], follow=False) as descriptor:
            assert os.read(descriptor, 100) == b"inside"
