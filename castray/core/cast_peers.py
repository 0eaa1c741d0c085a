"""Whom the receivers of a cast pull from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from castray.core.cast_steps import Peer
from castray.core.swarm import plan_neighbours
from castray.models import CastRoute, CastState

if TYPE_CHECKING:
    from castray.core.cast_table import CastTable
    from castray.models import Cast

__all__ = ["plan_peers", "relay_peer", "source_peer"]

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


def plan_peers(table: CastTable, cast: Cast, me: str, route: CastRoute) -> tuple[Peer, ...]:
    """The source, by that route, and other receivers near `me`."""
    is_relayed = route is CastRoute.RELAY
    source = relay_peer(table, cast) if is_relayed else source_peer(table, cast)
    near = [
        target.node
        for target in cast.targets
        if target.state in (CastState.RUNNING, CastState.COMPLETED)
        and table.order(cast.id, target.node) is not None
        and _is_near(table, cast, me, target.node, route)
    ]
    neighbours = plan_neighbours(me, [me, *near], MAX_NEIGHBOURS)
    others = [Peer(n, table.nodes[n].address, table.agents[n].port) for n in neighbours]
    return (*([source] if source else ()), *others)


def _is_near(table: CastTable, cast: Cast, me: str, other: str, route: CastRoute) -> bool:
    """Whether one receiver may reach the other; on the source's node only the source serves."""
    if cast.source in (me, other) or me == other:
        return False
    if table.part(cast.id, other).route is not route:
        return False
    return route is CastRoute.DIRECT or table.nodes[me].cluster == table.nodes[other].cluster
