"""What the guide to other clusters tells people to type."""

from __future__ import annotations

import json
import re
import shlex
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from castray.cli import COMMANDS
from castray.config import load_settings
from tests.hosts import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    import click

GUIDES = ["docs/external-clusters.md", "docs/external-clusters.zh-CN.md"]


def blocks(guide: str, language: str) -> list[str]:
    text = (REPOSITORY / guide).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_both_languages_tell_the_same_commands_and_settings() -> None:
    english, chinese = GUIDES

    for language in ("bash", "json"):
        assert blocks(english, language) == blocks(chinese, language)


@pytest.mark.parametrize("guide", GUIDES)
def test_the_settings_file_loads_as_it_is_written(guide: str, tmp_path: Path) -> None:
    [text] = blocks(guide, "json")
    file = tmp_path / "config_external_cluster.json"
    file.write_text(text)

    settings = load_settings(file=str(file))

    external = json.loads(text)["external_cluster"]
    assert settings.external_cluster.connection_timeout == external["connection_timeout"]
    assert list(settings.external_cluster.discovery_methods) == external["discovery_methods"]
    assert settings.web_server.host == "0.0.0.0"


@pytest.mark.parametrize("guide", GUIDES)
def test_every_castray_line_is_a_command_that_there_is(guide: str) -> None:
    lines = [
        shlex.split(line)
        for block in blocks(guide, "bash")
        for line in block.splitlines()
        if line.startswith("castray ")
    ]

    assert len(lines) >= 10
    for _, name, *arguments in lines:
        assert name in COMMANDS
        command: click.Command = import_module(f"castray.cli.{name}").command
        command.make_context(name, arguments)  # raises for an unknown option or argument
