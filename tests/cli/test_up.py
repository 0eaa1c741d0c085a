"""`castray up`, as far as it comes without a Ray."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import RunCastray


@pytest.mark.parametrize(
    ("command", "mistake"),
    [
        ("no-such-program --now", "does not begin with a program that is here"),
        ("", "does not begin with a program that is here"),
        ("echo 'never closed", "cannot be read: No closing quotation"),
    ],
)
def test_a_command_that_cannot_run_is_told_before_anything_starts(
    castray: RunCastray, home: Path, command: str, mistake: str
) -> None:
    result = castray("up", "--address", "local", "--run", command)

    assert result.exit_code == 2
    assert mistake in " ".join(result.output.split())
    assert not (home / ".castray").exists()


def test_a_cluster_that_does_not_answer_is_told(castray: RunCastray, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"

    result = castray("up", "--address", address)

    assert result.exit_code == 1
    assert f"Error: No Ray cluster answers at {address}" in result.output
    assert not (home / ".castray" / "up.json").exists()


def test_an_address_of_another_machine_is_told_before_a_ray_is_started(
    castray: RunCastray, home: Path
) -> None:
    result = castray("up", "--address", "local", "--host", "203.0.113.7")

    assert result.exit_code == 1
    assert result.output.startswith("Error: 203.0.113.7 is no address of this machine")
    assert not (home / ".castray" / "logs").exists()


def test_a_taken_port_is_told_before_a_ray_is_started(castray: RunCastray, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        listener.settimeout(0)

        result = castray("up", "--address", "local", "--port", str(port))

    assert result.exit_code == 1
    assert result.output.startswith(f"Error: Port {port} is taken by ")
    assert not (home / ".castray" / "logs").exists()
