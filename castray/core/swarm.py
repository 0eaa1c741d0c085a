"""Who pulls which blocks from whom, so that the source sends each byte about once.

Every receiver plans for itself, from what it knows: which blocks it misses, and which ones the
others say that they have verified. From another receiver it takes the rarest block that it can
get. The source it asks for blocks that nobody else has, many at a time, and the source chooses
the one that it sent to the fewest (`Sendings`): so each block leaves it once, to whoever asks
first, and a fast receiver takes more of them than a slow one. A block that left a while ago, and
that still nobody has to give, is sent again: its taker has died.

Sets of blocks are integers, with a bit for each block: a million blocks are 128 KiB.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Ask", "Picker", "Sendings", "block_set", "plan_neighbours"]

MAX_CANDIDATES = 64
"""More than all others can have on the way that are not known here yet."""

MIN_PATIENCE_S = 2.0
PATIENCE_BLOCKS = 4
"""What moves not at all for the time of so many blocks is worth asking for elsewhere."""

MAX_CARRIERS = 2
"""A block that is late is asked of one more peer at most."""

SMOOTHING = 0.2

SPREAD_S = 3.0
"""A block that left the source so long ago is known to all who can get it from each other."""


class Ask(NamedTuple):
    """Ask a peer for one of these blocks; if it insists, even if others are about to have it."""

    candidates: tuple[int, ...]
    insists: bool


@dataclass(frozen=True)
class _Flight:
    peer: str
    since: float


class Picker:
    """What one receiver still misses, and whom it asks for what. Not for several threads.

    Args:
        missing: The blocks to get.
        source: The name of the peer that has everything.
        in_order: Ask for one block after the other, from the source alone.
        seed: Differs between receivers, so that they prefer different blocks.
        now: The clock, in seconds.
    """

    def __init__(self, missing: int, *, source: str, in_order: bool, seed: int, now: float) -> None:
        self.missing = missing
        self._source = source
        self._in_order = in_order
        self._offset = seed % max(1, missing.bit_length())
        self._haves: dict[str, int] = {}
        self._held: list[int] = []
        self._flights: dict[int, list[_Flight]] = {}
        self._flying = 0
        self._due_again = 0
        self._last_news = now
        self._block_s = 0.0

    def announce(self, peer: str, blocks: Iterable[int], now: float) -> None:
        """A peer says that it has verified these."""
        told = block_set(blocks)
        news = told & ~self._haves.get(peer, 0)
        self._haves[peer] = self._haves.get(peer, 0) | news
        _add(self._held, news)
        if news:
            self._last_news = now

    def remove_peer(self, peer: str) -> None:
        """A peer is gone, and what it had with it."""
        self._haves.pop(peer, None)
        self._recount()

    def plan(self, peer: str, now: float) -> Ask | None:
        """What to ask a peer for now, if anything."""
        free = self.missing & ~self._flying
        if peer != self._source:
            gettable = free & self._haves.get(peer, 0)
            return (
                Ask((self._rarest(gettable),), insists=True) if gettable else self._late(peer, now)
            )
        if self._in_order:
            return Ask((_lowest(free),), insists=True) if free else None
        is_idle = not self._flying and now - self._last_news > self._patience_s
        if again := free & self._due_again:
            return Ask((_lowest(again),), insists=True)
        unheld = free & ~self._anywhere()
        if wanted := unheld or (free if is_idle else 0):
            return Ask(tuple(_first(wanted, MAX_CANDIDATES)), insists=False)
        return self._late(peer, now)

    def upcoming(self, limit: int) -> list[int]:
        """Some of the missing blocks that other receivers have."""
        return list(_first(self.missing & ~self._flying & self._anywhere(), limit))

    def start(self, block: int, peer: str, now: float) -> None:
        """A block is on its way; to say so twice changes nothing."""
        flights = self._flights.setdefault(block, [])
        if all(flight.peer != peer for flight in flights):
            flights.append(_Flight(peer, now))
        self._flying |= 1 << block

    def stop(self, block: int, peer: str, *, was_sent: bool) -> None:
        """It did not arrive, though perhaps the peer sent it and will not do so again unasked."""
        if was_sent and peer == self._source:
            self._due_again |= 1 << block
        flights = [f for f in self._flights.pop(block, []) if f.peer != peer]
        if flights:
            self._flights[block] = flights
        else:
            self._flying &= ~(1 << block)

    def blame(self, block: int, peer: str) -> None:
        """It arrived damaged: another peer is asked first, the source whenever there is none."""
        self.stop(block, peer, was_sent=True)
        if peer in self._haves:
            self._haves[peer] &= ~(1 << block)
            self._recount()

    def verify(self, block: int, peer: str | None, now: float) -> None:
        """It is here and right, from that peer or from before."""
        for flight in self._flights.pop(block, []):
            if flight.peer == peer:
                took_s = now - flight.since
                self._block_s += SMOOTHING * (took_s - self._block_s) if self._block_s else took_s
        self._flying &= ~(1 << block)
        self.missing &= ~(1 << block)
        self._due_again &= ~(1 << block)
        self._last_news = now

    def forget(self, blocks: Iterable[int]) -> None:
        """These are not wanted any more."""
        self.missing &= ~block_set(blocks)

    def want(self, blocks: Iterable[int]) -> None:
        """These are wanted again."""
        self.missing |= block_set(blocks)

    def is_next(self, block: int, first: int) -> bool:
        """Whether all between `first` and `block` that is missing is on its way."""
        before = (1 << block) - (1 << first)
        return not self.missing & before & ~self._flying

    @property
    def _patience_s(self) -> float:
        return max(MIN_PATIENCE_S, PATIENCE_BLOCKS * self._block_s)

    def _late(self, peer: str, now: float) -> Ask | None:
        """A block that should have come long ago from somebody else, and that this peer has."""
        for block, flights in self._flights.items():
            has_it = peer == self._source or self._haves.get(peer, 0) >> block & 1
            others = all(flight.peer != peer for flight in flights)
            is_late = now - flights[-1].since > self._patience_s
            if has_it and others and is_late and len(flights) < MAX_CARRIERS:
                return Ask((block,), insists=True)
        return None

    def _rarest(self, blocks: int) -> int:
        """Of the blocks that the fewest peers have, the first from our own place on."""
        for plane in reversed(self._held):
            blocks = blocks & ~plane or blocks
        beyond = blocks >> self._offset
        return self._offset + _lowest(beyond) if beyond else _lowest(blocks)

    def _anywhere(self) -> int:
        anywhere = 0
        for plane in self._held:
            anywhere |= plane
        return anywhere

    def _recount(self) -> None:
        self._held = []
        for blocks in self._haves.values():
            _add(self._held, blocks)


class Sendings:
    """Which blocks the source has sent how often, and so which it sends next.

    Args:
        blocks: How many there are.
    """

    def __init__(self, blocks: int) -> None:
        self.counts = array("I", bytes(4 * blocks))
        self._free_at = array("d", bytes(8 * blocks))

    def choose(self, candidates: Iterable[int], *, insists: bool, now: float) -> int | None:
        """The block to send to somebody who lacks all these, from now on; None: none of them yet.

        Args:
            candidates: Numbers of blocks, those that exist.
            insists: Whether one that others are about to have will do.
            now: The clock, in seconds.
        """
        block = min(candidates, key=self.counts.__getitem__, default=None)
        if block is None or (self._free_at[block] > now and not insists):
            return None
        self.counts[block] += 1
        self._free_at[block] = float("inf")
        return block

    def end(self, block: int, now: float) -> None:
        """A block has left."""
        self._free_at[block] = now + SPREAD_S

    def fail(self, block: int) -> None:
        """A block has not left, or not all of it."""
        self._free_at[block] = 0.0


def plan_neighbours(me: str, receivers: Sequence[str], limit: int) -> list[str]:
    """Which other receivers to pull from: at most so many, and about as many pull from each.

    All stand in a circle. Everyone takes the next one, and those at 2, 4, 8, ... places on: so a
    block that one has reaches all in few steps. The places between fill what is left.
    """
    circle = sorted(receivers)
    place, size = circle.index(me), len(circle)
    powers = [1 << i for i in range(size.bit_length()) if 1 << i < size]
    steps = [*powers, *(step for step in range(1, size) if step not in powers)]
    return [circle[(place + step) % size] for step in steps[:limit]]


def block_set(blocks: Iterable[int]) -> int:
    """A set of blocks from their numbers."""
    bits = bytearray()
    for block in blocks:
        if block >> 3 >= len(bits):
            bits.extend(bytes((block >> 3) + 1 - len(bits)))
        bits[block >> 3] |= 1 << (block & 7)
    return int.from_bytes(bits, "little")


def _first(blocks: int, limit: int) -> Iterator[int]:
    """The numbers of the first blocks in a set."""
    while blocks and limit:
        lowest = blocks & -blocks
        yield lowest.bit_length() - 1
        blocks ^= lowest
        limit -= 1


def _lowest(blocks: int) -> int:
    return (blocks & -blocks).bit_length() - 1


def _add(planes: list[int], blocks: int) -> None:
    """Count one more holder of each block; bit by bit, each plane being one digit of all counts."""
    carry = blocks
    for index, plane in enumerate(planes):
        planes[index], carry = plane ^ carry, plane & carry
    if carry:
        planes.append(carry)
