"""What goes wrong on the target's disk: it is told in words, and nothing is left there."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from castray.errors import TargetFileError
from tests.transfer.site import Host, Running, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MIB = 1 << 20


def needs_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a file system")


@pytest.fixture
def small_disk(target: Host) -> Iterator[Path]:
    """A file system of 2 MiB within the target's root."""
    needs_root()
    disk = target.root / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def limited_disk(target: Host, tmp_path: Path) -> Iterator[Path]:
    """A file system within the target's root that has room, and a quota of 2 MiB."""
    needs_root()
    if shutil.which("mkfs.btrfs") is None:
        pytest.skip("no mkfs.btrfs here (Debian: apt-get install btrfs-progs)")
    disk, image = target.root / "disk", tmp_path / "image"
    disk.mkdir()
    image.touch()
    os.truncate(image, 128 * MIB)
    subprocess.run(["mkfs.btrfs", "--quiet", str(image)], check=True)
    mount = ["mount", "-o", "loop", str(image), str(disk)]
    if (mounting := subprocess.run(mount, capture_output=True, text=True, check=False)).returncode:
        pytest.skip(f"no Btrfs can be mounted here: {mounting.stderr.strip()}")
    try:
        subprocess.run(["btrfs", "quota", "enable", str(disk)], check=True)
        subprocess.run(["btrfs", "qgroup", "limit", "2M", str(disk)], check=True)
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@contextmanager
def file_limit(limit: int) -> Iterator[None]:
    """This process may write no larger file, as is so on some file systems."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_too_small_is_told_before_anything_is_sent(
    source: Host, target: Host, small_disk: Path
) -> None:
    write(source.root / "a.bin", os.urandom(3 * MIB))
    share = source.offer("a.bin")

    with pytest.raises(TargetFileError, match="needs 3145728 bytes, and the disk has"):
        target.receive("disk/a.bin", source)

    assert share.blocks_sent == 0
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("names", [["a.bin"], [f"{n}.bin" for n in range(12)]])
def test_a_disk_that_fills_up_meanwhile_is_told_and_nothing_is_left(
    source: Host, target: Host, small_disk: Path, names: list[str]
) -> None:
    for name in names:
        write(source.root / "tree" / name, os.urandom(3 * MIB // 2 // len(names)))
    source.offer("tree", bytes_per_s=2 * MIB)
    running = Running(target.receiver("disk/tree", [source.as_source]))
    running.wait_until(lambda: bool(target.progress))

    write(small_disk / "other", os.urandom(MIB))

    with pytest.raises(TargetFileError, match="the disk is full"):
        running.end()
    assert [path.name for path in small_disk.iterdir()] == ["other"]


def test_a_disk_that_is_read_only_is_told(source: Host, target: Host, small_disk: Path) -> None:
    write(source.root / "a.bin", b"a")
    source.offer("a.bin")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    with pytest.raises(TargetFileError, match="read-only"):
        target.receive("disk/a.bin", source)


def test_a_mount_within_the_tree_is_no_place_to_rename_to(
    source: Host, target: Host, small_disk: Path
) -> None:
    write(source.root / "tree" / "a.bin", b"a")
    write(source.root / "tree" / "disk" / "b.bin", b"b")
    (target.root / "sub").mkdir()
    source.offer("tree/*")

    outcome = target.receive("./", source)

    (problem,) = outcome.problems
    assert "another file system" in problem.problem
    assert (target.root / "a.bin").read_bytes() == b"a"


@pytest.mark.parametrize("names", [["a.bin"], [f"{n}.bin" for n in range(12)]])
def test_a_quota_that_is_used_up_is_told_and_nothing_is_left(
    source: Host, target: Host, limited_disk: Path, names: list[str]
) -> None:
    for name in names:
        write(source.root / "tree" / name, os.urandom(4 * MIB // len(names)))
    source.offer("tree")

    with pytest.raises(TargetFileError, match="the quota of the disk is used up"):
        target.receive("disk/tree", source)

    assert list(limited_disk.iterdir()) == []


def test_whoever_shares_a_cast_with_one_whose_quota_is_used_up_gets_everything(
    source: Host, target: Host, limited_disk: Path, make_host: Callable[[str], Host]
) -> None:
    sent = write(source.root / "a.bin", os.urandom(8 * MIB))
    source.offer("a.bin", is_chained=False)
    other = make_host("other")
    limited = Running(target.receiver("disk/a.bin", [source.as_source, other.address]))

    outcome = other.receiver("a.bin", [source.as_source, target.address]).run()

    with pytest.raises(TargetFileError, match="quota"):
        limited.end()
    assert outcome.problems == ()
    assert (other.root / "a.bin").read_bytes() == sent.read_bytes()


@pytest.mark.parametrize("size", [4 * MIB, 3 * MIB // 4])
def test_a_file_that_is_larger_than_the_disk_allows_is_told_and_nothing_is_left(
    source: Host, target: Host, size: int
) -> None:
    write(source.root / "a.bin", os.urandom(size))
    source.offer("a.bin")

    with file_limit(size - 1), pytest.raises(TargetFileError, match="File too large"):
        target.receive("a.bin", source)

    assert list(target.root.iterdir()) == []
