"""Whatever happens: who merges what changed has what the registry has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from castray.core.events import ClusterObserved, PollerFailed, TasksObserved, TimePassed
from castray.core.registry import RegistryState
from castray.core.replica import Replica
from castray.core.versioned import Version
from castray.models import NodeState, WorkStatus
from tests.core.given import NOON, home_cluster, later, members, node_facts, reported
from tests.core.registries import registry_after

if TYPE_CHECKING:
    from collections.abc import Sequence

    from castray.core.events import Event

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
