"""What the doctor makes of what it saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from castray.cli.findings import (
    check_cluster,
    check_haproxy,
    check_node,
    check_page,
    check_port,
    check_python,
    check_ray,
    check_token_file,
)
from castray.cli.probes import ClusterVersions, PortUser
from castray.core.status import Health
from castray.models import MonitorView, NodeState, Reason, ReasonCode, WorkReport, WorkStatus
from tests.core.given import node

if TYPE_CHECKING:
    from pathlib import Path

CASTRAY = Health(is_castray=True)
MONITOR = Health(is_monitor=True)
SILENT = Reason(code=ReasonCode.REPORTS_STOPPED, detail="The poller stopped reporting.")
OWN = ClusterVersions("2.60.0", "3.11.7")


@pytest.mark.parametrize("version", [(3, 10, 0), (3, 13, 9)])
def test_a_supported_python_is_well(version: tuple[int, int, int]) -> None:
    assert check_python(version).level == "ok"


@pytest.mark.parametrize("version", [(3, 9, 18), (3, 14, 0)])
def test_another_python_fails(version: tuple[int, int, int]) -> None:
    finding = check_python(version)

    assert finding.level == "fail"
    assert "3.10 to 3.13" in finding.detail


@pytest.mark.parametrize("version", [None, "2.59.1", "2.6.0", "3.0.0"])
def test_a_missing_or_other_ray_fails_and_the_right_one_is_named(version: str | None) -> None:
    finding = check_ray(version)

    assert finding.level == "fail"
    assert "pip install 'ray[default,serve]>=2.60,<2.61'" in finding.detail


def test_the_ray_that_castray_was_made_for_is_well() -> None:
    assert check_ray("2.60.3") == ("ok", "Ray", "2.60.3")


def test_a_cluster_of_the_same_versions_is_well() -> None:
    assert check_cluster("10.0.0.1:6379", OWN, OWN).level == "ok"


@pytest.mark.parametrize(("ray", "python"), [("2.59.0", "3.11.7"), ("2.60.0", "3.11.8")])
def test_a_cluster_of_another_version_fails_and_both_are_named(ray: str, python: str) -> None:
    finding = check_cluster("10.0.0.1:6379", ClusterVersions(ray, python), OWN)

    assert finding.level == "fail"
    for text in (ray, python, *OWN):
        assert text in finding.detail


def test_a_cluster_that_does_not_answer_fails() -> None:
    finding = check_cluster("10.0.0.1:6379", None, OWN)

    assert finding.level == "fail"
    assert "10.0.0.1:6379 does not answer" in finding.detail


@pytest.mark.parametrize(
    ("user", "level", "text"),
    [
        (None, "warn", "castray up"),
        (PortUser("haproxy", 7, CASTRAY), "ok", "CastRay: haproxy (pid 7)"),
        (PortUser("python3", 7, MONITOR), "fail", "a CM-ZSB monitor: python3 (pid 7)"),
        (PortUser("nginx", 7, Health()), "fail", "nginx (pid 7): end it"),
        (PortUser(None, None, None), "fail", "another user's process: end it"),
    ],
)
def test_who_has_the_port_is_told(user: PortUser | None, level: str, text: str) -> None:
    finding = check_port(8000, user)

    assert finding.level == level
    assert finding.subject == "Port 8000"
    assert text in finding.detail


@pytest.mark.parametrize(
    ("process", "level"), [("haproxy", "ok"), ("ray::ProxyActor", "warn"), (None, "warn")]
)
def test_the_proxy_is_told_by_its_process(process: str | None, level: str) -> None:
    assert check_haproxy(PortUser(process, 7, CASTRAY)).level == level


def test_a_page_that_was_not_built_is_a_warning(tmp_path: Path) -> None:
    index = tmp_path / "index.html"

    missing = check_page(index)
    index.touch()

    assert missing.level == "warn"
    assert "make page" in missing.detail
    assert check_page(index).level == "ok"


@pytest.mark.parametrize(
    ("mode", "level"), [(None, "ok"), (0o100600, "ok"), (0o100640, "fail"), (0o100604, "fail")]
)
def test_a_token_that_others_can_read_fails(tmp_path: Path, mode: int | None, level: str) -> None:
    assert check_token_file(tmp_path / "token", mode).level == level


def test_a_node_that_says_what_it_does_is_well() -> None:
    found = node(work=WorkReport(status=WorkStatus.SENDING), monitor=MonitorView(port=8001))

    assert check_node(found) == ("ok", "Node M1", "sending, monitor on port 8001")


@pytest.mark.parametrize(
    ("state", "level"),
    [(NodeState.ALIVE, "warn"), (NodeState.STALE, "fail"), (NodeState.DEAD, "warn")],
)
def test_a_node_that_says_nothing_is_told_with_its_reason(state: NodeState, level: str) -> None:
    found = node(state=state, state_reason=SILENT)

    assert check_node(found) == (level, "Node M1", SILENT.detail)
