"""The asking side of one connection to another host of the cast."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from castray.errors import CastError, PeerError
from castray.transfer.hashing import DIGEST_BYTES
from castray.transfer.manifest import Manifest, ManifestHeader
from castray.transfer.protocol import (
    GREETING,
    MAGIC,
    MAX_REPLY_BYTES,
    Head,
    Op,
    Reply,
    Request,
    Status,
    decode_heads,
    decode_numbers,
    encode_numbers,
)
from castray.transfer.share import LaterError
from castray.transfer.sockets import prepare, receive_frame, receive_into, set_timeouts
from castray.transfer.tickets import TICKET_LIFE_MS, Scope, Ticket

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Membership", "PeerAddress", "PeerConnection"]

CONNECT_S = 5.0
IDLE_S = 20.0
"""A peer from which nothing comes for so long is given up, and asked again later."""


@dataclass(frozen=True)
class PeerAddress:
    """Where a host of the cast serves its blocks."""

    name: str
    host: str
    port: int
    is_source: bool = False


@dataclass(frozen=True)
class Membership:
    """What makes this host a part of a cast."""

    cast_id: str
    secret: bytes
    me: str


class PeerConnection:
    """A connection to a peer; for one thread at a time.

    Args:
        address: Whom to ask.
        membership: In which cast, and as whom.
        connect_s: How long it may take to be connected, and to be greeted.

    Raises:
        PeerError: Nobody is there, or it is no host of ours.
    """

    def __init__(
        self, address: PeerAddress, membership: Membership, connect_s: float = CONNECT_S
    ) -> None:
        self.address = address
        self._membership = membership
        self._sequence = 0
        try:
            place = (address.host, address.port)
            self._socket = socket.create_connection(place, timeout=connect_s)
        except OSError as error:
            raise PeerError(address.name, f"cannot be reached at {place}: {error}") from error
        try:
            self._socket.settimeout(None)
            prepare(self._socket, connect_s)
            self._greet()
            set_timeouts(self._socket, IDLE_S)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def abort(self) -> None:
        """Make whatever another thread does with this connection fail now."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def fetch_manifest(self) -> Manifest:
        """The whole manifest of the cast.

        Raises:
            CastError: The peer has none, or a broken one.
        """
        try:
            header = ManifestHeader.model_validate_json(self._ask(Op.HEADER))
        except ValidationError as error:
            raise PeerError(self.address.name, f"sends no manifest of ours: {error}") from error
        pages = [self._ask(Op.PAGE, encode_numbers(number)) for number in range(header.pages)]
        return Manifest(header, pages)

    def fetch_digests(self, blocks: Sequence[int]) -> list[Head]:
        """The heads of all segments of these blocks, one after the other."""
        return decode_heads(self._ask(Op.DIGESTS, encode_numbers(*blocks)))

    def fetch_whole(self, number: int) -> bytes:
        """The digest of the whole file of an entry.

        Raises:
            LaterError: The source is still hashing it.
            CastError: It cannot be read there.
        """
        digest = self._ask(Op.WHOLE, encode_numbers(number))
        if len(digest) != DIGEST_BYTES:
            raise PeerError(self.address.name, "sent a digest of a wrong length")
        return digest

    def fetch_news(self, start: int, wait_s: float) -> tuple[int, ...]:
        """The blocks that the peer verified, from that place in its list on."""
        return decode_numbers(self._ask(Op.HAVE, encode_numbers(start, int(wait_s * 1000))))

    def start_block(self, candidates: Sequence[int], *, insists: bool) -> tuple[int, list[Head]]:
        """Ask for one of some blocks; `receive` then takes in its bytes, all of them.

        Raises:
            LaterError: The peer gives none of them now.
            PeerError: It sends nonsense, or nothing.
        """
        payload = bytes([insists]) + encode_numbers(*candidates)
        body = self._ask(Op.BLOCK, payload)
        (block,) = decode_numbers(body[:4], 1)
        if block not in candidates:
            raise PeerError(self.address.name, f"sends block {block}, for which nobody asked")
        return block, decode_heads(body[4:])

    def receive(self, buffer: memoryview) -> None:
        """Take in the next bytes of the block that was started.

        Raises:
            PeerError: They do not come.
        """
        try:
            receive_into(self._socket, buffer)
        except (PeerError, OSError) as error:
            raise self._lost(error) from error

    def _greet(self) -> None:
        greeting = bytearray(GREETING.size)
        self.receive(memoryview(greeting))
        magic, self._nonce, self._server_ms = GREETING.unpack(greeting)
        self._greeted_at = time.monotonic()
        if magic != MAGIC:
            raise PeerError(self.address.name, "is no CastRay host, or of another version")

    def _ask(self, op: Op, payload: bytes = b"") -> bytes:
        membership = self._membership
        self._sequence += 1
        now_ms = self._server_ms + int((time.monotonic() - self._greeted_at) * 1000)
        ticket = Ticket(membership.cast_id, membership.me, Scope.READ, now_ms + TICKET_LIFE_MS)
        request = Request(self._sequence, op, ticket, payload)
        try:
            self._socket.sendall(request.encode(membership.secret, self._nonce))
            frame = receive_frame(self._socket, MAX_REPLY_BYTES)
            reply = Reply.decode(frame, membership.secret, self._nonce, request)
        except (PeerError, OSError) as error:
            raise self._lost(error) from error
        return self._checked(reply)

    def _checked(self, reply: Reply) -> bytes:
        name = self.address.name
        if reply.status is Status.OK:
            return reply.body
        if reply.status is Status.UNKNOWN_CAST:
            raise PeerError(name, "does not take part in this cast, or not yet")
        text = reply.body.decode(errors="replace")
        raise (LaterError if reply.status is Status.LATER else CastError)(name, text)

    def _lost(self, error: Exception) -> PeerError:
        problem = error.problem if isinstance(error, PeerError) else str(error)
        return PeerError(self.address.name, f"was lost: the connection {problem}")
