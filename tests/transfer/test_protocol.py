from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castray.errors import PeerError
from castray.transfer.protocol import (
    LENGTH,
    Head,
    Op,
    Reply,
    Request,
    SegmentState,
    Status,
    decode_heads,
    decode_numbers,
    encode_heads,
    encode_numbers,
)
from castray.transfer.tickets import Scope, Ticket

SECRET, NONCE = b"s" * 32, b"n" * 16
TICKET = Ticket("cast1", "edge", Scope.READ, 99)
REQUEST = Request(7, Op.BLOCK, TICKET, b"payload")


def body(frame: bytes) -> bytes:
    (length,) = LENGTH.unpack_from(frame)
    assert length == len(frame) - LENGTH.size
    return frame[LENGTH.size :]


@given(st.integers(0, (1 << 32) - 1), st.sampled_from(Op), st.binary(max_size=50))
def test_a_request_survives_its_journey(sequence: int, op: Op, payload: bytes) -> None:
    request = Request(sequence, op, TICKET, payload)

    read = Request.decode(body(request.encode(SECRET, NONCE)))

    assert read[:4] == request[:4]
    assert read.is_sealed(SECRET, NONCE)


@given(st.data())
def test_a_request_with_any_byte_changed_is_not_sealed(data: st.DataObject) -> None:
    frame = bytearray(body(REQUEST.encode(SECRET, NONCE)))
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= data.draw(st.integers(1, 255))

    try:
        read = Request.decode(bytes(frame))
    except PeerError:
        return

    assert not read.is_sealed(SECRET, NONCE)


def test_a_recorded_request_is_worth_nothing_on_another_connection() -> None:
    read = Request.decode(body(REQUEST.encode(SECRET, NONCE)))

    assert not read.is_sealed(SECRET, b"m" * 16)


@given(st.sampled_from([s for s in Status if s is not Status.UNKNOWN_CAST]), st.binary(max_size=50))
def test_a_reply_survives_its_journey(status: Status, content: bytes) -> None:
    frame = body(Reply(status, content).encode(SECRET, NONCE, REQUEST))

    assert Reply.decode(frame, SECRET, NONCE, REQUEST) == Reply(status, content)


@given(st.data())
def test_a_reply_with_any_byte_changed_is_refused(data: st.DataObject) -> None:
    frame = bytearray(body(Reply(Status.OK, b"content").encode(SECRET, NONCE, REQUEST)))
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= data.draw(st.integers(1, 255))

    try:
        reply = Reply.decode(bytes(frame), SECRET, NONCE, REQUEST)
    except PeerError:
        return

    # Whoever does not know the cast cannot seal; it brings no content either.
    assert reply == Reply(Status.UNKNOWN_CAST)


def test_a_reply_to_one_request_is_none_to_another() -> None:
    frame = body(Reply(Status.OK, b"content").encode(SECRET, NONCE, REQUEST))

    for other in (REQUEST._replace(sequence=8), REQUEST._replace(op=Op.HAVE)):
        with pytest.raises(PeerError, match="wrong seal"):
            Reply.decode(frame, SECRET, NONCE, other)


@given(st.binary(max_size=200))
def test_noise_is_refused_and_nothing_worse(noise: bytes) -> None:
    for read in (Request.decode, decode_heads, decode_numbers):
        try:
            read(noise)
        except PeerError:
            continue
    with pytest.raises(PeerError):
        Reply.decode(noise[:32] + b"\0" + noise[32:], SECRET, NONCE, REQUEST)


@given(st.lists(st.integers(0, (1 << 32) - 1), max_size=9))
def test_numbers_survive_their_journey(numbers: list[int]) -> None:
    assert decode_numbers(encode_numbers(*numbers)) == tuple(numbers)
    assert decode_numbers(encode_numbers(*numbers), len(numbers)) == tuple(numbers)
    with pytest.raises(PeerError):
        decode_numbers(encode_numbers(*numbers), len(numbers) + 1)


@given(
    st.lists(
        st.builds(
            Head,
            st.sampled_from(SegmentState),
            st.integers(0, 1 << 60),
            st.binary(min_size=32, max_size=32),
        ),
        max_size=5,
    )
)
def test_segment_heads_survive_their_journey(heads: list[Head]) -> None:
    assert decode_heads(encode_heads(heads)) == heads
