"""Which block a receiver asks whom for, and which the source gives."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from castray.core.swarm import SPREAD_S, Ask, Picker, Sendings, block_set
from tests.core.swarm_network import SOURCE


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
