from __future__ import annotations

from castray.cast_models import Cast, KeptCast
from castray.core.cast_nodes import known_places, with_successors
from castray.models import Node, NodeState
from tests.core.given import cast_to, key_of, node

PLACES = [node("s", name="S"), node("m1", name="M1")]


def kept(cast: Cast | None = None) -> KeptCast:
    return KeptCast(cast=cast or cast_to("m1"), secret="00" * 32, nodes=known_places(PLACES))


def by_key(*nodes: Node) -> dict[str, Node]:
    return {found.key: found for found in nodes}


def parties(cast: KeptCast) -> list[str]:
    return [cast.cast.source, *(target.node for target in cast.cast.targets)]


def test_while_its_nodes_live_a_cast_stays_as_it_is() -> None:
    cast = kept()

    assert with_successors(cast, by_key(*PLACES)) is cast


def test_a_node_with_the_place_of_one_that_is_gone_takes_its_part() -> None:
    new = by_key(node("s2", name="S"), node("m1", name="M1", state=NodeState.DEAD))
    new |= by_key(node("m2", name="M1"))

    cast = with_successors(kept(), new)

    assert parties(cast) == [key_of("s2"), key_of("m2")]
    assert cast.nodes[key_of("m2")].name == "M1"


def test_a_successor_can_have_a_successor() -> None:
    first = with_successors(kept(), by_key(node("s", name="S"), node("m2", name="M1")))

    second = with_successors(first, by_key(node("s", name="S"), node("m3", name="M1")))

    assert parties(second) == [key_of("s"), key_of("m3")]


def test_who_has_only_its_name_or_only_its_address_is_somebody_else() -> None:
    others = by_key(
        node("s", name="S"),
        node("m2", name="M1", address="10.0.0.9"),
        node("m3", name="M3"),
        node("m4", name="M1", cluster="lab"),
        node("m5", name="M1", state=NodeState.DEAD),
    )

    assert parties(with_successors(kept(), others)) == [key_of("s"), key_of("m1")]


def test_a_node_that_has_a_part_already_gets_no_second_one() -> None:
    nodes = by_key(node("s", name="S"), node("m2", name="M1"))

    cast = with_successors(kept(cast_to("m1", "m2")), nodes)

    assert parties(cast) == [key_of("s"), key_of("m1"), key_of("m2")]
