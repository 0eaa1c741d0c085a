"""What is known of casts, and of the nodes and agents that they use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from castray.core.cast_agents import Part
from castray.core.cast_state import apply_cast_event
from castray.errors import NotFoundError
from castray.models import HOME_CLUSTER, NodeState

if TYPE_CHECKING:
    from datetime import datetime

    from castray.cast_models import Cast, KeptCast
    from castray.core.cast_agents import Agent, Order
    from castray.core.cast_state import CastEvent
    from castray.models import Node

__all__ = ["CastTable"]


class CastTable:
    """The casts that are worked on, and everything by which it is decided what to do for them.

    Attributes:
        casts: By id, in the order in which they were asked for.
        agents: Those in use, by the keys of their nodes.
        nodes: All nodes as they were last seen, by key.
    """

    def __init__(self) -> None:
        self.casts: dict[str, KeptCast] = {}
        self.agents: dict[str, Agent] = {}
        self.nodes: dict[str, Node] = {}
        self._parts: dict[tuple[str, str], Part] = {}

    @property
    def head(self) -> str:
        """The key of the home cluster's living head."""
        heads = [n.key for n in self.nodes.values() if n.is_head and n.cluster == HOME_CLUSTER]
        return next((key for key in heads if self.absence(key) is None), "the head")

    def find(self, cast_id: str) -> KeptCast:
        """The cast of that id.

        Raises:
            NotFoundError: It is not worked on.
        """
        if cast_id not in self.casts:
            raise NotFoundError("cast", cast_id)
        return self.casts[cast_id]

    def apply(self, cast_id: str, event: CastEvent, now: datetime) -> None:
        """Something happened to a cast; one that is not worked on any more is left alone."""
        kept = self.casts.get(cast_id)
        if kept is not None:
            cast = apply_cast_event(kept.cast, event, now)
            if cast is not kept.cast:
                self.casts[cast_id] = kept.model_copy(update={"cast": cast})

    def part(self, cast_id: str, node: str) -> Part:
        """A target's part in a cast."""
        return self._parts.setdefault((cast_id, node), Part())

    def begin_again(self, cast_id: str, node: str) -> None:
        """A target's part begins anew, in spite of what may be left of it."""
        self._parts[cast_id, node] = Part(is_afresh=True, needs_end=True)

    def needs_end(self, cast: Cast) -> bool:
        """Whether something of a cast may be left at a target of it."""
        return any(self.part(cast.id, target.node).needs_end for target in cast.targets)

    def forget(self, cast_id: str) -> None:
        """A cast is worked on no more."""
        del self.casts[cast_id]
        for key in [key for key in self._parts if key[0] == cast_id]:
            del self._parts[key]

    def agent_up(self, key: str) -> Agent | None:
        """A node's agent, if it answers."""
        agent = self.agents.get(key)
        return agent if agent is not None and agent.is_up else None

    def order(self, cast_id: str, node: str) -> Order | None:
        """What a node's agent was asked to receive, if it was."""
        agent = self.agents.get(node)
        return None if agent is None else agent.orders.get(cast_id)

    def absence(self, key: str) -> str | None:
        """Why there can be no agent on a node now, if so."""
        node = self.nodes.get(key)
        if node is None:
            return f"{self.name(key)} is not there"
        return f"{node.name} is dead" if node.state is NodeState.DEAD else None

    def problem(self, key: str) -> str | None:
        """Why a node cannot take part now, if so."""
        agent = self.agents.get(key)
        return self.absence(key) or (agent.problem if agent is not None else "") or None

    def name(self, key: str) -> str:
        """What people call a node."""
        if key in self.nodes:
            return self.nodes[key].name
        places = (kept.nodes[key].name for kept in self.casts.values() if key in kept.nodes)
        return next(places, key)
