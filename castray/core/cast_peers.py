"""Whom the receivers of a cast pull from."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from castray.cast_models import CastRoute, CastState
from castray.core.cast_steps import Peer
from castray.core.swarm import plan_neighbours

if TYPE_CHECKING:
    from castray.cast_models import Cast
    from castray.core.cast_table import CastTable

__all__ = ["Company", "relay_peer", "source_peer"]

MAX_NEIGHBOURS = 6


def source_peer(table: CastTable, cast: Cast) -> Peer:
    """The source, whose agent answers.

    It is called by its name, which outlives a NodeID: a receiver goes on with one of that name.
    """
    node, agent = table.nodes[cast.source], table.agents[cast.source]
    return Peer(node.name, node.address, agent.port, is_source=True)


def relay_peer(table: CastTable, cast: Cast) -> Peer | None:
    """The source as those see it who reach it through the head only, once that passes it on."""
    head, source = table.agents.get(table.head), source_peer(table, cast)
    leads_to, port = head.relays.get(cast.id, (None, 0)) if head is not None else (None, 0)
    if leads_to != source:
        return None
    return source._replace(host=table.nodes[table.head].address, port=port)


class Company:
    """The receivers of one cast that have something to give, by who can reach whom.

    On the source's own node only the source serves.

    Args:
        table: What is known.
        cast: A cast whose source answers.
    """

    def __init__(self, table: CastTable, cast: Cast) -> None:
        self._table = table
        self._cast = cast
        self._groups: defaultdict[object, list[str]] = defaultdict(list)
        for target in cast.targets:
            if (
                target.state in (CastState.RUNNING, CastState.COMPLETED)
                and target.node != cast.source
                and table.order(cast.id, target.node) is not None
            ):
                route = table.part(cast.id, target.node).route
                self._groups[self._group(target.node, route)].append(target.node)

    def peers_of(self, me: str, route: CastRoute) -> tuple[Peer, ...]:
        """The source, by that route, and other receivers near `me`."""
        table = self._table
        is_relayed = route is CastRoute.RELAY
        source = relay_peer(table, self._cast) if is_relayed else source_peer(table, self._cast)
        near = [] if me == self._cast.source else self._groups[self._group(me, route)]
        neighbours = plan_neighbours(me, near if me in near else [me, *near], MAX_NEIGHBOURS)
        others = [Peer(n, table.nodes[n].address, table.agents[n].port) for n in neighbours]
        return (*([source] if source else ()), *others)

    def _group(self, node: str, route: CastRoute | None) -> object:
        """Those who reach the source reach each other; the others do within their cluster."""
        return route if route is CastRoute.DIRECT else (route, self._table.nodes[node].cluster)
