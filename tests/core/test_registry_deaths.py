"""Nodes that die, machines that come back as new nodes, and namesakes that are neither."""

from __future__ import annotations

from castray.core.membership import DEAD_NODE_RETENTION_S
from castray.core.versioned import Version
from castray.models import NodeState, WorkStatus
from tests.core.given import key_of, later, members, node_facts, reported
from tests.core.registries import registry_after, shown


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


def test_a_node_that_ray_no_longer_lists_is_gone_and_new_when_it_returns() -> None:
    registry = registry_after(members("m1"), reported("m1"), members())
    assert registry.changes_since(Version(1, 1)).nodes.removed == (key_of("m1"),)

    registry.apply(members("m1"), later(1))

    assert shown(registry)["m1"].last_report is None
