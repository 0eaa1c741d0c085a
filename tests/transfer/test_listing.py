from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from castray.core.paths import plan_path
from castray.errors import SourceFileError, UnsafePathError
from castray.transfer import listing as listing_module
from castray.transfer.agent_link import DirectoryListing
from castray.transfer.listing import fetch_listing, fetch_piece

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a secret beside it."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/key").write_text("secret")
    root = tmp_path / "root"
    root.mkdir()
    return root


def list_at(root: Path, text: str) -> DirectoryListing:
    roots = [str(root)]
    return fetch_listing(plan_path(text, roots), roots)


def piece_at(root: Path, text: str, offset: int = 0, length: int = 100) -> bytes:
    return fetch_piece(plan_path(text, [str(root)]), offset, length)


def test_each_kind_is_told_by_name_with_size_time_and_mode(root: Path) -> None:
    (root / "b.bin").write_bytes(b"12345")
    (root / "b.bin").chmod(0o640)
    os.utime(root / "b.bin", ns=(0, 1_700_000_000_123_456_789))
    (root / "a").mkdir()
    (root / "c").symlink_to("b.bin")
    os.mkfifo(root / "d")

    listing = list_at(root, "")

    assert [(entry.name, entry.kind, entry.size_bytes) for entry in listing.entries] == [
        ("a", "directory", 0),
        ("b.bin", "file", 5),
        ("c", "link", 0),
        ("d", "other", 0),
    ]
    assert (listing.entries[1].modified_ms, listing.entries[1].mode) == (1_700_000_000_123, 0o640)
    assert (listing.path, listing.roots) == (str(root), (str(root),))
    assert not listing.is_truncated


def test_a_file_is_told_without_entries(root: Path) -> None:
    (root / "文件 1.bin").write_bytes(b"12345")

    listing = list_at(root, "文件 1.bin")

    assert (listing.status.name, listing.status.kind) == ("文件 1.bin", "file")
    assert listing.entries == ()


def test_what_is_still_arriving_is_hidden(root: Path) -> None:
    (root / ".castray-cast1.partial").mkdir()
    (root / ".castray-cast1.partial/0").write_text("half")

    assert list_at(root, "").entries == ()
    with pytest.raises(UnsafePathError, match="still receiving"):
        list_at(root, ".castray-cast1.partial")
    with pytest.raises(UnsafePathError, match="still receiving"):
        piece_at(root, ".castray-cast1.partial/0")


@pytest.mark.parametrize("target", ["../secret", "{parent}/secret"], ids=["relative", "absolute"])
def test_no_link_leads_out(target: str, root: Path) -> None:
    (root / "out").symlink_to(target.format(parent=root.parent))

    with pytest.raises(UnsafePathError):
        list_at(root, "out")
    with pytest.raises(UnsafePathError):
        piece_at(root, "out/key")


def test_a_link_that_stays_inside_is_followed(root: Path) -> None:
    (root / "real").mkdir()
    (root / "real/a.bin").write_bytes(b"abc")
    (root / "link").symlink_to("real")

    assert [entry.name for entry in list_at(root, "link").entries] == ["a.bin"]
    assert piece_at(root, "link/a.bin") == b"abc"


def test_of_very_many_entries_the_first_are_told(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing_module, "MAX_ENTRIES", 3)
    for name in "dacb":
        (root / name).touch()

    listing = list_at(root, "")

    assert [entry.name for entry in listing.entries] == ["a", "b", "c"]
    assert listing.is_truncated


def test_a_name_that_is_no_text_can_be_told(root: Path) -> None:
    (root / os.fsdecode(b"\xff.bin")).touch()

    listing = list_at(root, "")

    assert DirectoryListing.model_validate_json(listing.model_dump_json()) == listing
    assert "xff.bin" in listing.entries[0].name


def test_a_file_is_read_in_pieces(root: Path) -> None:
    (root / "a.bin").write_bytes(b"0123456789")

    assert piece_at(root, "a.bin", 0, 4) == b"0123"
    assert piece_at(root, "a.bin", 8, 4) == b"89"
    assert piece_at(root, "a.bin", 20, 4) == b""


def test_a_piece_has_a_largest_size(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing_module, "MAX_PIECE_BYTES", 4)
    (root / "a.bin").write_bytes(b"0123456789")

    assert piece_at(root, "a.bin", 0, 1 << 40) == b"0123"


def test_only_files_are_read(root: Path) -> None:
    os.mkfifo(root / "pipe")

    for path in ("pipe", ""):
        with pytest.raises(UnsafePathError, match="only files can be read"):
            piece_at(root, path)


def test_what_is_not_there_is_told(root: Path) -> None:
    for call in (list_at, piece_at):
        with pytest.raises(SourceFileError, match="No such file") as caught:
            call(root, "missing")
        assert caught.value.subject == f"{root}/missing"
