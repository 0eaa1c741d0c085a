"""A network in memory: receivers that plan for themselves, over links that are capped."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from castray.core.swarm import Picker, Sendings, plan_neighbours

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SOURCE", "Network", "network", "one_copy_s"]

MIB = 1 << 20

SOURCE = "source"

NEWS_S = 0.02
"""How long it takes until one receiver hears what another has."""


@dataclass
class Transfer:
    """A block on its way, of which so many bytes are missing yet."""

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
        """How many blocks each receiver does not have yet."""
        return {name: picker.missing.bit_count() for name, picker in self.pickers.items()}

    def bury_the_dead(self) -> None:
        """Break off what goes to and from those whose time has come."""
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
        """Tell the neighbours of whoever has a new block."""
        for at, name, block in [n for n in self.news if n[0] <= self.now]:
            self.news.remove((at, name, block))
            for other in self.alive:
                if name in self.peers[other] and name in self.alive:
                    self.pickers[other].announce(name, [block], self.now)

    def start_transfers(self) -> None:
        """Have each receiver ask everyone who sends it nothing at the moment."""
        for receiver in sorted(self.alive):
            for sender in [SOURCE, *self.peers[receiver]]:
                is_busy = any(t.sender == sender and t.receiver == receiver for t in self.transfers)
                is_waiting = self.waiting_until.get((receiver, sender), 0) > self.now
                if not is_busy and not is_waiting and (sender in self.alive or sender == SOURCE):
                    self.ask(receiver, sender)

    def ask(self, receiver: str, sender: str) -> None:
        """Begin the next transfer between the two, if there is any."""
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
        """The bytes/s of each transfer: links are shared evenly."""
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
        """The receiver has the block, and its neighbours are about to hear of it."""
        if transfer.sender == SOURCE:
            self.sendings.end(transfer.block, self.now)
        self.pickers[transfer.receiver].verify(transfer.block, transfer.sender, self.now)
        if transfer.block not in self.has[transfer.receiver]:
            self.has[transfer.receiver].append(transfer.block)
            self.news.append((self.now + NEWS_S, transfer.receiver, transfer.block))


def network(receivers: int, blocks: int, mbit_per_s: float = 200, **options: object) -> Network:
    """A source and that many receivers, over links of one speed."""
    names = [f"r{number:02}" for number in range(receivers)]
    links = dict.fromkeys([SOURCE, *names], mbit_per_s * 1e6 / 8)
    return Network(blocks, names, links, **options)  # type: ignore[arg-type]


def one_copy_s(net: Network) -> float:
    """How long the source takes at least to send everything once."""
    return net.blocks * net.block_bytes / net.link_bytes_per_s[SOURCE]
