"""A wheel has the page in it, or says what is missing to build it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = "castray/page/index.html"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The repository without anything that was built in it."""
    source = tmp_path / "source"
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, source / name)
    return source


def build_wheel(source: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Build it where there is no npm."""
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", "wheels", "."]
    environment = {**os.environ, **environment, "PATH": str(Path(sys.executable).parent)}
    return subprocess.run(
        command, cwd=source, env=environment, capture_output=True, text=True, check=False
    )


def names_in_wheel(source: Path) -> list[str]:
    [wheel] = (source / "wheels").glob("castray-*.whl")
    with ZipFile(wheel) as archive:
        return archive.namelist()


def test_a_page_that_is_up_to_date_goes_into_the_wheel_as_it_is(source: Path) -> None:
    (source / PAGE).parent.mkdir()
    (source / PAGE).write_text("<!doctype html>", encoding="utf-8")

    built = build_wheel(source)

    assert built.returncode == 0, built.stdout + built.stderr
    assert PAGE in names_in_wheel(source)


def test_without_npm_a_page_that_is_older_than_its_sources_stops_the_build(source: Path) -> None:
    (source / PAGE).parent.mkdir()
    (source / PAGE).write_text("<!doctype html>", encoding="utf-8")
    os.utime(source / PAGE, (0, 0))

    built = build_wheel(source)

    assert built.returncode != 0
    said = built.stdout + built.stderr
    assert "install Node.js" in said
    assert "CASTRAY_WITHOUT_PAGE=1" in said


def test_a_wheel_without_the_page_can_be_asked_for(source: Path) -> None:
    built = build_wheel(source, CASTRAY_WITHOUT_PAGE="1")

    assert built.returncode == 0, built.stdout + built.stderr
    assert not [name for name in names_in_wheel(source) if name.startswith("castray/page/")]
