from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import example, given, settings
from hypothesis import strategies as st

from castray.cast_models import CastState
from castray.core.state import MAX_ENDED_CASTS, MAX_NOTICES, VersionedState
from castray.core.versioned import Version
from castray.models import Notice, NoticeType
from tests.core.given import NOON, cast_to, home_cluster, later, node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from castray.changes import Changes
    from castray.models import Node


def notice(key: str) -> Notice:
    return Notice(key=key, type=NoticeType.CONNECTED, at=NOON, message="Connected", message_zh="")


class Client:
    """Applies changes the way that the page does: by key, knowing nothing of versions."""

    def __init__(self) -> None:
        self.version: Version | None = None
        self.nodes: dict[str, Node] = {}

    def apply(self, changes: Changes) -> None:
        assert changes.since in (None, str(self.version))
        if changes.since is None:
            self.nodes = {}
        self.nodes.update({n.key: n for n in changes.nodes.changed})
        for key in changes.nodes.removed:
            self.nodes.pop(key, None)
        self.version = Version.parse(changes.version)


def nodes_of(state: VersionedState) -> dict[str, Node]:
    return dict(state.nodes.items())


def test_records_that_are_the_same_change_nothing() -> None:
    state = VersionedState(Version(1, 0))
    state.update(nodes=[node("m1")], clusters=[home_cluster()])

    changed = state.update(nodes=[node("m1")], clusters=[home_cluster()], removed_nodes=["gone"])

    assert not changed
    assert state.version == Version(1, 1)


def test_one_update_is_one_version() -> None:
    state = VersionedState(Version(1, 0))

    state.update(nodes=[node("m1"), node("m2")], clusters=[home_cluster()])

    assert state.version == Version(1, 1)
    changes = state.changes_since(Version(1, 0))
    assert [n.node_id for n in changes.nodes.changed] == ["m1", "m2"]
    assert changes.clusters.changed == (home_cluster(),)


def test_a_version_of_another_epoch_or_of_the_future_gets_everything() -> None:
    state = VersionedState(Version(2, 0))
    state.update(nodes=[node("m1")])

    for version in (Version(1, 1), Version(2, 2), Version(3, 0), None):
        assert state.changes_since(version).since is None
        assert state.changes_since(version).nodes.changed == (node("m1"),)


def test_a_merged_copy_knows_nothing_of_the_time_before_it() -> None:
    source, copy = VersionedState(Version(1, 0)), VersionedState(Version(0, 0))
    source.update(nodes=[node("m1")])
    source.update(nodes=[node("m2")])

    copy.merge(source.changes_since(None))

    assert copy.changes_since(Version(1, 1)).since is None
    assert copy.changes_since(Version(1, 2)).since == "1.2"


def test_only_so_many_notices_are_kept() -> None:
    state = VersionedState(Version(1, 0))

    for number in range(MAX_NOTICES + 3):
        state.update(notices=[notice(str(number))])

    assert [n.key for n in state.notices.values()] == [str(i + 3) for i in range(MAX_NOTICES)]
    assert state.changes_since(Version(1, MAX_NOTICES)).notices.removed == ("0", "1", "2")


def test_all_casts_that_go_on_are_kept_and_of_those_that_ended_the_newest() -> None:
    state = VersionedState(Version(1, 0))
    running = cast_to("m1", id_="running")
    ended = [
        cast_to("m1", id_=str(i), state=CastState.COMPLETED, created=later(i), ended=later(i))
        for i in range(1, MAX_ENDED_CASTS + 3)
    ]

    for cast in [running, *ended]:
        state.update(casts=[cast])

    kept = [cast.id for cast in state.casts.values()]
    assert kept == ["running", *(cast.id for cast in ended[2:])]
    assert state.changes_since(Version(1, 1)).casts.removed == ("1", "2")


def test_a_cast_that_ended_before_all_that_are_kept_is_not_taken_up() -> None:
    state = VersionedState(Version(1, 0))
    for i in range(MAX_ENDED_CASTS):
        state.update(casts=[cast_to("m1", id_=f"new-{i}", created=later(9), ended=later(9))])

    changed = state.update(casts=[cast_to("m1", id_="old", created=NOON, ended=NOON)])

    assert not changed
    assert len(state.casts) == MAX_ENDED_CASTS


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "remove", "copy", "read", "restart"]),
        st.integers(0, 2),
        st.integers(0, 3),
    ),
    max_size=30,
)


@given(STEPS)
@example([("copy", 0, 0), ("put", 0, 0), ("read", 0, 0), ("remove", 0, 0)])
@settings(max_examples=150, deadline=None)
def test_a_copy_leads_every_client_to_what_the_source_knows(
    steps: Sequence[tuple[str, int, int]],
) -> None:
    source, copy = VersionedState(Version(1, 0)), VersionedState(Version(0, 0))
    clients = [Client(), Client(), Client()]
    for action, which, value in steps:
        if action == "put":
            source.update(nodes=[node(f"m{which}", name=str(value))])
        elif action == "remove":
            source.update(removed_nodes=[node(f"m{which}").key])
        elif action == "restart":
            source = VersionedState(Version(source.version.epoch + 1, 0))
        elif action == "copy":
            copy.merge(source.changes_since(copy.version))
        else:  # a client that reads from the source itself sees versions that the copy skips
            clients[which].apply(source.changes_since(clients[which].version))

    copy.merge(source.changes_since(copy.version))

    assert copy.snapshot() == source.snapshot()
    for client in clients:
        client.apply(copy.changes_since(client.version))
        assert client.nodes == nodes_of(source)
        assert client.version == source.version
