"""What is known of the agents that casts use, and of what they were asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from castray.core.cast_state import RateMeter

if TYPE_CHECKING:
    from castray.cast_models import CastRoute
    from castray.core.cast_steps import Peer

__all__ = ["Agent", "Order", "Part"]

FIRST_RETRY_S = 0.25
LAST_RETRY_S = 15.0
"""An agent that does not answer is asked again after these, doubling in between."""


@dataclass
class Order:
    """What an agent was asked to receive, and what it said of it.

    Attributes:
        peers: Whom it pulls from.
        counts_from: The number of the first poll whose reports are about this order.
        is_over: Whether that receiver does nothing any more.
    """

    peers: tuple[Peer, ...]
    counts_from: int
    is_paused: bool = False
    is_over: bool = False

    @property
    def is_at_work(self) -> bool:
        """Whether that receiver asks for blocks."""
        return not (self.is_paused or self.is_over)


@dataclass
class Agent:
    """One node's agent; without an incarnation it does not answer, or not yet.

    Attributes:
        problem: Why it does not.
        is_hopeless: Whether that will never change.
        asked: Whether somebody is asking it just now.
        polls: How often its reports were asked for.
        offers: The digest algorithm of each cast that it is the source of.
        relays: For each cast that it passes on, the source's port and its own.
        orders: What it receives, by cast.
        strange: Casts that it speaks of and that nobody knows any more.
    """

    used_at: datetime
    incarnation: str = ""
    port: int = 0
    algorithms: tuple[str, ...] = ()
    problem: str = ""
    is_hopeless: bool = False
    asked: bool = False
    ask_at: datetime | None = None
    failures: int = 0
    polls: int = 0
    offers: dict[str, str] = field(default_factory=dict)
    relays: dict[str, tuple[Peer, int]] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    strange: set[str] = field(default_factory=set)

    @property
    def is_up(self) -> bool:
        """Whether it answers."""
        return bool(self.incarnation)

    @property
    def is_settled(self) -> bool:
        """Whether it is known to answer, or not to."""
        return self.is_up or bool(self.problem)

    @property
    def casts(self) -> set[str]:
        """The casts that it takes part in."""
        return {*self.offers, *self.relays, *self.orders}

    @property
    def is_busy(self) -> bool:
        """Whether it has anything to do."""
        return bool(self.casts or self.strange)

    def is_due(self, now: datetime) -> bool:
        """Whether to ask it whether it is there."""
        return not (self.is_up or self.asked) and (self.ask_at is None or now >= self.ask_at)

    def come_up(self, incarnation: str, port: int, algorithms: tuple[str, ...]) -> None:
        """It answers."""
        self.incarnation, self.port, self.algorithms = incarnation, port, algorithms
        self.problem, self.asked = "", False

    def go_down(self, problem: str, now: datetime, *, is_hopeless: bool) -> None:
        """It does not answer; what it was asked to do is to be asked again."""
        # Bounded: an agent may be away for days.
        self.failures = min(self.failures, 16)
        delay_s = min(FIRST_RETRY_S * 2**self.failures, LAST_RETRY_S)
        self.failures += 1
        self.ask_at = now + timedelta(seconds=delay_s)
        self.incarnation, self.asked = "", False
        self.problem, self.is_hopeless = problem, is_hopeless
        for known in (self.offers, self.relays, self.orders, self.strange):
            known.clear()

    def leave(self, cast_id: str) -> None:
        """It has nothing to do with that cast any more."""
        self.strange.discard(cast_id)
        for known in (self.offers, self.relays, self.orders):
            known.pop(cast_id, None)


@dataclass
class Part:
    """One target's part in a cast, as far as it is not in the cast's record.

    Attributes:
        route: How it gets its bytes; None: not decided.
        is_afresh: Whether a receiver that gave up may be in the way.
        needs_end: Whether a receiver was begun and not ended: something of it may be left.
        blocked_since: Since when a node or an agent that it needs has not been there.
        silent_since: Since when it has received nothing, however often it tried.
        not_before: When it is tried again.
    """

    route: CastRoute | None = None
    is_afresh: bool = False
    needs_end: bool = False
    blocked_since: datetime | None = None
    silent_since: datetime | None = None
    not_before: datetime | None = None
    meter: RateMeter = field(default_factory=RateMeter)
