"""What becomes of a cast when its nodes come back under other NodeIDs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from castray.cast_models import NodePlace
from castray.models import NodeState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from castray.cast_models import Cast, KeptCast
    from castray.models import Node

__all__ = ["known_places", "with_successors"]


def known_places(nodes: Iterable[Node]) -> dict[str, NodePlace]:
    """What nodes are known by, by key."""
    return {node.key: NodePlace(name=node.name, address=node.address) for node in nodes}


def with_successors(kept: KeptCast, nodes: Mapping[str, Node]) -> KeptCast:
    """The cast with the nodes that took the place of those that are gone; often the same object.

    The successor of a node has its name, its address and its cluster, but another NodeID.

    Args:
        kept: The cast.
        nodes: All nodes, by key.
    """
    for key in (kept.cast.source, *(target.node for target in kept.cast.targets)):
        successor = _successor(key, kept.nodes.get(key), nodes)
        taken = {target.node for target in kept.cast.targets}
        if successor is not None and (successor.key not in taken or key == kept.cast.source):
            places = {**kept.nodes, **known_places([successor])}
            cast = _renamed(kept.cast, key, successor.key)
            kept = kept.model_copy(update={"cast": cast, "nodes": places})
    return kept


def _successor(key: str, place: NodePlace | None, nodes: Mapping[str, Node]) -> Node | None:
    node = nodes.get(key)
    if place is None or (node is not None and node.state is not NodeState.DEAD):
        return None
    cluster = key.partition("/")[0]
    for other in nodes.values():
        if (other.cluster, other.name, other.address) == (cluster, place.name, place.address) and (
            other.state is not NodeState.DEAD
        ):
            return other
    return None


def _renamed(cast: Cast, old: str, new: str) -> Cast:
    targets = tuple(
        target.model_copy(update={"node": new}) if target.node == old else target
        for target in cast.targets
    )
    source = new if cast.source == old else cast.source
    return cast.model_copy(update={"source": source, "targets": targets})
