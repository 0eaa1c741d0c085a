from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from castray.cast_models import Cast, CastRequest, CastSource, CastState, CastTarget
from castray.core.casting import find_node, parse_selector, plan_targets, plan_turns
from castray.errors import AmbiguousNameError, InvalidRequestError, NotFoundError
from castray.models import Node, NodeSource, NodeState

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
QUEUED, RUNNING = CastState.QUEUED, CastState.RUNNING


def node(name: str, cluster: str = "home", **facts: Any) -> Node:
    node_id = name.lower() * 10
    fields = {
        "key": f"{cluster}/{node_id}",
        "id": node_id[-8:],
        "cluster": cluster,
        "source": NodeSource.HOME,
        "node_id": node_id,
        "name": name,
        "host_name": "edge",
        "address": "10.0.0.1",
        "is_head": False,
        "state": NodeState.ALIVE,
    }
    return Node(**{**fields, **facts})


HEAD, M1, M2, C1 = node("head"), node("M1"), node("M2"), node("C1")
FAR = node("M9", cluster="plant2", labels={"castray.io/name": "M9", "line": "b"})
DEAD = node("M3", state=NodeState.DEAD)
NODES = [HEAD, M1, M2, C1, FAR, DEAD]


def request(targets: Any) -> CastRequest:
    return CastRequest(source=CastSource(node="head", path="a"), destination="b/", targets=targets)


def names(targets: Any) -> list[str]:
    return [target.name for target in plan_targets(request(targets), NODES, source=HEAD)]


@pytest.mark.parametrize("text", ["M1", M1.key, M1.id, M1.node_id])
def test_a_node_is_found_by_everything_that_names_it(text: str) -> None:
    assert find_node(NODES, text) is M1


def test_of_several_nodes_with_a_name_the_living_one_is_meant() -> None:
    old = node("M1", node_id="f" * 20, key="home/" + "f" * 20, id="f" * 8, state=NodeState.DEAD)

    assert find_node([old, M1], "M1") is M1


def test_a_name_that_fits_two_living_nodes_is_refused_with_both() -> None:
    twin = node("M1", cluster="plant2")

    with pytest.raises(AmbiguousNameError, match="plant2/"):
        find_node([M1, twin], "M1")


def test_a_name_that_fits_nothing_is_told() -> None:
    with pytest.raises(NotFoundError, match="M77"):
        find_node(NODES, "M77")


def test_named_targets_are_taken_as_they_are_named_and_once() -> None:
    assert names(["M2", "M1", M2.key]) == ["M2", "M1"]


def test_the_source_itself_is_a_target_when_it_is_named() -> None:
    assert names(["head"]) == ["head"]


def test_all_means_every_living_node_but_the_source() -> None:
    assert names("all") == ["M1", "M2", "C1", "M9"]


def test_a_selector_goes_by_labels_and_names() -> None:
    assert names({"selector": "castray.io/name=M*"}) == ["M1", "M2", "M9"]
    assert names({"selector": "castray.io/name=M?, line=b"}) == ["M9"]


def test_a_cluster_means_its_living_nodes() -> None:
    assert names({"cluster": "plant2"}) == ["M9"]
    assert names({"cluster": "home"}) == ["M1", "M2", "C1"]


def test_a_cluster_that_is_not_there_is_told() -> None:
    with pytest.raises(NotFoundError, match="cluster 'moon'"):
        names({"cluster": "moon"})


def test_a_dead_target_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="M3 is dead"):
        names(["M3"])


def test_a_selection_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="No live node"):
        names({"selector": "castray.io/name=Z*"})


@pytest.mark.parametrize("text", ["", "name", "=x", "a=", "a=b,,c=d"])
def test_what_is_no_selector_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="is no selector"):
        parse_selector(text)


def cast(cast_id: str, source: str, targets: dict[str, CastState]) -> Cast:
    return Cast(
        id=cast_id,
        request=request(["x"]),
        source=source,
        created=NOW,
        targets=tuple(CastTarget(node=n, state=s, path="b/") for n, s in targets.items()),
    )


def test_what_has_room_starts_at_once() -> None:
    casts = [cast("1", "a", {"b": QUEUED, "c": QUEUED})]

    turns = plan_turns(casts, places=1, names={})

    assert turns.starts == (("1", "b"), ("1", "c"))
    assert turns.waits == {}


def test_a_cast_too_many_waits_and_says_for_which_node() -> None:
    casts = [cast("1", "a", {"b": RUNNING}), cast("2", "c", {"b": QUEUED, "d": QUEUED})]

    turns = plan_turns(casts, places=1, names={"b": "M1"})

    assert turns.starts == (("2", "d"),)
    assert turns.waits == {("2", "b"): "1 casts at once are the most on M1"}


def test_a_cast_takes_one_place_on_its_source_however_many_targets_it_has() -> None:
    casts = [cast("1", "a", {"b": RUNNING, "c": QUEUED}), cast("2", "a", {"d": QUEUED})]

    turns = plan_turns(casts, places=1, names={})

    assert turns.starts == (("1", "c"),)
    assert list(turns.waits) == [("2", "d")]


def test_places_go_to_the_oldest_first() -> None:
    casts = [cast(str(number), "a", {f"t{number}": QUEUED}) for number in range(4)]

    turns = plan_turns(casts, places=2, names={})

    assert turns.starts == (("0", "t0"), ("1", "t1"))


def test_who_waits_for_one_node_keeps_its_place_on_the_other() -> None:
    casts = [
        cast("1", "a", {"b": RUNNING}),
        cast("2", "a", {"c": QUEUED}),
        cast("3", "d", {"c": QUEUED}),
    ]

    turns = plan_turns(casts, places=1, names={})

    assert turns.starts == ()
    assert set(turns.waits) == {("2", "c"), ("3", "c")}


def test_paused_and_ended_targets_take_no_place() -> None:
    ended = {
        f"t{number}": state
        for number, state in enumerate(CastState)
        if state not in (QUEUED, RUNNING)
    }
    casts = [cast("1", "a", ended), cast("2", "a", {"t0": QUEUED})]

    turns = plan_turns(casts, places=1, names={})

    assert turns.starts == (("2", "t0"),)
