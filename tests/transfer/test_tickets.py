from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castray.errors import PeerError
from castray.transfer.tickets import TICKET_LIFE_MS, Scope, Ticket, seal, seal_is_right

NOW_MS = 1_700_000_000_000
IDS = st.text(max_size=40)


@given(IDS, IDS, st.integers(0, 1 << 60), st.binary(max_size=20))
def test_a_ticket_survives_its_journey(cast_id: str, peer: str, expires: int, rest: bytes) -> None:
    ticket = Ticket(cast_id, peer, Scope.READ, expires)

    assert Ticket.decode(ticket.encode() + rest) == (ticket, rest)


@given(st.binary(max_size=60))
def test_what_is_no_ticket_is_refused_and_nothing_worse(data: bytes) -> None:
    try:
        ticket, rest = Ticket.decode(data)
    except PeerError:
        return

    assert ticket.encode() + rest == data


def test_a_ticket_is_good_until_it_expires() -> None:
    ticket = Ticket("c", "p", Scope.READ, NOW_MS + TICKET_LIFE_MS)

    ticket.check(Scope.READ, NOW_MS)
    ticket.check(Scope.READ, NOW_MS + TICKET_LIFE_MS - 1)
    with pytest.raises(PeerError, match="expired"):
        ticket.check(Scope.READ, NOW_MS + TICKET_LIFE_MS)


def test_a_ticket_for_ever_is_none() -> None:
    with pytest.raises(PeerError, match="too long"):
        Ticket("c", "p", Scope.READ, NOW_MS + 3_600_000).check(Scope.READ, NOW_MS)


@given(st.lists(st.binary(max_size=9), min_size=1, max_size=4), st.integers(0, 255))
def test_a_seal_fits_nothing_but_what_it_was_made_for(parts: list[bytes], at: int) -> None:
    found = seal(b"secret", b"nonce", *parts)
    bent = bytearray(found)
    bent[at % len(bent)] ^= 1

    assert seal_is_right(found, b"secret", b"nonce", *parts)
    assert not seal_is_right(bytes(bent), b"secret", b"nonce", *parts)
    assert not seal_is_right(found, b"other", b"nonce", *parts)
    assert not seal_is_right(found, b"secret", b"again", *parts)
    assert not seal_is_right(found, b"secret", b"nonce", *parts, b"")


def test_bytes_cannot_wander_from_one_part_to_the_next() -> None:
    assert seal(b"k", b"n", b"ab", b"c") != seal(b"k", b"n", b"a", b"bc")
