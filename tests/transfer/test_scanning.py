from __future__ import annotations

import os
from pathlib import Path

import pytest

from castray.core.paths import plan_path
from castray.errors import SourceFileError, UnsafePathError
from castray.transfer.scanning import MAX_DEPTH, ScannedSource, scan

OPEN_FILES = Path("/proc/self/fd")


def find(root: Path, path: str) -> ScannedSource:
    return scan(plan_path(path, [str(root)]), "blake3", is_chained=True)


def paths(found: ScannedSource) -> list[str]:
    return [entry.path for _, entry in found.manifest.entries()]


def skipped(found: ScannedSource) -> dict[str, str]:
    return {each.path: each.problem for each in found.manifest.header.skipped}


def write(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_file_stands_for_itself(tmp_path: Path) -> None:
    path = write(tmp_path / "a" / "权重 1.bin", b"12345")
    path.chmod(0o4755)
    os.utime(path, ns=(1, 123456789))

    found = find(tmp_path, "a/权重 1.bin")

    (entry,) = [entry for _, entry in found.manifest.entries()]
    assert entry == ("权重 1.bin", "f", 5, 0o755, 123456789, "")
    assert found.location(0) == ("a", "权重 1.bin")


def test_a_directory_stands_for_all_in_it_in_order(tmp_path: Path) -> None:
    for name in ("t/z", "t/a/2", "t/a/1"):
        write(tmp_path / name)
    (tmp_path / "t" / "empty").mkdir()
    (tmp_path / "t" / "link").symlink_to("a/1")

    found = find(tmp_path, "t")

    assert paths(found) == ["t", "t/a", "t/a/1", "t/a/2", "t/empty", "t/link", "t/z"]
    assert found.location(2) == ("t", "a", "1")
    assert (found.manifest.header.files, found.manifest.header.bytes_total) == (3, 3)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("logs/*.log", ["a.log", "b.log"]),
        ("logs/?.log", ["a.log", "b.log"]),
        ("logs/[b-z].log", ["b.log"]),
        ("logs/*", ["a.log", "b.log", "sub", "sub/a.log"]),
        ("*/*.log", ["logs/a.log", "logs/b.log"]),
        ("logs/*/*.log", ["sub/a.log"]),
        ("logs/.*", [".hidden"]),
    ],
)
def test_a_glob_stands_for_its_matches(tmp_path: Path, pattern: str, expected: list[str]) -> None:
    for name in ("a.log", "b.log", "sub/a.log", ".hidden"):
        write(tmp_path / "logs" / name)

    assert paths(find(tmp_path, pattern)) == expected


def test_a_file_that_is_called_like_a_glob_comes_first(tmp_path: Path) -> None:
    write(tmp_path / "a*.bin")
    write(tmp_path / "ab.bin")

    assert paths(find(tmp_path, "a*.bin")) == ["a*.bin"]


def test_a_link_that_is_asked_for_stands_for_what_it_leads_to(tmp_path: Path) -> None:
    write(tmp_path / "runs" / "42" / "best.pt")
    (tmp_path / "latest").symlink_to("runs/42")

    found = find(tmp_path, "latest")

    assert paths(found) == ["latest", "latest/best.pt"]
    assert found.location(1) == ("runs", "42", "best.pt")


@pytest.mark.parametrize("target", ["/etc/hostname", "../outside"])
def test_a_link_that_leads_out_is_no_source(tmp_path: Path, target: str) -> None:
    write(tmp_path / "outside")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(target)

    with pytest.raises(UnsafePathError, match="leads out"):
        find(root, "link")


def test_what_cannot_be_cast_is_told_and_the_rest_is_cast(tmp_path: Path) -> None:
    tree = tmp_path / "t"
    write(tree / "good")
    os.mkfifo(tree / "fifo")
    (tree / "out").symlink_to("/etc")
    (tree / "up").symlink_to("../t")
    write(tree / ".castray-9.partial" / "0")
    with open(os.fsencode(tree) + b"/caf\xe9", "wb"):  # noqa: PTH123
        pass

    found = find(tmp_path, "t")

    assert paths(found) == ["t", "t/good"]
    assert skipped(found) == {
        "t/fifo": "is a FIFO, and that cannot be cast",
        "t/out": "is a symbolic link that leads out: to /etc",
        "t/up": "is a symbolic link that leads out: to ../t",
        "t/caf\\udce9": "has a name that is not UTF-8: rename it, then cast it",
    }


def test_what_is_too_deep_is_told(tmp_path: Path) -> None:
    deep = tmp_path / "t"
    for _ in range(MAX_DEPTH + 5):
        deep = deep / "d"
    deep.mkdir(parents=True)

    found = find(tmp_path, "t")

    assert found.manifest.header.entries == MAX_DEPTH
    assert "deeper than" in next(iter(skipped(found).values()))


@pytest.mark.parametrize(
    ("path", "error", "problem"),
    [
        ("nothing", SourceFileError, "No such file"),
        ("t/*.none", SourceFileError, "matches nothing"),
        ("none/*", SourceFileError, "No such file"),
        ("t/a/b", SourceFileError, "Not a directory"),
        ("fifo", UnsafePathError, "is a FIFO"),
        (".", UnsafePathError, "whole root"),
    ],
)
def test_a_source_that_is_none_is_told(
    tmp_path: Path, path: str, error: type[Exception], problem: str
) -> None:
    write(tmp_path / "t" / "a")
    os.mkfifo(tmp_path / "fifo")

    with pytest.raises(error, match=problem):
        find(tmp_path, path)


def test_the_same_tree_scanned_twice_is_the_same_cast(tmp_path: Path) -> None:
    for number in range(600):
        write(tmp_path / "t" / f"{number * 7919 % 600}", str(number).encode())

    first, second = find(tmp_path, "t"), find(tmp_path, "t")

    assert first.manifest.header.digest == second.manifest.header.digest


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    write(tmp_path / "t" / "a" / "b")
    before = len(list(OPEN_FILES.iterdir()))

    find(tmp_path, "t")
    find(tmp_path, "t/*")

    assert len(list(OPEN_FILES.iterdir())) == before
