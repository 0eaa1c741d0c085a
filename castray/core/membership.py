"""Which of Ray's rows are nodes of today: it lists the dead too, and long takes some for alive."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from castray.core.nodes import facts_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from castray.core.events import NodeFacts

__all__ = [
    "DEAD_NODE_RETENTION_S",
    "FIRST_REPORT_WITHIN_S",
    "HEARTBEATS_PER_S",
    "STALE_AFTER_HEARTBEATS",
    "Membership",
]

MIN_HEARTBEAT_S = 1.0

HEARTBEATS_PER_S = 200
"""All nodes together: Ray takes about a millisecond of a core for a call (bench/registry.py)."""

STALE_AFTER_HEARTBEATS = 3
"""A node whose poller was silent for so many of them is stale."""

FIRST_REPORT_WITHIN_S = 15.0
"""A new node's poller needs a worker process and CastRay's code on that node first."""

DEAD_NODE_RETENTION_S = 3600.0
"""How long a dead node that nothing replaced is still shown."""


class _SignOfLife(NamedTuple):
    """When it came, and how long the next one may take."""

    at: datetime
    patience: timedelta


class Membership:
    """When each node of the home cluster was seen, alive and heard.

    Attributes:
        heartbeat_s: So often each poller is to speak, and at once where its node's status changes.
            The more nodes, the longer: who listens has time for `HEARTBEATS_PER_S` of them.
    """

    def __init__(self) -> None:
        self.heartbeat_s = MIN_HEARTBEAT_S
        self._first_seen: dict[str, datetime] = {}
        self._last_alive: dict[str, datetime] = {}
        # Both the longest silent first.
        self._heard: OrderedDict[str, _SignOfLife] = OrderedDict()
        self._never_heard: OrderedDict[str, _SignOfLife] = OrderedDict()
        self._dead_since: dict[str, datetime] = {}

    def hear(self, node_id: str, now: datetime) -> None:
        """The poller of that node spoke, and is told the heartbeat of now."""
        if node_id in self._first_seen:
            self._never_heard.pop(node_id, None)
            self._heard[node_id] = _SignOfLife(now, self._patience())
            self._heard.move_to_end(node_id)

    def silent(self, now: datetime) -> Iterator[str]:
        """The ids of the nodes that are silent for too long, at the cost of those alone."""
        for signs in (self._heard, self._never_heard):
            for node_id, sign in signs.items():
                if sign.at > now:
                    # The clock was set back: nobody stays heard until it is there again.
                    signs[node_id] = sign._replace(at=now)
                elif now - sign.at > sign.patience:
                    yield node_id
                else:
                    break

    def observe(
        self, rows: Sequence[NodeFacts], names: Mapping[str, str], now: datetime
    ) -> list[NodeFacts]:
        """Take Ray's whole table in; the rows that are worth a card.

        Args:
            rows: The table.
            names: What each node is called, by NodeID, that had a card until now.
            now: The time.
        """
        seen = {row.node_id for row in rows}
        for known in (
            self._first_seen,
            self._last_alive,
            self._heard,
            self._never_heard,
            self._dead_since,
        ):
            for node_id in known.keys() - seen:
                del known[node_id]
        alive = sum(row.alive for row in rows)
        self.heartbeat_s = max(MIN_HEARTBEAT_S, alive / HEARTBEATS_PER_S)
        new = _SignOfLife(now, max(timedelta(seconds=FIRST_REPORT_WITHIN_S), self._patience()))
        alive_at: dict[str, list[NodeFacts]] = {}
        for row in rows:
            if row.node_id not in self._first_seen:
                self._first_seen[row.node_id] = now
                self._never_heard[row.node_id] = new
            if row.alive:
                self._last_alive[row.node_id] = now
                alive_at.setdefault(row.address, []).append(row)
            else:
                self._dead_since.setdefault(row.node_id, now)
        return [
            row
            for row in rows
            if self._shows(row, names.get(row.node_id), alive_at.get(row.address, ()), now)
        ]

    def _patience(self) -> timedelta:
        return timedelta(seconds=STALE_AFTER_HEARTBEATS * self.heartbeat_s)

    def _shows(
        self, row: NodeFacts, name: str | None, neighbours: Sequence[NodeFacts], now: datetime
    ) -> bool:
        """Whether a row is worth a card: it lives or died lately, and nothing is in its place.

        A raylet that comes back has a new NodeID, and may do so long before Ray notices that the
        one before it died. So what fell silent before a living namesake at its address was first
        seen is the same machine.

        Args:
            row: The row.
            name: What its card said, where it had one until now.
            neighbours: The living rows at its address, with itself where it lives.
            now: The time.
        """
        heard = self._heard.get(row.node_id)
        if row.alive:
            if heard is None or now - heard.at <= heard.patience:
                return True
        elif now - self._dead_since[row.node_id] > timedelta(seconds=DEAD_NODE_RETENTION_S):
            return False
        seen = self._last_alive.get(row.node_id) if heard is None else heard.at
        return not any(
            _is_namesake(row, name, other)
            and (
                seen is None
                or self._first_seen[other.node_id] > seen
                # It never spoke to this registry, which may have begun after both.
                or (heard is None and other.node_id in self._heard)
            )
            for other in neighbours
            if other.node_id != row.node_id
        )


def _is_namesake(gone: NodeFacts, name: str | None, alive: NodeFacts) -> bool:
    # Ray forgets the resources of the dead, and so the name that came from one of them.
    if name is not None:
        return name == facts_name(alive)
    return gone.host_name == alive.host_name or facts_name(gone) == facts_name(alive)
