"""How long it takes until everybody has everything, and what the source sends for it."""

from __future__ import annotations

from collections import Counter

import pytest

from castray.core.swarm import plan_neighbours
from tests.core.swarm_network import network, one_copy_s


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
