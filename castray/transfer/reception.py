"""What a receiver has and misses of a cast, and what becomes of each entry."""

from __future__ import annotations

import time
from array import array
from threading import Condition, RLock
from typing import TYPE_CHECKING

from castray.core.swarm import Picker, block_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from castray.core.swarm import Ask
    from castray.transfer.journal import Journal
    from castray.transfer.layout import Segment
    from castray.transfer.manifest import Manifest
    from castray.transfer.partial import Partial

__all__ = ["Reception"]

WANTED, PRESENT, REFUSED = range(3)
"""What becomes of an entry: it is to be placed; it is there already; it will not be there."""


class Reception:
    """The state of one cast at one receiver; for many threads.

    Args:
        manifest: What is cast.
        partial: Where it is collected.
        journal: Where its progress is noted.
        source: The name of the peer that has everything.
        seed: Differs between receivers.
    """

    def __init__(
        self,
        manifest: Manifest,
        partial: Partial,
        journal: Journal,
        *,
        source: str,
        seed: int,
    ) -> None:
        self.manifest = manifest
        self.partial = partial
        self.journal = journal
        self.source = source
        lock = RLock()
        self.changed = Condition(lock)
        self._settled = Condition(lock)
        self.verified = array("I")
        self.problems: dict[int, str] = {}
        self.bad_blocks: dict[str, int] = {}
        self.bad_in_a_row = 0
        self.bytes_received = 0
        self.bytes_done = 0
        self.failure: Exception | None = None
        self._fates = bytearray(manifest.header.entries)
        self._has = 0
        self._arrived = 0
        self._whole_due: list[int] = []
        everything = (1 << manifest.blocks) - 1
        self._picker = Picker(
            everything,
            source=source,
            in_order=manifest.header.is_chained,
            seed=seed,
            now=time.monotonic(),
        )

    def is_wanted(self, number: int) -> bool:
        """Whether an entry is to be placed."""
        return self._fates[number] == WANTED

    def has(self, block: int) -> bool:
        """Whether all of a block is here, so that others can have it."""
        return bool(self._has >> block & 1)

    @property
    def is_complete(self) -> bool:
        """Whether every block is here, and no large file is left to be proved as a whole."""
        with self.changed:
            return not self._picker.missing and not self._whole_due

    def refuse(self, number: int, problem: str) -> None:
        """An entry will not be placed; what has arrived of it goes."""
        with self.changed:
            if self._settle(number, REFUSED):
                self.problems[number] = problem
                self.journal.add_problem(number, problem)
                self.partial.drop(number)

    def keep(self, number: int) -> None:
        """An entry is there already, with the same content."""
        with self.changed:
            if self._settle(number, PRESENT):
                self.bytes_done += self.manifest.entry(number).size

    def announce(self, peer: str, blocks: Sequence[int]) -> None:
        """A peer has verified these."""
        with self.changed:
            self._picker.announce(peer, blocks, time.monotonic())
            self.changed.notify_all()

    def remove_peer(self, peer: str) -> None:
        """A peer is gone."""
        with self.changed:
            self._picker.remove_peer(peer)
            self.changed.notify_all()

    def plan(self, peer: str) -> Ask | None:
        """What to ask a peer for now; a block that alone is asked for is on its way from then."""
        with self.changed:
            ask = self._picker.plan(peer, time.monotonic())
            if ask is not None and len(ask.candidates) == 1:
                self._picker.start(ask.candidates[0], peer, time.monotonic())
            return ask

    def upcoming(self, limit: int) -> list[int]:
        """Some of the missing blocks that other receivers have."""
        with self.changed:
            return self._picker.upcoming(limit)

    def start(self, block: int, peer: str) -> None:
        """A peer begins to send a block."""
        with self.changed:
            self._picker.start(block, peer, time.monotonic())

    def stop(self, block: int, peer: str, *, was_sent: bool) -> None:
        """A block that was on its way does not arrive."""
        with self.changed:
            self._arrived &= ~(1 << block)
            self._picker.stop(block, peer, was_sent=was_sent)
            self.changed.notify_all()

    def next_whole(self) -> int | None:
        """A large file whose pieces are all here, and which is still to be proved as a whole."""
        with self.changed:
            return self._whole_due.pop() if self._whole_due else None

    def fetch_again(self, number: int) -> None:
        """A file as a whole is not right: all of it is wanted again."""
        with self.changed:
            blocks = self.manifest.blocks_of(number)
            self._has &= ~block_set(blocks)
            self._picker.want(blocks)
            self.bytes_done -= self.manifest.entry(number).size
            self.changed.notify_all()

    def arrive(self, block: int) -> None:
        """A block is here, and will be proved in its turn."""
        with self.changed:
            self._arrived |= 1 << block
            self.changed.notify_all()

    def wait_for_earlier(self, block: int, number: int) -> None:
        """Return when all blocks of an entry before this one are here, or on nobody's way."""
        first = self.manifest.blocks_of(number)[0]
        before = (1 << block) - (1 << first)
        with self.changed:
            while not self.failure and self._picker.missing & before & ~self._arrived:
                if not self._picker.is_next(block, first):
                    return
                self.changed.wait()

    def wait(self, seconds: float) -> None:
        """Return when something has changed, or after so long."""
        with self.changed:
            self.changed.wait(seconds)

    def wait_until_settled(self, seconds: float) -> None:
        """Return when there is nothing left to receive, or not this way; or after so long.

        Whoever only wants to know that is not woken by each block.
        """
        with self.changed:
            if self._picker.missing and not self._whole_due and not self.failure:
                self._settled.wait(seconds)

    def fail(self, error: Exception) -> None:
        """The cast cannot go on here."""
        with self.changed:
            self.failure = self.failure or error
            self._settled.notify_all()
            self.changed.notify_all()

    def blame(self, block: int, peer: str) -> None:
        """A block arrived damaged; elsewhere comes first now."""
        with self.changed:
            self._arrived &= ~(1 << block)
            self._picker.blame(block, peer)
            self.bad_blocks[peer] = self.bad_blocks.get(peer, 0) + 1
            self.bad_in_a_row += 1
            self.changed.notify_all()

    def count(self, block: int, peer: str | None) -> None:
        """A block is here."""
        segments = self.manifest.segments(block)
        wanted = [segment for segment in segments if self.is_wanted(segment.entry_number)]
        with self.changed:
            self.bad_in_a_row = 0
            self._arrived &= ~(1 << block)
            if self._picker.missing >> block & 1:
                self.bytes_done += sum(segment.length for segment in wanted)
                if len(wanted) == len(segments):
                    self._has |= 1 << block
                    self.verified.append(block)
            self._picker.verify(block, peer, time.monotonic())
            self._note_if_whole(segments[0])
            self._notify()

    def _settle(self, number: int, fate: int) -> bool:
        if self._fates[number] != WANTED:
            return False
        self._fates[number] = fate
        blocks = self.manifest.blocks_of(number)
        segments = self.manifest.segments(blocks[0]) if blocks else []
        if not any(self.is_wanted(segment.entry_number) for segment in segments):
            self._picker.forget(blocks)
        self._notify()
        return True

    def _notify(self) -> None:
        self.changed.notify_all()
        if self._whole_due or not self._picker.missing:
            self._settled.notify_all()

    def _note_if_whole(self, segment: Segment) -> None:
        """Have a large file proved when its last piece is here; a chained one is proved by it."""
        if not segment.is_whole_file and not self.manifest.header.is_chained:
            number = segment.entry_number
            due = block_set(self.manifest.blocks_of(number))
            if not self._picker.missing & due and number not in self._whole_due:
                self._whole_due.append(number)
