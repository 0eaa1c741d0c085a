"""The memory of what `castray up` started."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
import pytest

from castray.cli.launched import Launched, state_directory
from castray.cli.processes import ProcessId

if TYPE_CHECKING:
    from pathlib import Path

GONE = ProcessId(pid=os.getpid(), created_s=1.0)


def test_what_was_saved_is_loaded_again(tmp_path: Path) -> None:
    launched = Launched(address="10.0.0.1:6379", namespace="castray", ray=ProcessId.of(os.getpid()))

    launched.save(tmp_path / "new" / "up.json")

    assert Launched.load(tmp_path / "new" / "up.json") == launched


def test_nothing_is_loaded_where_nothing_was_saved(tmp_path: Path) -> None:
    assert Launched.load(tmp_path / "up.json") is None


def test_a_file_of_another_shape_is_named(tmp_path: Path) -> None:
    path = tmp_path / "up.json"
    path.write_text("{}")

    with pytest.raises(click.ClickException, match=r"up\.json cannot be read: remove it"):
        Launched.load(path)


@pytest.mark.parametrize("role", ["supervisor", "ray", "command"])
def test_it_runs_while_one_of_its_processes_lives(role: str) -> None:
    launched = Launched(address="10.0.0.1:6379", namespace="castray", supervisor=GONE, ray=GONE)

    alive = launched.model_copy(update={role: ProcessId.of(os.getpid())})

    assert not launched.is_running()
    assert alive.is_running()


def test_serve_is_ours_only_on_the_cluster_where_it_was_started() -> None:
    launched = Launched(address="10.0.0.1:6379", namespace="castray", serve_is_ours=True)

    assert launched.serve_is_ours_at("10.0.0.1:6379")
    assert not launched.serve_is_ours_at("10.0.0.1:6380")


def test_the_state_is_kept_in_the_home_directory(home: Path) -> None:
    assert state_directory() == home / ".castray"
