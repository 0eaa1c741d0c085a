"""Serves the blocks of all casts that this host takes part in, to whoever has a ticket.

One thread for each connection: nearly all its time goes into the kernel, which sends the files.
"""

from __future__ import annotations

import secrets
import socket
import time
from typing import TYPE_CHECKING

from castray.errors import CastError, PeerError
from castray.transfer.congestion import stop_pacing_if_fast
from castray.transfer.listening import Listener
from castray.transfer.protocol import (
    GREETING,
    MAGIC,
    MAX_REQUEST_BYTES,
    NONCE_BYTES,
    Op,
    Reply,
    Request,
    Status,
    decode_numbers,
    encode_heads,
    encode_numbers,
)
from castray.transfer.share import FileRange, LaterError
from castray.transfer.sockets import prepare, receive_frame, send_bytes, send_file, set_timeouts
from castray.transfer.tickets import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from castray.transfer.pacing import Pace
    from castray.transfer.share import Piece, Share

__all__ = ["BlockServer"]

MAX_CONNECTIONS = 256
"""Each costs a thread; whoever comes when they are all taken is turned away and tries again."""

FIRST_REQUEST_S = 10.0
"""A stranger has so long to show a ticket."""

IDLE_S = 60.0
"""A connection on which nothing moves for so long is given up."""

MAX_WAIT_S = 10.0
"""The longest that a request for news waits for some."""


class BlockServer:
    """Listens on one port for all casts.

    Args:
        host: The address to listen on.
        ports: The ports to try, in order; 0 means any.

    Raises:
        OSError: None of them is free.
    """

    def __init__(self, host: str, ports: Iterable[int] = (0,)) -> None:
        self._shares: dict[str, Share] = {}
        self._listener = Listener(host, ports, self._serve, MAX_CONNECTIONS)
        self.port = self._listener.port

    def add(self, cast_id: str, share: Share) -> None:
        """Give out what belongs to a cast from now on."""
        self._shares[cast_id] = share

    def remove(self, cast_id: str) -> None:
        """Give it out no more; a block on its way still arrives."""
        share = self._shares.pop(cast_id, None)
        if share is not None:
            share.close()

    def close(self) -> None:
        """End all connections and wait until their threads have ended."""
        for cast_id in list(self._shares):
            self.remove(cast_id)
        self._listener.close()

    def _serve(self, connection: socket.socket) -> None:
        _Conversation(connection, self._shares).run()


class _Conversation:
    """One connection, from its greeting to its end."""

    def __init__(self, connection: socket.socket, shares: dict[str, Share]) -> None:
        self._connection = connection
        self._shares = shares
        self._nonce = secrets.token_bytes(NONCE_BYTES)
        self._sequence = 0

    def run(self) -> None:
        prepare(self._connection, FIRST_REQUEST_S)
        self._connection.sendall(GREETING.pack(MAGIC, self._nonce, _now_ms()))
        deadline: float | None = time.monotonic() + FIRST_REQUEST_S
        while True:
            frame = receive_frame(self._connection, MAX_REQUEST_BYTES, deadline)
            if deadline is not None:
                set_timeouts(self._connection, IDLE_S)
                deadline = None
            self._answer(Request.decode(frame))

    def _answer(self, request: Request) -> None:
        share = self._shares.get(request.ticket.cast_id)
        if share is None:
            frame = Reply(Status.UNKNOWN_CAST).encode(b"", self._nonce, request)
            self._connection.sendall(frame)
            return
        self._check(request, share)
        try:
            if request.op is Op.BLOCK:
                self._send_block(request, share)
            else:
                self._reply(request, share, Status.OK, _body(request, share))
        except LaterError as error:
            self._reply(request, share, Status.LATER, str(error).encode())
        except PeerError:
            raise
        except IndexError as error:
            raise PeerError(request.ticket.peer, f"asks for what there is not: {error}") from error
        except CastError as error:
            self._reply(request, share, Status.FAILED, str(error).encode())

    def _check(self, request: Request, share: Share) -> None:
        if not request.is_sealed(share.secret, self._nonce):
            raise PeerError(request.ticket.peer, "sent a request with a wrong seal")
        if request.sequence <= self._sequence:
            raise PeerError(request.ticket.peer, "sent a request twice")
        request.ticket.check(Scope.READ, _now_ms())
        self._sequence = request.sequence

    def _reply(self, request: Request, share: Share, status: Status, body: bytes) -> None:
        self._connection.sendall(Reply(status, body).encode(share.secret, self._nonce, request))

    def _send_block(self, request: Request, share: Share) -> None:
        insists, candidates = request.payload[:1] == b"\1", decode_numbers(request.payload[1:])
        block = share.choose(candidates, insists=insists)
        if block is None:
            raise LaterError("blocks", "are on their way to others, who will have them soon")
        with share.open_block(block) as pieces:
            body = encode_numbers(block) + encode_heads([piece.head for piece in pieces])
            frame = Reply(Status.OK, body).encode(share.secret, self._nonce, request)
            stop_pacing_if_fast(self._connection)
            self._connection.sendall(frame, socket.MSG_MORE)
            self._send_bodies(pieces, share.pace)
            _flush(self._connection)

    def _send_bodies(self, pieces: list[Piece], pace: Pace) -> None:
        """Send what is in memory in few calls, and files by the kernel."""
        held: list[bytes | memoryview] = []
        for piece in pieces:
            if isinstance(piece.body, FileRange):
                send_bytes(self._connection, b"".join(held), pace)
                held.clear()
                send_file(self._connection, piece.body, pace)
            else:
                held.append(piece.body)
        send_bytes(self._connection, b"".join(held), pace)


def _body(request: Request, share: Share) -> bytes:
    """What is answered to everything but a request for a block."""
    if request.op is Op.HEADER:
        return share.header()
    if request.op is Op.DIGESTS:
        blocks = decode_numbers(request.payload)
        return b"".join(encode_heads(share.digests(block)) for block in blocks)
    if request.op is Op.HAVE:
        start, wait_ms = decode_numbers(request.payload, 2)
        return encode_numbers(*share.have(start, min(wait_ms / 1000, MAX_WAIT_S)))
    (number,) = decode_numbers(request.payload, 1)
    return share.page(number) if request.op is Op.PAGE else share.whole(number)


def _flush(connection: socket.socket) -> None:
    """Send what was held back in the hope of more."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
