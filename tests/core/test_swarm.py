from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castray.core.swarm import Picker, block_set, least_sent, plan_neighbours

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
    source_streams: int = 2
    dies_at_s: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now = 0.0
        self.sent = [0] * self.blocks
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

    def run(self, limit_s: float) -> float:
        """The seconds until every receiver that lives has everything."""
        while any(self.pickers[name].missing for name in self.alive):
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
                    self.pickers[transfer.receiver].stop(transfer.block, transfer.sender)
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
            for sender in [SOURCE] * self.source_streams + self.peers[receiver]:
                streams = self.source_streams if sender == SOURCE else 1
                busy = sum(t.sender == sender and t.receiver == receiver for t in self.transfers)
                is_waiting = self.waiting_until.get((receiver, sender), 0) > self.now
                if busy < streams and not is_waiting and (sender in self.alive or sender == SOURCE):
                    self.ask(receiver, sender)

    def ask(self, receiver: str, sender: str) -> None:
        picker = self.pickers[receiver]
        ask = picker.plan(sender, self.now)
        if ask is None:
            return
        if sender == SOURCE:
            block = least_sent(ask.candidates, self.sent, insists=ask.insists)
            if block is None:
                self.waiting_until[receiver, sender] = self.now + 0.25
                return
            self.sent[block] += 1
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

    def arrive(self, transfer: Transfer) -> None:
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
    net = network(receivers=7, blocks=256)

    took_s = net.run(limit_s=100)

    assert took_s <= 1.3 * one_copy_s(net)


def test_the_source_sends_each_block_once() -> None:
    net = network(receivers=7, blocks=256)

    net.run(limit_s=100)

    assert net.sent == [1] * 256


def test_thirty_receivers_with_few_neighbours_take_little_longer_too() -> None:
    net = network(receivers=30, blocks=128, neighbours=6)

    took_s = net.run(limit_s=100)

    assert took_s <= 1.5 * one_copy_s(net)
    assert sum(net.sent) <= 1.05 * 128


def test_a_receiver_that_dies_holds_nobody_up_for_long() -> None:
    net = network(receivers=7, blocks=128, dies_at_s={"r03": 2.0})

    took_s = net.run(limit_s=100)

    assert took_s <= 1.8 * one_copy_s(net)
    assert sum(net.sent) <= 1.2 * 128
