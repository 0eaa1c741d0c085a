from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from castray.errors import UnsafePathError
from castray.transfer.roots import Roots

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_the_home_is_that_of_whoever_runs_this(home: Path) -> None:
    roots = Roots(["~/castray", "/data"])

    assert roots.paths == (f"{home}/castray", "/data")
    assert str(roots.plan("a.bin")) == f"{home}/castray/a.bin"


def test_the_default_root_is_made_for_its_owner_alone_when_it_is_needed(home: Path) -> None:
    roots = Roots(["~/castray"])
    before = list(home.iterdir())

    roots.find("")

    assert before == []
    assert (home / "castray").stat().st_mode & 0o777 == 0o700


def test_any_other_root_that_is_missing_is_told(home: Path) -> None:
    roots = Roots(["~/castray", "~/other"])

    with pytest.raises(UnsafePathError, match=r"make that directory.*transfer\.roots") as caught:
        roots.find(f"{home}/other/a.bin")

    assert caught.value.subject == f"{home}/other"
    assert not (home / "other").exists()


def test_a_default_root_that_cannot_be_made_is_told(home: Path) -> None:
    (home / "castray").write_text("a file")

    with pytest.raises(UnsafePathError, match="cannot be made on this node: File exists"):
        Roots(["~/castray"]).find("")
