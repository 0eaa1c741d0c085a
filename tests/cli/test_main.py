"""`castray` itself: its commands, and how a mistake is told."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from castray import __version__
from castray.cli import COMMANDS

if TYPE_CHECKING:
    from tests.cli.conftest import RunCastray


def test_help_lists_every_command(castray: RunCastray) -> None:
    result = castray("--help")

    assert result.exit_code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(castray: RunCastray, name: str) -> None:
    result = castray(name, "--help")

    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: castray {name} [OPTIONS]")


def test_the_version_is_that_of_the_package(castray: RunCastray) -> None:
    assert castray("--version").output == f"castray, version {__version__}\n"


def test_an_unknown_command_is_a_usage_error(castray: RunCastray) -> None:
    result = castray("launch")

    assert result.exit_code == 2
    assert "launch" in result.output


@pytest.mark.parametrize("name", ["up", "down", "status", "watch", "monitor"])
def test_a_mistake_in_the_settings_is_one_line(
    castray: RunCastray, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASTRAY_WEB_SERVER__PROT", "8001")

    result = castray(name)

    assert result.exit_code == 1
    assert result.output == (
        "Error: CASTRAY_WEB_SERVER__PROT: there is no such variable; did you mean "
        "CASTRAY_WEB_SERVER__PORT?\n"
    )


def test_a_wrong_flag_is_named_as_it_was_written(castray: RunCastray) -> None:
    result = castray("up", "--host", "no host")

    assert result.exit_code == 1
    assert result.output.startswith("Error: --host: should be an IP address or a host name")


def test_a_flag_of_the_wrong_kind_is_a_usage_error(castray: RunCastray) -> None:
    result = castray("up", "--port", "70000")

    assert result.exit_code == 2
    assert "--port" in result.output


def test_a_missing_settings_file_is_named(castray: RunCastray) -> None:
    result = castray("up", "--config", "/nowhere.yaml")

    assert result.exit_code == 1
    assert result.output.startswith("Error: --config: the settings file /nowhere.yaml")


def test_the_monitor_needs_no_ray() -> None:
    script = (
        "import sys; sys.modules['ray'] = None\n"
        "from castray.cli import main; main(['monitor', '--help'])"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0
    assert "Needs no\n" in done.stdout
    assert done.stderr == ""
