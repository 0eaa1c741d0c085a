from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from castray.cast_models import CastState
from castray.core.events import CastChanged, ClusterObserved, TimePassed
from castray.core.registry import RegistryState
from castray.core.replica import Replica, View
from castray.core.versioned import Version
from castray.errors import AmbiguousNameError, InvalidRequestError, NotFoundError
from castray.models import ClusterState, NodeState, ReasonCode, WorkStatus
from tests.core.given import (
    NOON,
    cast_to,
    home_cluster,
    later,
    members,
    node,
    node_facts,
    reported,
)

if TYPE_CHECKING:
    from castray.core.events import Event


def replica_of(registry: RegistryState) -> Replica:
    replica = Replica()
    replica.merge(registry.changes_since(None), NOON)
    return replica


def view_of(*names: str, cluster: str = "home") -> View:
    nodes = tuple(node(name, cluster) for name in names)
    return View(version="1.1", as_of=NOON, feed_lost_since=None, nodes=nodes, clusters=())


@pytest.fixture
def registry() -> RegistryState:
    registry = RegistryState(epoch=1)
    registry.apply(members("m1", "m2"), NOON)
    registry.apply(reported("m1"), NOON)
    return registry


def test_it_has_nothing_before_the_first_changes() -> None:
    replica = Replica()

    assert replica.version is None
    assert replica.view() is None


def test_it_says_whether_readers_are_shown_anything_new(registry: RegistryState) -> None:
    replica = Replica()

    assert replica.merge(registry.changes_since(None), NOON)
    assert not replica.merge(registry.changes_since(registry.version), later(1))


def test_another_load_is_no_news(registry: RegistryState) -> None:
    replica = replica_of(registry)
    assert replica.news_version == "1.2"

    registry.apply(reported("m1", task="the next batch"), later(1))
    assert replica.merge(registry.changes_since(Version(1, 2)), later(1))

    assert (replica.version, replica.news_version) == ("1.3", "1.2")


@pytest.mark.parametrize(
    "event",
    [
        reported("m1", WorkStatus.SENDING),
        TimePassed(),
        members("m2"),
        members("m1", "m2", "m3"),
        ClusterObserved(home_cluster()),
        CastChanged(cast_to("m2", source="m1")),
    ],
    ids=["another status", "silence", "a node that left", "a new node", "a new cluster", "a cast"],
)
def test_what_people_wait_for_is_news(registry: RegistryState, event: Event) -> None:
    replica = replica_of(registry)

    registry.apply(event, later(60))
    replica.merge(registry.changes_since(Version(1, 2)), later(60))

    assert replica.news_version == replica.version == "1.3"


def test_changes_that_begin_elsewhere_are_refused(registry: RegistryState) -> None:
    replica = replica_of(registry)
    registry.apply(reported("m2"), later(1))
    registry.apply(reported("m1", WorkStatus.IDLE), later(2))

    with pytest.raises(InvalidRequestError, match="ask for everything"):
        replica.merge(registry.changes_since(Version(1, 3)), later(2))


def test_a_view_is_the_same_object_until_something_changes(registry: RegistryState) -> None:
    replica = replica_of(registry)
    first = replica.view()
    replica.merge(registry.changes_since(registry.version), later(1))
    assert replica.view() is first

    registry.apply(reported("m2"), later(2))
    replica.merge(registry.changes_since(Version(1, 2)), later(2))

    assert replica.view() is not first


def test_the_head_comes_first_and_external_clusters_last() -> None:
    registry = RegistryState(epoch=1)
    registry.apply(members("m3", node_facts("m2", is_head=True), "m1"), NOON)

    view = replica_of(registry).view()

    assert view is not None
    assert [n.node_id for n in view.nodes] == ["m2", "m1", "m3"]


def test_the_newest_cast_comes_first(registry: RegistryState) -> None:
    for seconds in (1, 3, 2):
        cast = cast_to("m2", id_=str(seconds), created=later(seconds))
        registry.apply(CastChanged(cast), later(3))

    view = replica_of(registry).view()

    assert view is not None
    assert [cast.id for cast in view.casts] == ["3", "2", "1"]


def test_more_bytes_of_a_cast_are_no_news(registry: RegistryState) -> None:
    registry.apply(CastChanged(cast_to("m2", state=CastState.RUNNING)), later(1))
    replica = replica_of(registry)

    registry.apply(CastChanged(cast_to("m2", state=CastState.RUNNING, bytes_done=9)), later(2))
    replica.merge(registry.changes_since(Version(1, 3)), later(2))

    assert (replica.version, replica.news_version) == ("1.4", "1.3")


def test_while_the_feed_is_lost_nothing_counts_as_known(registry: RegistryState) -> None:
    registry.apply(members("m1", node_facts("m2", alive=False)), NOON)
    replica = replica_of(registry)

    replica.lose_feed(later(1))

    view = replica.view()
    assert view is not None
    alive, dead = view.nodes
    assert view.feed_lost_since == later(1)
    assert alive.state is NodeState.STALE
    assert alive.work.status is WorkStatus.UNKNOWN
    assert alive.work.reason is not None
    assert alive.work.reason.code is ReasonCode.FEED_LOST
    assert (alive.load, alive.monitor.reachable) == (None, None)
    assert dead.state is NodeState.DEAD


def test_while_the_feed_is_lost_the_clusters_are_too() -> None:
    registry = RegistryState(epoch=1)
    registry.apply(ClusterObserved(home_cluster({"CPU": (8, 4)})), NOON)
    replica = replica_of(registry)

    replica.lose_feed(later(1))

    view = replica.view()
    assert view is not None
    assert view.home is not None
    assert (view.home.state, view.home.resources) == (ClusterState.LOST, {})


def test_what_changed_is_told_as_it_was_even_while_the_feed_is_lost(
    registry: RegistryState,
) -> None:
    replica = replica_of(registry)
    before = replica.changes_since(None)

    replica.lose_feed(later(1))

    assert replica.changes_since(None) == before


def test_any_answer_ends_the_loss(registry: RegistryState) -> None:
    replica = replica_of(registry)
    known = replica.view()
    replica.lose_feed(later(1))

    assert replica.merge(registry.changes_since(registry.version), later(9))

    view = replica.view()
    assert view is not None
    assert known is not None
    assert view.feed_lost_since is None
    assert view.nodes == known.nodes


@pytest.mark.parametrize("name", ["m1", "M1", "home/m1"])
def test_a_node_is_found_by_id_name_or_key(name: str) -> None:
    assert view_of("m1", "m2").find_node(name).node_id == "m1"


def test_a_long_node_id_is_found_by_its_end_too() -> None:
    view = view_of("aaaaaaaa00000001", "aaaaaaaa00000002")

    assert view.find_node("00000002").node_id == "aaaaaaaa00000002"
    assert view.find_node("aaaaaaaa00000002").node_id == "aaaaaaaa00000002"


def test_a_name_that_nobody_has_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="There is no node 'm9'"):
        view_of("m1").find_node("m9")


def test_a_name_that_several_have_is_ambiguous() -> None:
    view = View("1.1", NOON, None, (node("m1"), node("m2", "lab", name="M1")), ())

    with pytest.raises(AmbiguousNameError) as caught:
        view.find_node("M1")

    assert caught.value.keys == ("home/m1", "lab/m2")
