from __future__ import annotations

import pytest

from castray.core.nodes import (
    connection_type,
    monitor_port,
    node_name,
    node_resources,
    without_measurements,
)
from castray.models import ConnectionType, NodeState, Reason, ReasonCode, WorkReport, WorkStatus
from tests.core.given import NOON, node, reported

REASON = Reason(code=ReasonCode.CLUSTER_LOST, detail="It does not answer.")


def test_a_node_is_called_by_its_label() -> None:
    assert node_name({"castray.io/name": "M3"}, {"X1": 1.0}, "edge-3") == "M3"


def test_without_a_label_a_node_is_called_by_its_first_custom_resource() -> None:
    resources = {
        "CPU": 4.0,
        "GPU": 1.0,
        "memory": 1e9,
        "object_store_memory": 1e9,
        "node:10.0.0.1": 1.0,
        "accelerator_type:A100": 1.0,
        "Wired": 1.0,
        "Z9": 1.0,
        "M3": 1.0,
    }

    assert node_name({}, resources, "edge-3") == "M3"


def test_without_either_a_node_is_called_by_its_host() -> None:
    assert node_name({}, {"CPU": 4.0, "Wireless": 1.0}, "edge-3") == "edge-3"


@pytest.mark.parametrize(
    ("labels", "resources", "expected"),
    [
        ({}, {"Wired": 1.0}, ConnectionType.WIRED),
        ({}, {"Wireless": 1.0}, ConnectionType.WIRELESS),
        ({"castray.io/connection": "Wireless"}, {}, ConnectionType.WIRELESS),
        ({"castray.io/connection": "pigeon"}, {}, ConnectionType.UNKNOWN),
        ({}, {}, ConnectionType.UNKNOWN),
    ],
)
def test_how_a_node_is_attached_is_what_its_operator_says(
    labels: dict[str, str], resources: dict[str, float], expected: ConnectionType
) -> None:
    assert connection_type(labels, resources) is expected


@pytest.mark.parametrize(
    ("label", "expected"), [("9000", 9000), ("0", 8000), ("65536", 8000), ("x", 8000), ("", 8000)]
)
def test_a_monitors_port_is_the_label_where_that_is_a_port(label: str, expected: int) -> None:
    assert monitor_port({"castray.io/monitor-port": label}, 8000) == expected


def test_what_ray_has_to_give_out_is_read_by_its_names() -> None:
    found = node_resources({"CPU": 4.0, "GPU": 0.5, "memory": 2e9, "object_store_memory": 1e9})

    assert (found.cpu_cores, found.gpu_count) == (4.0, 0.5)
    assert (found.memory_bytes, found.object_store_bytes) == (2 * 10**9, 10**9)


def test_without_measurements_a_node_keeps_only_what_does_not_age() -> None:
    report = reported().report
    record = node(
        work=report.work,
        monitor=report.monitor,
        load=report.load,
        tasks=("tracker",),
        last_report=NOON,
    )

    stripped = without_measurements(record, NodeState.STALE, REASON)

    assert stripped.work == WorkReport(status=WorkStatus.UNKNOWN, reason=REASON)
    assert (stripped.load, stripped.tasks, stripped.monitor.reachable) == (None, (), None)
    assert (stripped.name, stripped.last_report, stripped.monitor.port) == ("M1", NOON, 8000)
    assert (stripped.state, stripped.state_reason) == (NodeState.STALE, REASON)
