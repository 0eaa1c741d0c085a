"""Where a cast goes, and when its turn comes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from castray.cast_models import CastState, ClusterTargets, LabelTargets
from castray.core.nodes import NAME_LABEL
from castray.errors import AmbiguousNameError, InvalidRequestError, NotFoundError
from castray.models import NodeState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from castray.cast_models import Cast, CastRequest
    from castray.models import Node

__all__ = ["Turns", "find_node", "parse_selector", "plan_targets", "plan_turns"]


def find_node(nodes: Iterable[Node], text: str) -> Node:
    """The node of that key, id, NodeID or name; of several with one name, the one that lives.

    Raises:
        NotFoundError: There is none.
        AmbiguousNameError: There are several.
    """
    found = [node for node in nodes if text in (node.key, node.id, node.node_id, node.name)]
    found = [node for node in found if node.state is not NodeState.DEAD] or found
    if not found:
        raise NotFoundError("node", text)
    if len(found) > 1:
        raise AmbiguousNameError("node", text, sorted(node.key for node in found))
    return found[0]


def plan_targets(request: CastRequest, nodes: Sequence[Node], source: Node) -> list[Node]:
    """The nodes that a cast goes to, each once.

    A node that is named is meant, even the source itself. What selects several nodes means the
    live ones other than the source.

    Raises:
        NotFoundError: A named node, or the cluster, does not exist.
        AmbiguousNameError: A name fits several nodes.
        InvalidRequestError: A named node is dead, or nothing is selected.
    """
    targets = request.targets
    if isinstance(targets, tuple):
        named = {node.key: node for node in (find_node(nodes, text) for text in targets)}
        for node in named.values():
            if node.state is NodeState.DEAD:
                raise InvalidRequestError(f"{node.name} is dead: it can receive nothing.")
        return list(named.values())
    others = [n for n in nodes if n.key != source.key and n.state is not NodeState.DEAD]
    selected = [node for node in others if _is_selected(node, targets, nodes)]
    if not selected:
        raise InvalidRequestError(f"No live node but the source fits the targets: {targets}.")
    return selected


def parse_selector(text: str) -> dict[str, str]:
    """Read `LABEL=PATTERN,...`: each label's value has to fit its pattern, with `*` and `?`.

    Raises:
        InvalidRequestError: It does not read like that.
    """
    patterns = {}
    for term in text.split(","):
        label, equals, pattern = term.strip().partition("=")
        if not (label and equals and pattern):
            raise InvalidRequestError(
                f"{text!r} is no selector: one reads like {NAME_LABEL}=M*; join several by ','."
            )
        patterns[label] = pattern
    return patterns


@dataclass(frozen=True)
class Turns:
    """Which targets of which casts start now, and what the others wait for.

    Both are by the cast's id and the target's key.
    """

    starts: tuple[tuple[str, str], ...]
    waits: Mapping[tuple[str, str], str]


def plan_turns(casts: Iterable[Cast], places: int, names: Mapping[str, str]) -> Turns:
    """Give the places on each node to casts in the order in which they were asked for.

    A cast takes one place on its source and one on each target, while anything runs there. Who
    waits for one node keeps its place on the other, so that nobody is overtaken for ever.

    Args:
        casts: All that have not ended, the oldest first.
        places: How many casts a node takes part in at once.
        names: What nodes are called, by key.
    """
    taken: defaultdict[str, set[str]] = defaultdict(set)
    starts: list[tuple[str, str]] = []
    waits: dict[tuple[str, str], str] = {}
    casts = list(casts)
    for cast in casts:
        for target in cast.targets:
            if target.state is CastState.RUNNING:
                taken[cast.source].add(cast.id)
                taken[target.node].add(cast.id)
    for cast in casts:
        for target in cast.targets:
            if target.state is not CastState.QUEUED:
                continue
            needed = (cast.source, target.node)
            full = [n for n in needed if cast.id not in taken[n] and len(taken[n]) >= places]
            for node in needed:
                taken[node].add(cast.id)
            if full:
                node_names = " and ".join(names.get(node, node) for node in full)
                waits[cast.id, target.node] = f"{places} casts at once are the most on {node_names}"
            else:
                starts.append((cast.id, target.node))
    return Turns(tuple(starts), waits)


def _is_selected(
    node: Node, targets: str | LabelTargets | ClusterTargets, nodes: Sequence[Node]
) -> bool:
    if isinstance(targets, LabelTargets):
        labels = {NAME_LABEL: node.name, **node.labels}
        patterns = parse_selector(targets.selector)
        return all(fnmatchcase(labels.get(label, ""), p) for label, p in patterns.items())
    if isinstance(targets, ClusterTargets):
        if all(known.cluster != targets.cluster for known in nodes):
            raise NotFoundError("cluster", targets.cluster)
        return node.cluster == targets.cluster
    return True
