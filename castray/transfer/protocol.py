"""What two hosts of a cast say to each other, over one TCP connection. No I/O happens here.

The receiver connects and pulls: it asks, the server answers, one request at a time for each
connection; several connections are several streams. All numbers are little-endian.

    greeting   server → client   "CASTRAY1" | nonce 16 | server's clock, ms since 1970, u64
    request    client → server   length u32 | seal 32 | sequence u32 | op u8 | ticket | payload
    reply      server → client   length u32 | seal 32 | status u8 | body

`length` counts what follows it and is bounded (`MAX_REQUEST_BYTES`, `MAX_REPLY_BYTES`). The seal
of a request covers all after it; that of a reply covers sequence, op, status and body, so that no
answer can be forged or passed off as another. `sequence` grows with every request.

| op       | payload                  | body of the reply                                          |
|----------|--------------------------|------------------------------------------------------------|
| HEADER   |                          | the manifest's header, JSON                                |
| PAGE     | page u32                 | that page, compressed                                      |
| BLOCK    | insists u8, blocks u32…  | block u32 | segment heads; then the segments' raw bytes    |
| DIGESTS  | blocks u32…              | for each block: its segment heads                          |
| WHOLE    | entry u32                | the digest of that whole file, 32                          |
| HAVE     | from u32, wait ms u32    | the blocks verified there from that place in its list on   |

Of the blocks in a BLOCK request the server sends the one that it sent to the fewest so far, and
none (status LATER) when it sent them all before and the request does not insist: so receivers
that start together get different blocks from the source, and each leaves it about once.

A segment head is `state u8 | length u64 | digest 32`. State FAILED means that the source cannot
read the file, and the bytes are the reason, in UTF-8. Digests come from the source alone; other
hosts leave them zero, and the receiver asks the source.

Only what follows a BLOCK reply is not sealed: the digests prove it.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

from castray.errors import PeerError
from castray.transfer.hashing import DIGEST_BYTES
from castray.transfer.tickets import SEAL_BYTES, Ticket, seal, seal_is_right

__all__ = [
    "GREETING",
    "LENGTH",
    "MAGIC",
    "MAX_REPLY_BYTES",
    "MAX_REQUEST_BYTES",
    "NO_DIGEST",
    "Head",
    "Op",
    "Reply",
    "Request",
    "SegmentState",
    "Status",
    "decode_heads",
    "decode_numbers",
    "encode_heads",
    "encode_numbers",
]

MAGIC = b"CASTRAY1"
NONCE_BYTES = 16
GREETING = struct.Struct(f"<8s{NONCE_BYTES}sQ")
LENGTH = struct.Struct("<I")

MAX_REQUEST_BYTES = 16 << 10
"""Enough for 4,000 block numbers."""

MAX_REPLY_BYTES = 9 << 20
"""Enough for the largest page of a manifest, and for the list of a million blocks."""

NO_DIGEST = bytes(DIGEST_BYTES)

HEAD = struct.Struct(f"<BQ{DIGEST_BYTES}s")
REQUEST_HEAD = struct.Struct("<IB")
REPLY_CONTEXT = struct.Struct("<IBB")


class Op(IntEnum):
    """What is asked."""

    HEADER = 1
    PAGE = 2
    BLOCK = 3
    DIGESTS = 4
    WHOLE = 5
    HAVE = 6


class Status(IntEnum):
    """How it is answered; all but OK and UNKNOWN_CAST carry a sentence."""

    OK = 0
    LATER = 1
    FAILED = 2
    UNKNOWN_CAST = 3
    REFUSED = 4


class SegmentState(IntEnum):
    """Whether the bytes of a segment are the file's, or say why there are none."""

    OK = 0
    FAILED = 1


class Head(NamedTuple):
    """What goes before the bytes of a segment."""

    state: SegmentState
    length: int
    digest: bytes = NO_DIGEST


class Request(NamedTuple):
    """A request, its seal not yet checked: `sealed` is what it covers."""

    sequence: int
    op: Op
    ticket: Ticket
    payload: bytes
    seal: bytes = b""
    sealed: bytes = b""

    def encode(self, secret: bytes, nonce: bytes) -> bytes:
        """The whole frame, sealed."""
        sealed = REQUEST_HEAD.pack(self.sequence, self.op) + self.ticket.encode() + self.payload
        return LENGTH.pack(SEAL_BYTES + len(sealed)) + seal(secret, nonce, sealed) + sealed

    @classmethod
    def decode(cls, frame: bytes) -> Request:
        """Read a frame without its length.

        Raises:
            PeerError: It makes no sense.
        """
        found, sealed = frame[:SEAL_BYTES], frame[SEAL_BYTES:]
        try:
            sequence, op = REQUEST_HEAD.unpack_from(sealed)
            known_op = Op(op)
        except (ValueError, struct.error) as error:
            raise PeerError("request", f"makes no sense: {error}") from error
        ticket, payload = Ticket.decode(sealed[REQUEST_HEAD.size :])
        return cls(sequence, known_op, ticket, payload, found, sealed)

    def is_sealed(self, secret: bytes, nonce: bytes) -> bool:
        """Whether whoever sent it knows the secret of the cast."""
        return seal_is_right(self.seal, secret, nonce, self.sealed)


class Reply(NamedTuple):
    """An answer to a request."""

    status: Status
    body: bytes = b""

    def encode(self, secret: bytes, nonce: bytes, request: Request) -> bytes:
        """The whole frame, sealed as the answer to that request."""
        found = seal(secret, nonce, self._context(request), self.body)
        length = LENGTH.pack(SEAL_BYTES + 1 + len(self.body))
        return length + found + bytes([self.status]) + self.body

    @classmethod
    def decode(cls, frame: bytes, secret: bytes, nonce: bytes, request: Request) -> Reply:
        """Read a frame without its length.

        Raises:
            PeerError: It makes no sense, or its seal is wrong.
        """
        try:
            reply = cls(Status(frame[SEAL_BYTES]), frame[SEAL_BYTES + 1 :])
        except (IndexError, ValueError) as error:
            raise PeerError("reply", f"makes no sense: {error}") from error
        # Who does not know the cast has no secret to seal with.
        if reply.status is Status.UNKNOWN_CAST:
            return cls(reply.status)
        context = reply._context(request)
        if not seal_is_right(frame[:SEAL_BYTES], secret, nonce, context, reply.body):
            raise PeerError("reply", "has a wrong seal: something between the hosts changes bytes")
        return reply

    def _context(self, request: Request) -> bytes:
        return REPLY_CONTEXT.pack(request.sequence, request.op, self.status)


def encode_numbers(*numbers: int) -> bytes:
    """Numbers as u32."""
    return struct.pack(f"<{len(numbers)}I", *numbers)


def decode_numbers(data: bytes, count: int | None = None) -> tuple[int, ...]:
    """Read numbers of u32.

    Raises:
        PeerError: It is not that many, or not a whole number of them.
    """
    found, rest = divmod(len(data), 4)
    if rest or (count is not None and found != count):
        raise PeerError("message", f"has {len(data)} bytes where {count or 'some'} numbers belong")
    return struct.unpack(f"<{found}I", data)


def encode_heads(heads: list[Head]) -> bytes:
    """Segment heads, one after the other."""
    return b"".join(HEAD.pack(*head) for head in heads)


def decode_heads(data: bytes) -> list[Head]:
    """Read segment heads.

    Raises:
        PeerError: They make no sense.
    """
    try:
        return [Head(SegmentState(state), *rest) for state, *rest in HEAD.iter_unpack(data)]
    except (ValueError, struct.error) as error:
        raise PeerError("message", f"has unreadable segment heads: {error}") from error
