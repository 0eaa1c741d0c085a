"""The documents of the settings say what the settings are: every key, variable, flag, default."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic_core import to_jsonable_python

from castray.cli.options import FLAGS
from castray.config import OTHER_VARIABLES, VARIABLES, Settings

DOCS = Path(__file__).resolve().parents[1] / "docs"
DOCUMENTS = [DOCS / "settings.md", DOCS / "settings.zh-CN.md"]

ROW = re.compile(r"\| `(\w+\.\w+)` \| `(\w+)` \| (?:`(--[\w-]+)`)? ?\| `(.+?)` \| (.+) \|")


def rows_of(document: Path) -> list[tuple[str, str, str | None, object]]:
    found = ROW.findall(document.read_text(encoding="utf-8"))
    return [(key, name, flag or None, json.loads(text)) for key, name, flag, text, _ in found]


@pytest.fixture(params=DOCUMENTS, ids=lambda path: path.name)
def document(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_every_setting_is_documented_in_order_with_its_variable(document: Path) -> None:
    documented = [(key, name) for key, name, *_ in rows_of(document)]

    assert documented == list(VARIABLES.items())


def test_the_documented_flags_are_those_that_the_commands_have(document: Path) -> None:
    documented = {key: flag for key, _, flag, _ in rows_of(document) if flag}

    assert documented == FLAGS


def test_the_documented_defaults_are_the_defaults(document: Path) -> None:
    documented = {key: default for key, _, _, default in rows_of(document)}

    assert documented == {
        f"{section}.{name}": value
        for section, values in to_jsonable_python(Settings()).items()
        for name, value in values.items()
    }


def test_every_variable_that_is_no_setting_is_documented(document: Path) -> None:
    table = document.read_text(encoding="utf-8").rpartition("## ")[2]

    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == OTHER_VARIABLES
