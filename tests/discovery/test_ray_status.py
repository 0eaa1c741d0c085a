from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from castray.discovery import ray_status
from castray.discovery.process_scan import LocalCluster, ProcessTable
from castray.discovery.ray_status import RayStatus, plan_candidate
from castray.discovery.source import Candidate

if TYPE_CHECKING:
    from pathlib import Path

RUNNING = LocalCluster("session_1", "10.0.0.1:6379", "http://10.0.0.1:8265")


@pytest.mark.parametrize(
    ("variable", "address"),
    [
        ("10.0.0.9:6379", "gcs://10.0.0.9:6379"),
        ("ray://10.0.0.9:10001", "ray://10.0.0.9:10001"),
    ],
)
def test_the_variable_comes_first(variable: str, address: str) -> None:
    candidate = plan_candidate(variable, "10.0.0.2:6379", [RUNNING])

    assert candidate == Candidate(ray_address=address)


@pytest.mark.parametrize("variable", [None, "", "auto", "local"])
def test_else_it_is_the_cluster_that_was_started_last(variable: str | None) -> None:
    candidate = plan_candidate(variable, "10.0.0.2:6379", [RUNNING])

    assert candidate == Candidate(ray_address="gcs://10.0.0.2:6379")


def test_a_cluster_that_runs_here_is_known_better_by_its_processes() -> None:
    other = LocalCluster("session_2", "10.0.0.2:6379", "http://10.0.0.2:8265")

    assert plan_candidate(None, "10.0.0.2:6379", [RUNNING, other]) == other.candidate()
    assert plan_candidate("10.0.0.2:6379", None, [RUNNING, other]) == other.candidate()


def test_else_it_is_one_that_runs() -> None:
    assert plan_candidate(None, None, [RUNNING]) == RUNNING.candidate()


def test_else_there_is_none() -> None:
    assert plan_candidate(None, None, []) is None


async def test_it_looks_into_rays_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_processes() -> ProcessTable:
        return ProcessTable((), 0)

    monkeypatch.setattr(ray_status, "fetch_processes", no_processes)
    source = RayStatus(None, tmp_path)

    before = await source.fetch()
    (tmp_path / "ray_current_cluster").write_text("10.0.0.2:6379\n")
    after = await source.fetch()

    assert before.candidates == ()
    assert after.candidates == (Candidate(ray_address="gcs://10.0.0.2:6379"),)
