from __future__ import annotations

import pytest

from castray.cast_models import Cast, CastRequest, CastState, IfExists
from castray.core.cast_request import parse_request, plan_cast
from castray.errors import InvalidRequestError
from castray.models import NodeState
from tests.core.given import NOON, key_of, node

NODES = [node("m1"), node("m2"), node("m3", state=NodeState.DEAD)]


def request(source: str = "M1", path: str = "in/a.bin", **more: object) -> CastRequest:
    parts = {"destination": "out/", "targets": ["M2"], **more}
    return parse_request({"source": {"node": source, "path": path}, **parts})


def plan(asked: CastRequest) -> Cast:
    return plan_cast(asked, NODES, "1", NOON)


def test_a_request_is_read_from_a_dict_or_taken_as_it_is() -> None:
    asked = request(if_exists="skip")

    assert asked.if_exists is IfExists.SKIP
    assert parse_request(asked) is asked


def test_every_part_that_makes_no_sense_is_told() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        request(mode="fast", bandwidth_limit=0)

    assert "mode: Input should be 'auto', 'direct' or 'relay'" in str(caught.value)
    assert "bandwidth_limit: Input should be greater than or equal to 1" in str(caught.value)


@pytest.mark.parametrize(
    ("path", "destination", "shown"),
    [
        ("in/a.bin", "out/", "out/a.bin"),
        ("in/tree/", "out/", "out/tree"),
        ("in/a.bin", "out/b.bin", "out/b.bin"),
        ("in/*.bin", "out/", "out/"),
    ],
)
def test_a_target_says_where_it_goes(path: str, destination: str, shown: str) -> None:
    cast = plan(request(path=path, destination=destination))

    assert [(target.node, target.path) for target in cast.targets] == [(key_of("m2"), shown)]
    assert (cast.source, cast.state, cast.created) == (key_of("m1"), CastState.QUEUED, NOON)


def test_a_dead_source_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="M3 is dead: it can send nothing"):
        plan(request("M3"))


@pytest.mark.parametrize("destination", ["in/a.bin", "in/./a.bin", "in/"])
def test_a_cast_onto_itself_is_refused(destination: str) -> None:
    with pytest.raises(InvalidRequestError, match="a target of the same path"):
        plan(request(destination=destination, targets=["M1", "M2"]))


def test_the_same_path_on_another_node_is_no_cast_onto_itself() -> None:
    assert plan(request(destination="in/a.bin")).targets[0].path == "in/a.bin"
