from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from castray.transfer.beneath import open_root
from castray.transfer.partial import open_partial, partial_name
from castray.transfer.sweeping import is_stale, sweep_partials

if TYPE_CHECKING:
    from pathlib import Path

DAY_S = 86400.0


def make_partial(parent: Path, cast_id: str) -> Path:
    partial = parent / partial_name(cast_id)
    partial.mkdir(parents=True)
    (partial / "journal").write_text("castray 1 x\n")
    (partial / "0").write_bytes(b"part")
    return partial


@pytest.mark.parametrize(("age_s", "expected"), [(0.0, False), (9.9, False), (10.1, True)])
def test_what_waited_for_longer_than_it_is_kept_is_stale(age_s: float, *, expected: bool) -> None:
    assert is_stale(100.0, 100.0 + age_s, keep_s=10.0) is expected


def test_stale_partials_go_and_everything_else_stays(tmp_path: Path) -> None:
    stale = make_partial(tmp_path / "a" / "b", "old")
    (tmp_path / "a" / "data.bin").write_bytes(b"data")
    (tmp_path / ".castray-notes").mkdir()

    removed = sweep_partials(str(tmp_path), time.time() + 2 * DAY_S, keep_s=DAY_S)

    assert removed == [str(stale)]
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        ".castray-notes", "a", "b", "data.bin",
    ]  # fmt: skip


def test_a_partial_that_was_touched_lately_stays(tmp_path: Path) -> None:
    partial = make_partial(tmp_path, "new")
    now = time.time() + 2 * DAY_S
    os.utime(partial / "journal", (now, now))

    assert sweep_partials(str(tmp_path), now, keep_s=DAY_S) == []
    assert partial.exists()


def test_a_partial_in_which_a_receiver_works_stays_however_old(tmp_path: Path) -> None:
    with open_root(str(tmp_path)) as root, open_partial(root, (), "busy") as partial:
        assert sweep_partials(str(tmp_path), time.time() + 9 * DAY_S) == []
        os.stat(partial_name("busy"), dir_fd=root)
        assert partial.depth == 0


def test_a_partial_that_lost_its_journal_goes_too(tmp_path: Path) -> None:
    partial = make_partial(tmp_path, "torn")
    (partial / "journal").unlink()

    assert sweep_partials(str(tmp_path), time.time() + 2 * DAY_S) == [str(partial)]


def test_no_link_leads_the_broom_out(tmp_path: Path) -> None:
    outside = make_partial(tmp_path / "outside", "old")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "outside")
    (root / partial_name("evil")).symlink_to(outside)

    removed = sweep_partials(str(root), time.time() + 2 * DAY_S)

    assert removed == []
    assert (outside / "0").exists()
