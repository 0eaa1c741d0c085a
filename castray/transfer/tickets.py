"""The short-lived proof, in every request, that its sender takes part in that very cast.

A ticket names the cast, the host that asks, what it may do and until when, and is sealed, together
with the request itself, by HMAC-SHA256 with the secret that only the cast's hosts share. The seal
covers a number that the server drew for this connection, so a recorded request is worth nothing,
and the expiry is by the server's clock, so the hosts' clocks need not agree.
"""

from __future__ import annotations

import hmac
import struct
from enum import IntEnum
from typing import NamedTuple

from castray.errors import PeerError

__all__ = ["SEAL_BYTES", "TICKET_LIFE_MS", "Scope", "Ticket", "seal", "seal_is_right"]

TICKET_LIFE_MS = 60_000

SEAL_BYTES = 32

FIXED = struct.Struct("<BQBB")


class Scope(IntEnum):
    """What a ticket allows."""

    READ = 1


class Ticket(NamedTuple):
    """Who may do what in which cast, until when (milliseconds since 1970, the server's clock)."""

    cast_id: str
    peer: str
    scope: Scope
    expires_ms: int

    def encode(self) -> bytes:
        """The ticket as bytes."""
        cast_id, peer = self.cast_id.encode(), self.peer.encode()
        fixed = FIXED.pack(self.scope, self.expires_ms, len(cast_id), len(peer))
        return fixed + cast_id + peer

    @classmethod
    def decode(cls, data: bytes) -> tuple[Ticket, bytes]:
        """Read a ticket at the start of `data`.

        Returns:
            The ticket, and what follows it.

        Raises:
            PeerError: There is none.
        """
        try:
            scope, expires_ms, *lengths = FIXED.unpack_from(data)
            ids = struct.Struct("{}s{}s".format(*lengths))
            cast_id, peer = (part.decode() for part in ids.unpack_from(data, FIXED.size))
            ticket = cls(cast_id, peer, Scope(scope), expires_ms)
        except (ValueError, struct.error) as error:
            raise PeerError("request", f"has no readable ticket: {error}") from error
        return ticket, data[FIXED.size + ids.size :]

    def check(self, scope: Scope, now_ms: int) -> None:
        """Make sure that the ticket, its seal being right, allows this now.

        Raises:
            PeerError: It does not.
        """
        if self.scope is not scope:
            raise PeerError(self.peer, f"has a ticket for {self.scope.name}, not {scope.name}")
        if not now_ms < self.expires_ms <= now_ms + 2 * TICKET_LIFE_MS:
            raise PeerError(self.peer, "has a ticket that expired, or that is valid for too long")


def seal(secret: bytes, nonce: bytes, *parts: bytes) -> bytes:
    """The seal over some bytes, for the connection with that nonce."""
    mac = hmac.new(secret, nonce, "sha256")
    for part in parts:
        # With its length before it, no byte can wander from one part to the next.
        mac.update(struct.pack("<Q", len(part)))
        mac.update(part)
    return mac.digest()


def seal_is_right(found: bytes, secret: bytes, nonce: bytes, *parts: bytes) -> bool:
    """Compare a seal, in a time that tells nothing about it."""
    return hmac.compare_digest(found, seal(secret, nonce, *parts))
