from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from castray.cast_models import IfExists
from castray.core.paths import plan_path
from castray.errors import CastError, TargetFileError, UnsafePathError
from castray.transfer import uploads as uploads_module
from castray.transfer.agent_link import UploadOrder
from castray.transfer.uploads import IDLE_S, Uploads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def uploads() -> Iterator[Uploads]:
    uploads = Uploads()
    yield uploads
    uploads.close()


@pytest.fixture
def begin(uploads: Uploads, tmp_path: Path) -> Callable[..., None]:
    """Begins an upload to a path beneath the root."""

    def begin(path: str, if_exists: IfExists = IfExists.FAIL, upload_id: str = "u1") -> None:
        order = UploadOrder(upload_id=upload_id, path=path, if_exists=if_exists)
        uploads.begin(order, plan_path(path, [str(tmp_path)]))

    return begin


def visible(root: Path) -> dict[str, bytes]:
    """The files that anybody sees."""
    files = (path for path in root.rglob("*") if path.is_file())
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in files
        if ".castray-" not in str(path.relative_to(root))
    }


def litter(root: Path) -> list[Path]:
    return list(root.rglob(".castray-*"))


def test_a_file_is_there_when_it_is_whole(
    uploads: Uploads, begin: Callable[..., None], tmp_path: Path
) -> None:
    begin("new/deep/a.bin")
    uploads.append("u1", 0, b"abc")
    uploads.append("u1", 3, b"de")
    before = visible(tmp_path)

    path = uploads.finish("u1")

    assert before == {}
    assert path == f"{tmp_path}/new/deep/a.bin"
    assert visible(tmp_path) == {"new/deep/a.bin": b"abcde"}
    assert (tmp_path / "new/deep/a.bin").stat().st_mode & 0o777 == 0o644
    assert litter(tmp_path) == []


def test_an_empty_file_needs_no_piece(
    uploads: Uploads, begin: Callable[..., None], tmp_path: Path
) -> None:
    begin("文件 1")

    uploads.finish("u1")

    assert visible(tmp_path) == {"文件 1": b""}


def test_every_call_may_come_twice(
    uploads: Uploads, begin: Callable[..., None], tmp_path: Path
) -> None:
    begin("a.bin")
    begin("a.bin")
    uploads.append("u1", 0, b"abc")
    uploads.append("u1", 0, b"abc")
    uploads.append("u1", 1, b"bcde")

    paths = {uploads.finish("u1"), uploads.finish("u1")}
    uploads.abort("u1")

    assert paths == {f"{tmp_path}/a.bin"}
    assert visible(tmp_path) == {"a.bin": b"abcde"}


def test_a_piece_before_which_one_is_missing_is_refused_and_the_rest_goes_on(
    uploads: Uploads, begin: Callable[..., None], tmp_path: Path
) -> None:
    begin("a.bin")
    uploads.append("u1", 0, b"abc")

    with pytest.raises(CastError, match="has 3 bytes so far"):
        uploads.append("u1", 4, b"e")
    uploads.append("u1", 3, b"d")
    uploads.finish("u1")

    assert visible(tmp_path) == {"a.bin": b"abcd"}


def test_what_nobody_began_is_told(uploads: Uploads) -> None:
    with pytest.raises(CastError, match="begin it again"):
        uploads.append("u1", 0, b"abc")
    with pytest.raises(CastError, match="begin it again"):
        uploads.finish("u1")


def test_an_upload_that_is_given_up_leaves_nothing(
    uploads: Uploads, begin: Callable[..., None], tmp_path: Path
) -> None:
    begin("a.bin")
    uploads.append("u1", 0, b"abc")

    uploads.abort("u1")

    assert list(tmp_path.iterdir()) == []
    with pytest.raises(CastError, match="begin it again"):
        uploads.append("u1", 3, b"d")


def test_closing_leaves_nothing(
    uploads: Uploads, begin: Callable[..., None], tmp_path: Path
) -> None:
    begin("a.bin")
    begin("b.bin", upload_id="u2")

    uploads.close()

    assert list(tmp_path.iterdir()) == []


def test_an_upload_of_which_nothing_comes_is_dropped(
    uploads: Uploads, begin: Callable[..., None], tmp_path: Path
) -> None:
    begin("a.bin")
    now = time.monotonic()

    uploads.drop_idle(now)
    kept = litter(tmp_path)
    uploads.drop_idle(now + IDLE_S + 1)

    assert len(kept) == 1
    assert litter(tmp_path) == []


def test_there_is_a_most_of_uploads(
    uploads: Uploads, begin: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "MAX_UPLOADS", 1)
    begin("a.bin")

    with pytest.raises(CastError, match="1 uploads are under way"):
        begin("b.bin", upload_id="u2")
    uploads.abort("u1")
    begin("b.bin", upload_id="u2")


def test_a_file_in_the_way_is_refused_at_once(begin: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_text("old")

    with pytest.raises(TargetFileError, match="is there already"):
        begin("a.bin")

    assert visible(tmp_path) == {"a.bin": b"old"}
    assert litter(tmp_path) == []


def test_a_file_that_comes_in_the_way_meanwhile_stays(
    uploads: Uploads, begin: Callable[..., None], tmp_path: Path
) -> None:
    begin("a.bin")
    uploads.append("u1", 0, b"new")
    (tmp_path / "a.bin").write_text("old")

    with pytest.raises(TargetFileError, match="is there already"):
        uploads.finish("u1")

    assert visible(tmp_path) == {"a.bin": b"old"}
    assert litter(tmp_path) == []


@pytest.mark.parametrize(
    ("if_exists", "data", "after"),
    [
        (IfExists.OVERWRITE, b"new", {"a.bin": b"new"}),
        (IfExists.RENAME, b"new", {"a.bin": b"old", "a (1).bin": b"new"}),
        (IfExists.SKIP, b"old", {"a.bin": b"old"}),
    ],
)
def test_what_is_there_is_replaced_or_kept_as_was_asked_for(
    if_exists: IfExists,
    data: bytes,
    after: dict[str, bytes],
    uploads: Uploads,
    begin: Callable[..., None],
    tmp_path: Path,
) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")
    begin("a.bin", if_exists)
    uploads.append("u1", 0, data)

    path = uploads.finish("u1")

    assert visible(tmp_path) == after
    assert path == f"{tmp_path}/{'a (1).bin' if len(after) > 1 else 'a.bin'}"
    assert litter(tmp_path) == []


@pytest.mark.parametrize("data", [b"new", b"older"], ids=["content", "length"])
def test_other_content_cannot_be_skipped(
    data: bytes, uploads: Uploads, begin: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")
    begin("a.bin", IfExists.SKIP)
    uploads.append("u1", 0, data)

    with pytest.raises(TargetFileError, match="with other content"):
        uploads.finish("u1")

    assert visible(tmp_path) == {"a.bin": b"old"}
    assert litter(tmp_path) == []


@pytest.mark.parametrize("path", ["", "sub/"])
def test_a_directory_is_no_name_for_a_file(path: str, begin: Callable[..., None]) -> None:
    with pytest.raises(UnsafePathError, match="name the file"):
        begin(path)


@pytest.mark.parametrize("if_exists", [IfExists.FAIL, IfExists.OVERWRITE, IfExists.SKIP])
def test_a_directory_is_not_replaced_by_a_file(
    if_exists: IfExists, begin: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()

    with pytest.raises(TargetFileError):
        begin("a", if_exists)

    assert litter(tmp_path) == []


def test_no_link_leads_out(begin: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/tmp")

    with pytest.raises(UnsafePathError):
        begin("out/a.bin")


def test_a_link_in_the_place_of_the_file_is_replaced_not_followed(
    uploads: Uploads, begin: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "other").write_text("other")
    (tmp_path / "a.bin").symlink_to("other")
    begin("a.bin", IfExists.OVERWRITE)
    uploads.append("u1", 0, b"new")

    uploads.finish("u1")

    assert visible(tmp_path) == {"a.bin": b"new", "other": b"other"}


def test_a_disk_that_is_full_is_told_and_nothing_is_left(
    uploads: Uploads,
    begin: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin("a.bin")
    uploads.append("u1", 0, b"abc")

    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", fail)
        with pytest.raises(TargetFileError, match="the disk is full"):
            uploads.append("u1", 3, b"d")

    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_from_the_start_is_told_and_nothing_is_left(
    begin: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_open = os.open

    def open_nothing_new(path: str, *arguments: int, **options: int) -> int:
        if path == uploads_module.CONTENT:
            raise OSError(28, "No space left on device")
        return really_open(path, *arguments, **options)

    with monkeypatch.context() as full:
        full.setattr(os, "open", open_nothing_new)
        with pytest.raises(TargetFileError, match="the disk is full"):
            begin("a.bin")

    assert list(tmp_path.iterdir()) == []
