from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castray.core.swarm import SPREAD_S, Ask, Picker, Sendings, block_set, plan_neighbours

if TYPE_CHECKING:
    from collections.abc import Iterable

MIB = 1 << 20
SOURCE = "source"

NEWS_S = 0.02
"""How long it takes until one receiver hears what another has."""


@dataclass
class Transfer:
    block: int
    sender: str
    receiver: str
    remaining: float


@dataclass
class Network:
    """Receivers that plan for themselves, over links that are capped in each direction."""

    blocks: int
    receivers: list[str]
    link_bytes_per_s: dict[str, float]
    block_bytes: int = MIB
    neighbours: int = 8
    dies_at_s: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now = 0.0
        self.sendings = Sendings(self.blocks)
        self.has: dict[str, list[int]] = {name: [] for name in self.receivers}
        self.transfers: list[Transfer] = []
        self.waiting_until: dict[tuple[str, str], float] = {}
        self.alive = set(self.receivers)
        self.pickers = {
            name: Picker(
                (1 << self.blocks) - 1, source=SOURCE, in_order=False, seed=place * 7919, now=0.0
            )
            for place, name in enumerate(self.receivers)
        }
        self.peers = {
            name: plan_neighbours(name, self.receivers, self.neighbours) for name in self.receivers
        }
        self.news: list[tuple[float, str, int]] = []

    def give(self, name: str, blocks: Iterable[int]) -> None:
        """A receiver has these before it all begins."""
        for block in blocks:
            self.pickers[name].verify(block, None, 0.0)
            self.has[name].append(block)
            self.news.append((0.0, name, block))

    def run(self, limit_s: float, until_done: set[str] | None = None) -> float:
        """The seconds until every receiver, of those or all that live, has everything."""
        while any(self.pickers[name].missing for name in until_done or self.alive):
            assert self.now < limit_s, f"not done: {self.missing_counts()}"
            self.bury_the_dead()
            self.spread_news()
            self.start_transfers()
            self.move()
        return self.now

    def missing_counts(self) -> dict[str, int]:
        return {name: picker.missing.bit_count() for name, picker in self.pickers.items()}

    def bury_the_dead(self) -> None:
        for name, at in self.dies_at_s.items():
            if name in self.alive and self.now >= at:
                self.alive.discard(name)
                for transfer in [t for t in self.transfers if name in (t.sender, t.receiver)]:
                    self.transfers.remove(transfer)
                    if transfer.sender == SOURCE:
                        self.sendings.fail(transfer.block)
                    self.pickers[transfer.receiver].stop(
                        transfer.block, transfer.sender, was_sent=True
                    )
                for other in self.alive:
                    self.pickers[other].remove_peer(name)

    def spread_news(self) -> None:
        for at, name, block in [n for n in self.news if n[0] <= self.now]:
            self.news.remove((at, name, block))
            for other in self.alive:
                if name in self.peers[other] and name in self.alive:
                    self.pickers[other].announce(name, [block], self.now)

    def start_transfers(self) -> None:
        for receiver in sorted(self.alive):
            for sender in [SOURCE, *self.peers[receiver]]:
                is_busy = any(t.sender == sender and t.receiver == receiver for t in self.transfers)
                is_waiting = self.waiting_until.get((receiver, sender), 0) > self.now
                if not is_busy and not is_waiting and (sender in self.alive or sender == SOURCE):
                    self.ask(receiver, sender)

    def ask(self, receiver: str, sender: str) -> None:
        picker = self.pickers[receiver]
        ask = picker.plan(sender, self.now)
        if ask is None:
            return
        if sender == SOURCE:
            block = self.sendings.choose(ask.candidates, insists=ask.insists, now=self.now)
            if block is None:
                self.waiting_until[receiver, sender] = self.now + 0.25
                return
        else:
            block = ask.candidates[0]
            assert block in self.has[sender]
        picker.start(block, sender, self.now)
        self.transfers.append(Transfer(block, sender, receiver, self.block_bytes))

    def rates(self) -> list[float]:
        up = Counter(transfer.sender for transfer in self.transfers)
        down = Counter(transfer.receiver for transfer in self.transfers)
        return [
            min(
                self.link_bytes_per_s[transfer.sender] / up[transfer.sender],
                self.link_bytes_per_s[transfer.receiver] / down[transfer.receiver],
            )
            for transfer in self.transfers
        ]

    def move(self) -> None:
        """Let time pass until the next thing happens."""
        rates = self.rates()
        ends = [t.remaining / rate for t, rate in zip(self.transfers, rates, strict=True)]
        seconds = max(1e-6, min([0.25, *ends, *(at - self.now for at, _, _ in self.news)]))
        self.now += seconds
        for transfer, rate in zip(list(self.transfers), rates, strict=True):
            transfer.remaining -= rate * seconds
            if transfer.remaining <= 1:
                self.transfers.remove(transfer)
                self.arrive(transfer)

    @property
    def sent(self) -> list[int]:
        """How often each block left the source."""
        return list(self.sendings.counts)

    def arrive(self, transfer: Transfer) -> None:
        if transfer.sender == SOURCE:
            self.sendings.end(transfer.block, self.now)
        self.pickers[transfer.receiver].verify(transfer.block, transfer.sender, self.now)
        if transfer.block not in self.has[transfer.receiver]:
            self.has[transfer.receiver].append(transfer.block)
            self.news.append((self.now + NEWS_S, transfer.receiver, transfer.block))


def network(receivers: int, blocks: int, mbit_per_s: float = 200, **options: object) -> Network:
    names = [f"r{number:02}" for number in range(receivers)]
    links = dict.fromkeys([SOURCE, *names], mbit_per_s * 1e6 / 8)
    return Network(blocks, names, links, **options)  # type: ignore[arg-type]


def one_copy_s(net: Network) -> float:
    return net.blocks * net.block_bytes / net.link_bytes_per_s[SOURCE]


def test_seven_receivers_take_little_longer_than_one() -> None:
    net = network(receivers=7, blocks=128)

    took_s = net.run(limit_s=100)

    assert took_s <= 1.3 * one_copy_s(net)


def test_the_source_sends_each_block_once() -> None:
    net = network(receivers=7, blocks=64)

    net.run(limit_s=100)

    assert net.sent == [1] * 64


def test_twenty_receivers_with_few_neighbours_take_little_longer_too() -> None:
    net = network(receivers=20, blocks=96, neighbours=5)

    took_s = net.run(limit_s=100)

    assert took_s <= 1.6 * one_copy_s(net)
    assert sum(net.sent) <= 1.05 * 96


def test_a_receiver_that_dies_holds_nobody_up_for_long() -> None:
    net = network(receivers=7, blocks=96, dies_at_s={"r03": 2.0})

    took_s = net.run(limit_s=100)

    assert took_s <= one_copy_s(net) + 4.0
    assert sum(net.sent) <= 1.2 * 96


def test_a_slow_receiver_holds_the_others_up_little() -> None:
    net = network(receivers=5, blocks=64)
    net.link_bytes_per_s["r02"] /= 20

    took_s = net.run(limit_s=1000, until_done={"r00", "r01", "r03", "r04"})

    assert took_s <= 2.5 * one_copy_s(net)


def test_blocks_that_were_there_before_are_not_sent_again() -> None:
    net = network(receivers=3, blocks=32)
    for name in net.receivers:
        net.give(name, range(24))

    net.run(limit_s=100)

    assert net.sent == [0] * 24 + [1] * 8


def picker(missing: int, **options: Any) -> Picker:
    return Picker(
        missing, **{"source": SOURCE, "in_order": False, "seed": 0, "now": 0.0, **options}
    )


def test_the_rarest_block_comes_first() -> None:
    mine = picker(0b1110)
    mine.announce("a", [1, 2, 3], 0.0)
    mine.announce("b", [1, 2], 0.0)
    mine.announce("c", [1], 0.0)

    first = mine.plan("a", 0.0)

    assert first == Ask((3,), insists=True)


def test_the_source_is_asked_only_for_what_nobody_else_has() -> None:
    mine = picker(0b1111)
    mine.announce("a", [0, 2], 0.0)

    ask = mine.plan(SOURCE, 0.0)

    assert ask == Ask((1, 3), insists=False)


def test_a_block_on_its_way_is_not_asked_for_again_at_first() -> None:
    mine = picker(0b1)
    mine.announce("a", [0], 0.0)
    mine.announce("b", [0], 0.0)
    mine.start(0, "a", 0.0)

    assert mine.plan("b", 1.0) is None
    assert mine.plan("b", 3.0) == Ask((0,), insists=True)


def test_a_damaged_block_is_asked_for_elsewhere() -> None:
    mine = picker(0b1)
    mine.announce("a", [0], 0.0)
    mine.announce("b", [0], 0.0)
    mine.start(0, "a", 0.0)

    mine.blame(0, "a")

    assert mine.plan("a", 0.0) is None
    assert mine.plan("b", 0.0) == Ask((0,), insists=True)


def test_a_damaged_block_that_only_one_had_comes_from_the_source() -> None:
    mine = picker(0b1)
    mine.announce("a", [0], 0.0)
    mine.start(0, "a", 0.0)

    mine.blame(0, "a")

    assert mine.plan(SOURCE, 0.0) == Ask((0,), insists=False)


def test_what_the_source_sent_in_vain_it_has_to_send_again() -> None:
    mine = picker(0b11)
    mine.start(1, SOURCE, 0.0)

    mine.stop(1, SOURCE, was_sent=True)

    assert mine.plan(SOURCE, 0.0) == Ask((1,), insists=True)


def test_what_the_source_declined_is_not_insisted_on() -> None:
    mine = picker(0b1)
    mine.start(0, SOURCE, 0.0)

    mine.stop(0, SOURCE, was_sent=False)

    assert mine.plan(SOURCE, 0.0) == Ask((0,), insists=False)


def test_when_nothing_moves_the_source_is_asked_for_what_others_have_too() -> None:
    mine = picker(0b11)
    mine.announce("a", [1], 0.0)

    patient, impatient = mine.plan(SOURCE, 1.0), mine.plan(SOURCE, 3.0)
    mine.start(0, SOURCE, 3.0)

    assert patient == Ask((0,), insists=False)
    assert impatient == Ask((0,), insists=False)
    assert mine.plan(SOURCE, 3.0) is None

    mine.verify(0, SOURCE, 3.0)

    assert mine.plan(SOURCE, 9.0) == Ask((1,), insists=False)


def test_what_a_peer_had_is_asked_of_the_source_when_the_peer_is_gone() -> None:
    mine = picker(0b1)
    mine.announce("a", [0], 0.0)
    assert mine.plan(SOURCE, 0.0) is None

    mine.remove_peer("a")

    assert mine.plan(SOURCE, 0.0) == Ask((0,), insists=False)


def test_in_order_one_block_after_the_other_is_asked_for() -> None:
    mine = picker(0b111, in_order=True)

    asked = []
    while ask := mine.plan(SOURCE, 0.0):
        asked.append(ask)
        mine.start(ask.candidates[0], SOURCE, 0.0)

    assert asked == [Ask((block,), insists=True) for block in range(3)]


def test_a_piece_waits_only_while_those_before_it_are_on_their_way() -> None:
    mine = picker(0b1111, in_order=True)
    mine.start(1, SOURCE, 0.0)
    mine.start(2, SOURCE, 0.0)

    assert mine.is_next(2, 1)
    assert not mine.is_next(2, 0)

    mine.stop(1, SOURCE, was_sent=True)

    assert not mine.is_next(2, 1)


@given(st.lists(st.sets(st.integers(0, 40)), max_size=9))
def test_holders_are_counted_right_however_many_they_are(haves: list[set[int]]) -> None:
    mine = picker((1 << 41) - 1)
    for number, blocks in enumerate(haves):
        mine.announce(f"peer{number}", blocks, 0.0)
    counts = Counter(block for blocks in haves for block in blocks)

    for number, blocks in enumerate(haves):
        ask = mine.plan(f"peer{number}", 0.0)

        assert (ask is None) == (not blocks)
        if ask is not None:
            (chosen,) = ask.candidates
            assert chosen in blocks
            assert counts[chosen] == min(counts[block] for block in blocks)


@given(st.sets(st.integers(0, 300)))
def test_a_set_of_blocks_has_their_bits(blocks: set[int]) -> None:
    assert block_set(blocks) == sum(1 << block for block in blocks)


def test_the_source_gives_what_it_gave_least() -> None:
    sendings = Sendings(3)

    given = [sendings.choose([0, 1, 2], insists=True, now=0.0) for _ in range(4)]

    assert given == [0, 1, 2, 0]


def test_the_source_gives_nothing_twice_while_others_are_about_to_have_it() -> None:
    sendings = Sendings(1)
    sendings.choose([0], insists=False, now=0.0)

    assert sendings.choose([0], insists=False, now=99.0) is None, "it is still on its way"
    sendings.end(0, now=99.0)
    assert sendings.choose([0], insists=False, now=99.0 + SPREAD_S / 2) is None
    assert sendings.choose([0], insists=False, now=99.0 + SPREAD_S) == 0
    assert sendings.choose([0], insists=True, now=99.0 + SPREAD_S) == 0


def test_what_did_not_leave_can_be_given_at_once() -> None:
    sendings = Sendings(1)
    sendings.choose([0], insists=False, now=0.0)

    sendings.fail(0)

    assert sendings.choose([0], insists=False, now=0.0) == 0


@pytest.mark.parametrize("size", [1, 2, 3, 8, 9, 40])
def test_everyone_pulls_from_few_and_few_pull_from_everyone(size: int) -> None:
    receivers = [f"r{number}" for number in range(size)]
    neighbours = {me: plan_neighbours(me, receivers, 6) for me in receivers}

    pulled = Counter(other for others in neighbours.values() for other in others)

    assert all(len(set(others)) == min(6, size - 1) for others in neighbours.values())
    assert all(me not in others for me, others in neighbours.items())
    assert set(pulled.values()) <= {min(6, size - 1)}


def test_a_block_reaches_everyone_over_few_neighbours() -> None:
    receivers = [f"r{number}" for number in range(100)]
    neighbours = {me: plan_neighbours(me, receivers, 6) for me in receivers}

    have, rounds = {"r0"}, 0
    while len(have) < 100:
        have |= {me for me, others in neighbours.items() if have & set(others)}
        rounds += 1

    assert rounds <= 7
