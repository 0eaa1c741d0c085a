from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from castray.core.events import NodeFacts
from castray.core.external_nodes import NodeReading, UsageClock, external_nodes, lost_nodes
from castray.models import (
    ConnectionType,
    Load,
    MonitorView,
    NodeReport,
    NodeSource,
    NodeState,
    Reason,
    ReasonCode,
    WorkReport,
    WorkStatus,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from castray.models import Node

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
GIB = 2**30


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


EDGE = NodeReading(
    facts=NodeFacts(
        node_id="aa" * 14,
        host_name="edge-box",
        address="10.0.0.2",
        is_head=False,
        alive=True,
        labels={"castray.io/name": "edge-2"},
        resources={"CPU": 4.0, "memory": 2.0 * GIB, "Wireless": 1.0},
    ),
    load=Load(measured_at=NOON, cpu_percent=12.5),
    tasks=("detector",),
    started_at=NOON,
)


def died(node: NodeReading, *, ended_at: datetime) -> NodeReading:
    facts = replace(node.facts, alive=False, death_reason="health check failed")
    return replace(node, facts=facts, ended_at=ended_at)


def read(
    *nodes: NodeReading,
    now: datetime = NOON,
    clock: UsageClock | None = None,
    reports: Mapping[str, NodeReport] | None = None,
) -> list[Node]:
    measured = (clock or UsageClock()).observe(nodes, now)
    return external_nodes(
        "ray_cluster_001",
        nodes,
        measured_at=measured,
        id_of=lambda node_id: f"ray_node_{node_id[:2]}",
        reports=reports or {},
        now=now,
    )


def test_a_node_of_another_cluster_is_read_by_the_same_rules_as_our_own() -> None:
    (node,) = read(EDGE)

    assert node.key == f"ray_cluster_001/{'aa' * 14}"
    assert node.id == "ray_node_aa"
    assert node.source is NodeSource.EXTERNAL
    assert node.name == "edge-2"
    assert node.connection is ConnectionType.WIRELESS
    assert node.resources.cpu_cores == 4
    assert node.resources.memory_bytes == 2 * GIB
    assert node.tasks == ("detector",)
    assert node.load == EDGE.load
    assert node.last_report == NOON
    assert node.state is NodeState.ALIVE
    assert node.work.reason is not None
    assert node.work.reason.code is ReasonCode.NOT_REPORTED_YET


def test_its_work_status_is_what_its_monitor_says() -> None:
    report = NodeReport(
        node_id=EDGE.facts.node_id,
        work=WorkReport(status=WorkStatus.SENDING),
        monitor=MonitorView(reachable=True, port=8000),
        load=None,
    )

    (node,) = read(EDGE, reports={EDGE.facts.node_id: report})

    assert node.work.status is WorkStatus.SENDING
    assert node.monitor.reachable is True


def test_the_load_is_what_was_measured_last_by_the_dashboard_or_by_our_own_agent() -> None:
    def told(seconds: float) -> dict[str, NodeReport]:
        load = Load(measured_at=after(seconds), cpu_percent=99)
        node_id = EDGE.facts.node_id
        report = NodeReport(node_id=node_id, work=WorkReport(), monitor=MonitorView(), load=load)
        return {node_id: report}

    (newer,) = read(EDGE, reports=told(1), now=after(1))
    (older,) = read(EDGE, reports=told(-1))
    (only,) = read(replace(EDGE, load=None), reports=told(0))
    (silent,) = read(replace(EDGE, load=None), reports=told(0), now=after(16))

    assert newer.load is not None
    assert (newer.load.cpu_percent, newer.last_report) == (99, after(1))
    assert older.load == EDGE.load
    assert only.load is not None
    assert only.load.cpu_percent == 99
    assert (silent.state, silent.load) == (NodeState.STALE, None)


def test_usage_that_stopped_moving_is_not_shown_and_the_node_is_stale() -> None:
    clock = UsageClock()
    read(EDGE, clock=clock)

    (fresh,) = read(EDGE, now=after(14), clock=clock)
    (old,) = read(EDGE, now=after(16), clock=clock)

    assert fresh.load is not None
    assert old.load is None
    assert old.state is NodeState.STALE
    assert old.state_reason is not None
    assert old.state_reason.code is ReasonCode.REPORTS_STOPPED
    assert old.last_report == NOON


def test_usage_that_moves_again_is_shown_again() -> None:
    clock = UsageClock()
    read(EDGE, clock=clock)
    read(EDGE, now=after(60), clock=clock)
    renewed = replace(EDGE, load=Load(measured_at=after(61), cpu_percent=50))

    (node,) = read(renewed, now=after(62), clock=clock)

    assert node.state is NodeState.ALIVE
    assert node.load == Load(measured_at=after(62), cpu_percent=50)


def test_a_node_whose_clock_is_wrong_is_as_fresh_as_its_measurements() -> None:
    clock = UsageClock()
    slow_clock = replace(EDGE, load=Load(measured_at=after(-3600)))
    moved_on = replace(EDGE, load=Load(measured_at=after(-3595)))
    ahead = replace(EDGE, load=Load(measured_at=after(3600)))

    (first,) = read(slow_clock, clock=clock)
    (second,) = read(moved_on, now=after(5), clock=clock)
    (third,) = read(ahead)

    assert first.load is None
    assert second.load is not None
    assert second.load.measured_at == after(5)
    assert third.load is not None
    assert third.load.measured_at == NOON


def test_a_node_that_nobody_measured_yet_is_alive_without_usage() -> None:
    (node,) = read(replace(EDGE, load=None))

    assert node.state is NodeState.ALIVE
    assert node.load is None


def test_a_dead_node_says_why_and_shows_no_usage() -> None:
    (node,) = read(died(EDGE, ended_at=NOON), now=after(30))

    assert node.state is NodeState.DEAD
    assert node.state_reason is not None
    assert "health check failed" in node.state_reason.detail
    assert node.load is None
    assert node.tasks == ()


def test_a_node_that_died_long_ago_is_not_shown() -> None:
    assert read(died(EDGE, ended_at=NOON), now=after(3601)) == []


def test_a_dead_node_with_another_in_its_place_is_not_shown() -> None:
    dead = died(EDGE, ended_at=after(5))
    restarted = replace(
        EDGE, facts=replace(EDGE.facts, node_id="bb" * 14), load=None, started_at=after(8)
    )
    neighbour = replace(
        restarted, facts=replace(restarted.facts, node_id="cc" * 14, address="10.0.0.3")
    )

    assert [n.id for n in read(dead, restarted, now=after(10))] == ["ray_node_bb"]
    assert [n.id for n in read(dead, neighbour, now=after(10))] == ["ray_node_aa", "ray_node_cc"]


def test_a_node_that_was_back_before_ray_noticed_its_death_is_shown_once() -> None:
    dead = died(EDGE, ended_at=after(60))
    restarted = replace(
        EDGE, facts=replace(EDGE.facts, node_id="bb" * 14), load=None, started_at=after(8)
    )

    assert [n.id for n in read(dead, restarted, now=after(61))] == ["ray_node_bb"]


def test_a_dead_node_beside_an_old_namesake_is_shown() -> None:
    dead = died(EDGE, ended_at=after(600))
    neighbour = replace(EDGE, facts=replace(EDGE.facts, node_id="bb" * 14), load=None)

    assert len(read(dead, neighbour, now=after(601))) == 2


def test_of_a_lost_clusters_nodes_nothing_measured_is_left_and_the_dead_stay_dead() -> None:
    facts = replace(EDGE.facts, node_id="dd" * 14, address="10.0.0.9", alive=False)
    gone = replace(EDGE, facts=facts)
    nodes = read(EDGE, replace(gone, ended_at=NOON))
    lost = Reason(code=ReasonCode.CLUSTER_LOST, detail="Nobody answers.")

    stale, dead = lost_nodes(nodes, lost)

    assert stale.state is NodeState.STALE
    assert stale.load is None
    assert stale.work.reason == lost
    assert stale.last_report == NOON
    assert dead == nodes[1]
