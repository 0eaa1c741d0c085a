"""What the registry makes of what it hears of nodes and clusters."""

from __future__ import annotations

import pytest

from castray.core.events import (
    ClusterForgotten,
    ClusterObserved,
    PollerFailed,
    TasksObserved,
    TimePassed,
)
from castray.core.membership import (
    FIRST_REPORT_WITHIN_S,
    HEARTBEATS_PER_S,
    STALE_AFTER_HEARTBEATS,
)
from castray.models import Cluster, ClusterState, NodeSource, NodeState, ReasonCode, WorkStatus
from tests.core.given import NOON, later, members, node, node_facts, reported
from tests.core.registries import registry_after, shown

STALE_AFTER_S = float(STALE_AFTER_HEARTBEATS)
"""Of a cluster whose heartbeat is a second."""


def test_a_new_node_is_alive_and_says_that_nothing_was_reported_yet() -> None:
    registry = registry_after(members("m1"))

    found = shown(registry)["m1"]
    assert (found.name, found.state) == ("M1", NodeState.ALIVE)
    assert found.work.status is WorkStatus.UNKNOWN
    assert found.work.reason is not None
    assert found.work.reason.code is ReasonCode.NOT_REPORTED_YET
    assert found.load is None


def test_a_report_is_taken_over_as_it_is() -> None:
    registry = registry_after(members("m1", "m2"))

    event = reported("m1", task="frames")

    registry.apply(event, later(1))

    found = shown(registry)
    assert found["m1"].work == event.report.work
    assert found["m1"].monitor == event.report.monitor
    assert found["m1"].load == event.report.load
    assert found["m1"].last_report == later(1)
    assert found["m2"].last_report is None


def test_what_is_heard_of_a_node_survives_the_next_look_at_the_membership() -> None:
    registry = registry_after(members("m1"), reported("m1"))

    changed = registry.apply(members("m1"), later(1))

    assert not changed
    assert shown(registry)["m1"].work.status is WorkStatus.DETECTING


def test_a_report_of_a_node_that_ray_does_not_show_is_left_out() -> None:
    registry = registry_after(members("m1"))

    assert not registry.apply(reported("m9"), NOON)


def test_a_node_that_falls_silent_is_stale_and_nothing_of_it_is_believed() -> None:
    registry = registry_after(members("m1"), reported("m1"))

    assert not registry.apply(TimePassed(), later(STALE_AFTER_S))
    assert registry.apply(TimePassed(), later(STALE_AFTER_S + 0.1))

    found = shown(registry)["m1"]
    assert found.state is NodeState.STALE
    assert found.work.reason is not None
    assert found.work.reason.code is ReasonCode.REPORTS_STOPPED
    assert (found.work.status, found.load) == (WorkStatus.UNKNOWN, None)
    assert found.monitor.reachable is None
    assert found.last_report == NOON


def test_a_new_node_has_longer_before_its_first_report() -> None:
    registry = registry_after(members("m1"))

    assert not registry.apply(TimePassed(), later(FIRST_REPORT_WITHIN_S))
    assert registry.apply(TimePassed(), later(FIRST_REPORT_WITHIN_S + 0.1))


def test_the_more_nodes_the_longer_each_may_be_silent() -> None:
    names = [f"m{number}" for number in range(2 * HEARTBEATS_PER_S)]
    registry = registry_after(members(*names), *map(reported, names))
    assert registry.heartbeat_s == 2

    assert not registry.apply(TimePassed(), later(2 * STALE_AFTER_S))
    assert registry.apply(TimePassed(), later(2 * STALE_AFTER_S + 0.1))

    assert {node.state for node in shown(registry).values()} == {NodeState.STALE}


def test_who_was_told_of_a_long_heartbeat_has_its_time_when_the_others_have_gone() -> None:
    names = [f"m{number}" for number in range(2 * HEARTBEATS_PER_S)]
    registry = registry_after(members(*names), *map(reported, names))

    registry.apply(members("m1"), later(1))

    assert registry.heartbeat_s == 1
    assert not registry.apply(TimePassed(), later(STALE_AFTER_S + 1))
    registry.apply(reported("m1"), later(STALE_AFTER_S + 1))
    assert registry.apply(TimePassed(), later(2 * STALE_AFTER_S + 1.1))


@pytest.mark.parametrize(("nodes", "patience_s"), [(1, 10), (10 * HEARTBEATS_PER_S, 30)])
def test_a_poller_is_started_again_after_a_silence_that_is_no_heartbeat(
    nodes: int, patience_s: float
) -> None:
    registry = registry_after(members(*map(str, range(nodes))), reported("0"))
    found = shown(registry)["0"]

    assert not registry.lacks_poller(found, later(patience_s))
    assert registry.lacks_poller(found, later(patience_s + 0.1))


def test_only_the_silent_one_of_two_nodes_is_stale() -> None:
    registry = registry_after(members("m1", "m2"), reported("m1"), reported("m2"))
    registry.apply(reported("m1"), later(2))

    registry.apply(TimePassed(), later(STALE_AFTER_S + 0.1))

    assert shown(registry)["m1"].state is NodeState.ALIVE
    assert shown(registry)["m2"].state is NodeState.STALE


def test_a_clock_that_is_set_back_hides_no_silence() -> None:
    registry = registry_after(members("m1", "m2"))
    for name in ("m1", "m2"):
        registry.apply(reported(name), later(3600))

    registry.apply(TimePassed(), later(1))
    registry.apply(TimePassed(), later(1 + STALE_AFTER_S + 0.1))

    assert {node.state for node in shown(registry).values()} == {NodeState.STALE}


def test_what_ray_says_anew_of_a_node_is_shown_and_its_report_is_kept() -> None:
    registry = registry_after(members("m1"), reported("m1", WorkStatus.DETECTING))

    changed = registry.apply(members(node_facts("m1", labels={"castray.io/name": "gate"})), NOON)

    found = shown(registry)["m1"]
    assert changed
    assert (found.name, found.work.status) == ("gate", WorkStatus.DETECTING)


def test_tasks_that_ended_are_told_no_more() -> None:
    registry = registry_after(members("m1"), TasksObserved((("m1", "tracker"),), ()))

    changed = registry.apply(TasksObserved((), ()), NOON)

    assert changed
    assert shown(registry)["m1"].tasks == ()


def test_a_stale_node_that_reports_is_alive_again() -> None:
    registry = registry_after(members("m1"), reported("m1"))
    registry.apply(TimePassed(), later(10))

    registry.apply(reported("m1", WorkStatus.IDLE), later(11))

    found = shown(registry)["m1"]
    assert (found.state, found.state_reason) == (NodeState.ALIVE, None)
    assert found.work.status is WorkStatus.IDLE


def test_a_poller_that_does_not_start_is_told_with_its_reason() -> None:
    registry = registry_after(members("m1"), PollerFailed("m1", "no space left."))

    found = shown(registry)["m1"]
    assert found.state is NodeState.STALE
    assert found.state_reason is not None
    assert "no space left" in found.state_reason.detail


def test_tasks_are_told_by_node_and_by_address() -> None:
    registry = registry_after(members("m1", node_facts("m2", address="10.0.0.2")))

    registry.apply(TasksObserved((("m1", "tracker"),), (("10.0.0.2", "training"),)), NOON)

    assert shown(registry)["m1"].tasks == ("tracker",)
    assert shown(registry)["m2"].tasks == ("training",)


def test_an_external_cluster_comes_and_goes_with_its_nodes() -> None:
    registry = registry_after(members("m1"))
    external = Cluster(
        id="lab", name="lab", source=NodeSource.EXTERNAL, state=ClusterState.CONNECTED
    )

    registry.apply(ClusterObserved(external, (node("x1", "lab"), node("x2", "lab"))), NOON)
    registry.apply(ClusterObserved(external, (node("x2", "lab"),)), NOON)
    assert shown(registry).keys() == {"m1", "x2"}

    registry.apply(members("m1"), later(1))
    registry.apply(TimePassed(), later(2))
    assert shown(registry).keys() == {"m1", "x2"}

    registry.apply(ClusterForgotten("lab"), later(3))
    assert shown(registry).keys() == {"m1"}
    assert registry.snapshot().clusters == ()


def test_an_external_cluster_of_which_nobody_speaks_is_lost_until_somebody_does() -> None:
    external = Cluster(
        id="lab", name="lab", source=NodeSource.EXTERNAL, state=ClusterState.CONNECTED, node_count=1
    )
    spoken = ClusterObserved(external, (node("x1", "lab", state=NodeState.ALIVE),))
    registry = registry_after(spoken)

    registry.apply(TimePassed(), later(5))
    [before] = registry.snapshot().clusters
    registry.apply(TimePassed(), later(7))
    [silent] = registry.snapshot().clusters
    silent_node = shown(registry)["x1"]
    registry.apply(spoken, later(8))

    assert before == external
    assert (silent.state, silent.last_seen, silent.node_count) == (ClusterState.LOST, NOON, None)
    assert "connector" in silent.state_reason.detail if silent.state_reason else False
    assert silent_node.state is NodeState.STALE
    assert registry.snapshot().clusters == (external,)


def test_only_living_home_nodes_want_a_poller() -> None:
    external = Cluster(
        id="lab", name="lab", source=NodeSource.EXTERNAL, state=ClusterState.CONNECTED
    )
    registry = registry_after(
        members("m1", node_facts("m2", alive=False)),
        ClusterObserved(external, (node("x1", "lab"),)),
    )

    assert [n.node_id for n in registry.live_nodes()] == ["m1"]
