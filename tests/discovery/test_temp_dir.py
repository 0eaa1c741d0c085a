from __future__ import annotations

import os
import socket
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from castray.discovery import temp_dir
from castray.discovery.process_scan import ProcessTable
from castray.discovery.source import Candidate
from castray.discovery.temp_dir import (
    TempDirScan,
    default_temp_dir,
    parse_dashboard_log,
    read_current_address,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SESSION = "session_2026-11-22_13-08-47_229157_10"
LOG = """\
2026-11-22 13:08:49,967\tINFO head.py:516 -- Initialize the http server.
2026-11-22 13:08:50,011\tINFO http_server_head.py:492 -- Dashboard head http address: 10.0.0.1:8265
2026-11-22 13:08:50,011\tINFO http_server_head.py:499 -- <ResourceRoute [GET] ...>
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    """A Ray temp directory; the path of a socket must be short."""
    with tempfile.TemporaryDirectory(prefix="ray") as name:
        yield Path(name)


@pytest.fixture(autouse=True)
def processes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The command lines that this machine shows; none, until a test adds some."""
    command_lines: list[tuple[str, ...]] = []

    async def fetch() -> ProcessTable:
        return ProcessTable(tuple(command_lines), 0)

    monkeypatch.setattr(temp_dir, "fetch_processes", fetch)
    return command_lines


def make_session(directory: Path, name: str = SESSION, log: str = LOG) -> socket.socket:
    """A session directory as Ray leaves it, and the socket on which its raylet listens."""
    (directory / name / "sockets").mkdir(parents=True)
    (directory / name / "logs").mkdir()
    (directory / name / "logs/dashboard.log").write_text(log)
    raylet = socket.socket(socket.AF_UNIX)
    raylet.bind(str(directory / name / "sockets/raylet"))
    raylet.listen()
    return raylet


async def test_a_session_that_runs_is_found_with_its_dashboard(directory: Path) -> None:
    with closing(make_session(directory)):
        (directory / "session_latest").symlink_to(directory / SESSION)

        sightings = await TempDirScan([directory]).fetch()

    expected = Candidate(dashboard_url="http://10.0.0.1:8265", session_name=SESSION)
    assert sightings.candidates == (expected,)
    assert sightings.notes == ()


async def test_a_session_that_ended_is_counted_and_is_no_candidate(directory: Path) -> None:
    make_session(directory).close()

    sightings = await TempDirScan([directory]).fetch()

    assert sightings.candidates == ()
    assert sightings.notes == ("Session directories of clusters that ended: 1.",)


async def test_a_full_backlog_is_a_sign_of_life(directory: Path) -> None:
    raylet = make_session(directory)
    raylet.listen(0)
    with closing(raylet), socket.socket(socket.AF_UNIX) as first:
        first.connect(str(directory / SESSION / "sockets/raylet"))

        sightings = await TempDirScan([directory]).fetch()

    assert len(sightings.candidates) == 1


async def test_the_cluster_that_was_started_last_is_a_candidate(directory: Path) -> None:
    (directory / "ray_current_cluster").write_text("10.0.0.1:6379")

    sightings = await TempDirScan([directory]).fetch()

    assert sightings.candidates == (Candidate(ray_address="gcs://10.0.0.1:6379"),)


async def test_directories_are_learned_from_the_processes_too(
    directory: Path, processes: list[tuple[str, ...]]
) -> None:
    processes.append(("raylet", f"--session-name={SESSION}", f"--temp_dir={directory}"))

    with closing(make_session(directory)):
        sightings = await TempDirScan([Path("/nonexistent")]).fetch()

    assert [candidate.session_name for candidate in sightings.candidates] == [SESSION]


async def test_only_the_newest_sessions_are_looked_at(directory: Path) -> None:
    for number in range(60):
        (directory / f"session_2026-11-22_13-08-47_229157_{number:02}" / "sockets").mkdir(
            parents=True
        )

    sightings = await TempDirScan([directory]).fetch()

    assert sightings.notes == ("Session directories of clusters that ended: 50.",)


async def test_nothing_in_a_directory_of_strangers_can_hold_or_break_the_scan(
    directory: Path,
) -> None:
    raylet = make_session(directory, log="")
    log = directory / SESSION / "logs/dashboard.log"
    log.unlink()
    os.mkfifo(log)
    os.mkfifo(directory / "ray_current_cluster")
    (directory / "session_file").write_text("no directory")
    (directory / "session_binary/sockets").mkdir(parents=True)
    (directory / "session_binary/sockets/raylet").write_bytes(b"\xff\x00")

    with closing(raylet):
        sightings = await TempDirScan([directory]).fetch()

    assert sightings.candidates == ()


def test_a_log_tells_where_the_dashboard_listens() -> None:
    assert parse_dashboard_log(LOG) == "http://10.0.0.1:8265"
    assert parse_dashboard_log(LOG.replace("10.0.0.1", "0.0.0.0")) == "http://127.0.0.1:8265"
    assert parse_dashboard_log("no such line") is None


def test_an_address_file_that_is_missing_or_empty_tells_nothing(tmp_path: Path) -> None:
    missing = read_current_address(tmp_path)
    (tmp_path / "ray_current_cluster").write_text("\n")

    assert missing is None
    assert read_current_address(tmp_path) is None


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "/tmp/ray"),
        ({"TMPDIR": "/scratch"}, "/scratch/ray"),
        ({"TMPDIR": "/scratch", "RAY_TMPDIR": "/data"}, "/data/ray"),
    ],
)
def test_rays_default_directory_follows_rays_variables(
    environ: dict[str, str], expected: str
) -> None:
    assert default_temp_dir(environ) == Path(expected)
