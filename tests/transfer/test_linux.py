from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from castray.transfer import linux
from castray.transfer.linux import rename_new, reserve, start_writing, sync_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def opened(path: Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    descriptor = os.open(path, flags)
    yield descriptor
    os.close(descriptor)


@pytest.fixture(params=["one step", "link and unlink"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to rename: the second is for file systems that lack the first."""
    if request.param != "one step":
        monkeypatch.setattr(linux, "renameat2", None)


@pytest.mark.usefixtures("way")
def test_a_file_is_renamed_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"content")

    with opened(tmp_path) as directory:
        rename_new("old", "新", directory, directory)

    assert [path.name for path in tmp_path.iterdir()] == ["新"]
    assert (tmp_path / "新").read_bytes() == b"content"


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("there", ["file", "directory", "dangling link"])
def test_nothing_is_ever_replaced(tmp_path: Path, there: str) -> None:
    (tmp_path / "old").write_bytes(b"content")
    new = tmp_path / "new"
    if there == "file":
        new.write_bytes(b"other")
    elif there == "directory":
        new.mkdir()
    else:
        new.symlink_to("nowhere")

    with opened(tmp_path) as directory, pytest.raises(FileExistsError):
        rename_new("old", "new", directory, directory)

    assert (tmp_path / "old").read_bytes() == b"content"
    assert not new.is_file() or new.read_bytes() == b"other"


@pytest.mark.usefixtures("way")
def test_a_link_is_renamed_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"content")
    (tmp_path / "old").symlink_to("target")

    with opened(tmp_path) as directory:
        rename_new("old", "new", directory, directory)

    assert (tmp_path / "new").is_symlink()
    assert not (tmp_path / "old").is_symlink()


def test_an_end_between_link_and_unlink_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linux, "renameat2", None)
    (tmp_path / "old").write_bytes(b"content")
    (tmp_path / "new").hardlink_to(tmp_path / "old")

    with opened(tmp_path) as directory:
        rename_new("old", "new", directory, directory)

    assert [path.name for path in tmp_path.iterdir()] == ["new"]


@pytest.mark.parametrize("can_allocate", [True, False])
def test_a_file_gets_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, can_allocate: bool
) -> None:
    if not can_allocate:
        monkeypatch.setattr(linux, "fallocate", None)
    (tmp_path / "file").touch()

    with opened(tmp_path / "file", os.O_RDWR) as descriptor:
        reserve(descriptor, 5_000_000)

    assert (tmp_path / "file").stat().st_size == 5_000_000


def test_more_than_the_disk_has_is_not_reserved(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with opened(tmp_path / "file", os.O_RDWR) as descriptor:  # noqa: SIM117
        with pytest.raises(OSError, match=r"No space left|too large"):
            reserve(descriptor, 1 << 60)


def test_memory_is_not_filled_beforehand() -> None:
    descriptor = os.memfd_create("file")
    try:
        reserve(descriptor, 5_000_000)
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)

    assert (status.st_size, status.st_blocks) == (5_000_000, 0)


@pytest.mark.parametrize("can_start", [True, False])
def test_what_the_disk_begins_with_is_read_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, can_start: bool
) -> None:
    if not can_start:
        monkeypatch.setattr(linux, "sync_file_range", None)
    (tmp_path / "file").write_bytes(b"x" * 5_000_000)

    with opened(tmp_path / "file", os.O_RDWR) as descriptor:
        start_writing(descriptor, 1_000_000, 2_000_000)

    assert (tmp_path / "file").read_bytes() == b"x" * 5_000_000


def test_a_failing_sync_is_told(tmp_path: Path) -> None:
    with opened(tmp_path) as directory:
        sync_all(directory)
    with pytest.raises(OSError, match="Bad file descriptor"):
        sync_all(-1)
