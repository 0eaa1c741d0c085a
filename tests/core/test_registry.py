from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from castray.core.events import (
    ClusterForgotten,
    ClusterObserved,
    PollerFailed,
    TasksObserved,
    TimePassed,
)
from castray.core.registry import (
    DEAD_NODE_RETENTION_S,
    FIRST_REPORT_WITHIN_S,
    STALE_AFTER_S,
    RegistryState,
)
from castray.core.replica import Replica
from castray.core.versioned import Version
from castray.models import (
    Cluster,
    ClusterState,
    NodeSource,
    NodeState,
    ReasonCode,
    WorkStatus,
)
from tests.core.given import NOON, home_cluster, key_of, later, members, node, node_facts, reported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from castray.core.events import Event
    from castray.models import Node


def registry_after(*events: Event) -> RegistryState:
    registry = RegistryState(epoch=1)
    for event in events:
        registry.apply(event, NOON)
    return registry


def shown(registry: RegistryState) -> dict[str, Node]:
    return {n.node_id: n for n in registry.snapshot().nodes}


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


def test_a_dead_node_keeps_its_name_and_nothing_that_was_measured() -> None:
    registry = registry_after(members(node_facts("m1", is_head=True)), reported("m1"))

    registry.apply(members(node_facts("m1", alive=False, death_reason="killed")), later(1))

    found = shown(registry)["m1"]
    assert (found.name, found.state, found.is_head) == ("M1", NodeState.DEAD, True)
    assert found.resources.cpu_cores == 4.0
    assert (found.work.status, found.load, found.tasks) == (WorkStatus.UNKNOWN, None, ())
    assert found.state_reason is not None
    assert "killed" in found.state_reason.detail


def test_a_late_report_does_not_wake_the_dead() -> None:
    registry = registry_after(members("m1"), members(node_facts("m1", alive=False)))

    assert not registry.apply(reported("m1"), later(1))
    assert shown(registry)["m1"].state is NodeState.DEAD


def test_a_machine_that_came_back_is_shown_once() -> None:
    registry = registry_after(members("m1"))
    dead = node_facts("m1", alive=False)
    registry.apply(members(dead), later(1))

    registry.apply(members(dead, node_facts("m2", resources={"M1": 1.0})), later(2))

    assert [(n.node_id, n.name) for n in registry.snapshot().nodes] == [("m2", "M1")]


def test_another_machine_at_the_same_address_replaces_nothing() -> None:
    registry = registry_after(members("m1"))
    dead = node_facts("m1", alive=False)

    registry.apply(members(dead, node_facts("m2")), later(2))

    assert shown(registry).keys() == {"m1", "m2"}


def test_a_namesake_that_was_there_all_along_replaces_nothing() -> None:
    twin = node_facts("m2", resources={"M1": 1.0})
    registry = registry_after(members("m1", twin))

    registry.apply(members(node_facts("m1", alive=False), twin), later(1))

    assert shown(registry).keys() == {"m1", "m2"}


def test_a_machine_that_came_back_before_ray_noticed_its_death_is_shown_once() -> None:
    silent = node_facts("m1", host_name="edge")
    back = node_facts("m2", host_name="edge", resources={"M1": 1.0})
    registry = registry_after(members(silent), reported("m1"))

    registry.apply(members(silent, back), later(5))
    assert shown(registry).keys() == {"m2"}

    registry.apply(members(node_facts("m1", host_name="edge", alive=False), back), later(14))
    assert shown(registry).keys() == {"m2"}


def test_a_namesake_that_joins_a_living_node_replaces_nothing() -> None:
    twin = node_facts("m2", resources={"M1": 1.0})
    registry = registry_after(members("m1"), reported("m1"))

    registry.apply(members("m1", twin), later(1))
    registry.apply(reported("m1"), later(2))
    registry.apply(members(node_facts("m1", alive=False), twin), later(10))

    assert shown(registry).keys() == {"m1", "m2"}


def test_a_replaced_node_that_speaks_again_is_shown_again() -> None:
    twin = node_facts("m2", resources={"M1": 1.0})
    registry = registry_after(members("m1"), reported("m1"), members("m1"))
    registry.apply(members("m1", twin), later(10))

    registry.apply(reported("m1"), later(11))
    registry.apply(members("m1", twin), later(12))

    assert shown(registry).keys() == {"m1", "m2"}


def test_one_that_died_before_the_registry_heard_of_it_gives_way_to_one_that_speaks() -> None:
    back = node_facts("m2", resources={"M1": 1.0})
    registry = registry_after(members("m1", back), reported("m2"))

    registry.apply(members("m1", back), later(1))
    registry.apply(members(node_facts("m1", alive=False), back), later(10))

    assert shown(registry).keys() == {"m2"}


def test_one_that_died_before_the_registry_began_is_not_shown_beside_its_successor() -> None:
    dead = node_facts("m1", alive=False, host_name="edge")

    registry = registry_after(members(dead, node_facts("m2", host_name="edge")))

    assert shown(registry).keys() == {"m2"}


def test_the_dead_are_forgotten_in_the_end() -> None:
    dead = node_facts("m1", alive=False)
    registry = registry_after(members("m1"), members(dead))

    registry.apply(members(dead), later(DEAD_NODE_RETENTION_S))
    assert shown(registry).keys() == {"m1"}

    registry.apply(members(dead), later(DEAD_NODE_RETENTION_S + 1))
    assert shown(registry) == {}


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


NAMES = ("m1", "m2", "m3")
EVENTS = st.one_of(
    st.lists(st.tuples(st.sampled_from(NAMES), st.booleans()), unique_by=lambda row: row[0]).map(
        lambda rows: members(*(node_facts(name, alive=alive) for name, alive in rows))
    ),
    st.builds(reported, st.sampled_from(NAMES), st.sampled_from(list(WorkStatus))),
    st.builds(lambda name: PollerFailed(name, "no space"), st.sampled_from(NAMES)),
    st.builds(lambda n: TasksObserved(((n, "task"),)), st.sampled_from(NAMES)),
    st.builds(lambda n: ClusterObserved(home_cluster({"CPU": (8, n)})), st.integers(0, 8)),
    st.just(TimePassed()),
)


@given(st.lists(st.tuples(EVENTS, st.floats(0, 4), st.booleans()), max_size=25))
@settings(max_examples=100, deadline=None)
def test_a_replica_that_merges_what_changed_equals_the_registry(
    steps: Sequence[tuple[Event, float, bool]],
) -> None:
    registry, replica, now = RegistryState(1), Replica(), NOON
    for event, passed_s, is_read in steps:
        before, now = registry.version, now + (later(passed_s) - NOON)
        assert registry.apply(event, now) == (registry.version != before)
        if is_read:
            since = None if replica.version is None else Version.parse(replica.version)
            replica.merge(registry.changes_since(since), now)

    since = None if replica.version is None else Version.parse(replica.version)
    replica.merge(registry.changes_since(since), now)

    view = replica.view()
    assert view is not None
    assert view.version == str(registry.version)
    assert sorted(view.nodes, key=lambda n: n.key) == sorted(
        registry.snapshot().nodes, key=lambda n: n.key
    )
    assert view.clusters == registry.snapshot().clusters


@given(st.lists(st.tuples(EVENTS, st.floats(0, 4)), max_size=25))
@settings(max_examples=100, deadline=None)
def test_nothing_is_shown_of_a_node_that_nobody_vouches_for(
    steps: Sequence[tuple[Event, float]],
) -> None:
    registry, now = RegistryState(1), NOON
    for event, passed_s in steps:
        now += later(passed_s) - NOON
        registry.apply(event, now)

    for found in registry.snapshot().nodes:
        if found.state is not NodeState.ALIVE:
            assert found.state_reason is not None
            assert found.load is None
            assert found.work.status is WorkStatus.UNKNOWN
        elif found.work.status is WorkStatus.UNKNOWN and found.last_report is None:
            assert found.work.reason is not None


def test_versions_never_go_back_over_a_restart() -> None:
    first = registry_after(members("m1"), reported("m1"))

    second = RegistryState(epoch=2)

    assert second.version > first.version
    assert second.changes_since(first.version).since is None


def test_a_node_that_ray_no_longer_lists_is_gone_and_new_when_it_returns() -> None:
    registry = registry_after(members("m1"), reported("m1"), members())
    assert registry.changes_since(Version(1, 1)).nodes.removed == (key_of("m1"),)

    registry.apply(members("m1"), later(1))

    assert shown(registry)["m1"].last_report is None
