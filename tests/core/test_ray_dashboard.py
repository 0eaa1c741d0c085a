from __future__ import annotations

import json
from typing import Any

import pytest

from castray.core.ray_dashboard import render_node, render_summary
from castray.models import (
    ConnectionType,
    Gpu,
    Load,
    MonitorView,
    Node,
    NodeResources,
    NodeState,
    Reason,
    ReasonCode,
    WorkReport,
    WorkStatus,
)
from tests.core.given import NOON, home_cluster, node

GIB = 2**30
REASON = Reason(code=ReasonCode.REPORTS_STOPPED, detail="The poller does not report.")


def rendered(record: Node, fallback: WorkStatus = WorkStatus.IDLE) -> dict[str, Any]:
    shape: dict[str, Any] = json.loads(render_node(record, fallback).model_dump_json())
    return shape


def summary_of(*args: Any) -> dict[str, Any]:
    shape: dict[str, Any] = json.loads(render_summary(*args).model_dump_json())
    return shape


def test_a_node_in_full() -> None:
    record = node(
        "0123456789abcdef",
        name="M3",
        host_name="edge-3",
        address="10.30.2.11",
        is_head=True,
        connection=ConnectionType.WIRELESS,
        resources=NodeResources(
            cpu_cores=8, memory_bytes=16 * GIB, gpu_count=1, object_store_bytes=3 * GIB // 2
        ),
        work=WorkReport(status=WorkStatus.DETECTING, since=NOON, current_task="frame 7"),
        monitor=MonitorView(reachable=True, port=8000, last_seen=NOON),
        load=Load(
            measured_at=NOON,
            cpu_percent=0.7,
            memory_percent=95.4,
            gpus=(
                Gpu(
                    index=0,
                    name="GPU",
                    utilization_percent=50.0,
                    memory_used_bytes=None,
                    memory_total_bytes=None,
                ),
            ),
        ),
        tasks=("tracker",),
    )

    assert rendered(record) == {
        "id": "89abcdef",
        "name": "M3",
        "fullName": "edge-3",
        "nodeIp": "10.30.2.11",
        "nodeId": "0123456789abcdef",
        "state": "ALIVE",
        "isHeadNode": True,
        "cpu": 0.7,
        "memory": 95.4,
        "gpu": 50.0,
        "usageKnown": True,
        "tasks": ["frame 7", "tracker"],
        "status": "active",
        "stateMessage": "",
        "connectionType": "wireless",
        "workStatus": "detecting",
        "workStatusTimestamp": "2026-01-01T12:00:00Z",
        "workStatusConfirmed": True,
        "resources": {"totalCpu": 8.0, "totalMemory": 16.0, "totalGpu": 1.0, "objectStore": 1.5},
        "cluster": "home",
        "source": "home",
        "monitor": {"reachable": True, "lastSeen": "2026-01-01T12:00:00Z", "error": None},
    }


def test_a_node_that_nobody_measured_has_nulls_not_zeros() -> None:
    shape = rendered(node())

    assert (shape["cpu"], shape["memory"], shape["gpu"]) == (None, None, None)
    assert shape["usageKnown"] is False
    assert shape["tasks"] == []
    assert shape["workStatusTimestamp"] is None


def test_a_measured_node_without_a_gpu_has_none() -> None:
    shape = rendered(node(load=Load(measured_at=NOON, cpu_percent=0.0, memory_percent=12.0)))

    assert (shape["cpu"], shape["gpu"], shape["usageKnown"]) == (0.0, None, True)


@pytest.mark.parametrize("fallback", [WorkStatus.IDLE, WorkStatus.UNKNOWN])
def test_an_unknown_work_status_is_the_fallback_and_unconfirmed(fallback: WorkStatus) -> None:
    shape = rendered(node(work=WorkReport(reason=REASON)), fallback)

    assert shape["workStatus"] == fallback.value
    assert shape["workStatusConfirmed"] is False


def test_an_idle_node_whose_monitor_says_so_is_confirmed() -> None:
    shape = rendered(node(work=WorkReport(status=WorkStatus.IDLE)), WorkStatus.UNKNOWN)

    assert (shape["workStatus"], shape["workStatusConfirmed"]) == ("idle", True)


def test_the_last_task_of_an_idle_script_does_not_run() -> None:
    work = WorkReport(status=WorkStatus.IDLE, current_task="waiting for input")

    assert rendered(node(work=work, tasks=("tracker",)))["tasks"] == ["tracker"]


def test_a_stale_node_is_alive_to_ray_and_says_that_it_is_stale() -> None:
    shape = rendered(
        node(state=NodeState.STALE, state_reason=REASON, work=WorkReport(reason=REASON))
    )

    assert (shape["state"], shape["status"]) == ("ALIVE", "active")
    assert shape["stateMessage"] == "The poller does not report."
    assert shape["workStatusConfirmed"] is False


def test_a_dead_node_is_dead_with_its_reason() -> None:
    shape = rendered(node(state=NodeState.DEAD, state_reason=REASON))

    assert (shape["state"], shape["status"]) == ("DEAD", "dead")
    assert shape["stateMessage"] == "The poller does not report."


def test_a_monitor_that_cannot_be_read_says_why_in_a_sentence() -> None:
    monitor = MonitorView(reachable=False, error=REASON)

    assert rendered(node(monitor=monitor))["monitor"] == {
        "reachable": False,
        "lastSeen": None,
        "error": "The poller does not report.",
    }


def test_the_summary_counts_every_node_once() -> None:
    nodes = [
        node("m1", is_head=True),
        node("m2", state=NodeState.STALE),
        node("m3", state=NodeState.DEAD),
        node("x1", "lab", is_head=True),
    ]

    shape = summary_of(nodes, None)

    counts = {name: shape[name] for name in shape if name != "resources"}
    assert counts == {"totalNodes": 4, "aliveNodes": 3, "deadNodes": 1, "headNodes": 2}


def test_the_summary_has_rays_own_account_of_the_home_cluster() -> None:
    home = home_cluster(
        {
            "CPU": (8.0, 2.0),
            "memory": (16.0 * GIB, 12.0 * GIB),
            "object_store_memory": (8.0 * GIB, 8.0 * GIB),
        }
    )

    assert summary_of([], home)["resources"] == {
        "cpu": {
            "total": 8.0,
            "used": 6.0,
            "available": 2.0,
            "usagePercent": 75.0,
            "usageKnown": True,
        },
        "memory": {
            "total": 16.0 * GIB,
            "used": 4.0 * GIB,
            "available": 12.0 * GIB,
            "usagePercent": 25.0,
            "usageKnown": True,
            "totalGB": 16.0,
            "usedGB": 4.0,
        },
        "gpu": {
            "total": 0.0,
            "used": 0.0,
            "available": 0.0,
            "usagePercent": 0.0,
            "usageKnown": True,
        },
        "objectStore": {
            "total": 8.0 * GIB,
            "used": 0.0,
            "available": 8.0 * GIB,
            "usagePercent": 0.0,
            "usageKnown": True,
            "totalGB": 8.0,
            "usedGB": 0.0,
        },
    }


@pytest.mark.parametrize("home", [None, home_cluster()])
def test_an_account_that_is_not_known_is_null(home: Any) -> None:
    resources = summary_of([], home)["resources"]

    for name, account in resources.items():
        assert account.pop("usageKnown") is False, name
        assert set(account.values()) == {None}, name


def test_more_available_than_there_is_makes_no_negative_use() -> None:
    home = home_cluster({"CPU": (4.0, 4.5)})

    assert summary_of([], home)["resources"]["cpu"]["used"] == 0.0
