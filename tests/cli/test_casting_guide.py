"""What the guide to casting tells people to type."""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from castray.cast_models import CastRequest
from castray.cli import COMMANDS
from tests.hosts import REPOSITORY

if TYPE_CHECKING:
    import click

ENGLISH, CHINESE = GUIDES = ["docs/casting.md", "docs/casting.zh-CN.md"]


def blocks(guide: str, language: str) -> list[str]:
    text = (REPOSITORY / guide).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def lines(guide: str, program: str) -> list[list[str]]:
    text = "".join(blocks(guide, "bash")).splitlines()
    return [shlex.split(line) for line in text if line.startswith(f"{program} ")]


def test_both_languages_tell_the_same_commands_and_programs() -> None:
    for language in ("bash", "python"):
        assert blocks(ENGLISH, language) == blocks(CHINESE, language)


@pytest.mark.parametrize("guide", GUIDES)
def test_every_castray_line_is_a_command_that_there_is(guide: str) -> None:
    assert len(lines(guide, "castray")) >= 15
    for _, name, *arguments in lines(guide, "castray"):
        assert name in COMMANDS
        command: click.Command = import_module(f"castray.cli.{name}").command
        command.make_context(name, arguments)  # raises for an unknown option or argument


def test_what_curl_posts_is_a_cast() -> None:
    [body] = [words[words.index("-d") + 1] for words in lines(ENGLISH, "curl") if "-d" in words]

    assert CastRequest.model_validate_json(body).targets == "all"


def test_the_program_is_python() -> None:
    [program] = blocks(ENGLISH, "python")

    compile(program, ENGLISH, "exec")
