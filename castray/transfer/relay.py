"""Passing bytes on to one host of a cast, for those who cannot reach it themselves.

What passes is not looked at: it is sealed between the two ends, and whoever has no ticket of that
cast learns nothing here that the host itself would not tell.
"""

from __future__ import annotations

import select
import socket
from typing import TYPE_CHECKING

from castray.transfer.buffers import new_buffer
from castray.transfer.listening import Listener
from castray.transfer.sockets import prepare

if TYPE_CHECKING:
    from collections.abc import Iterable

    from castray.transfer.peer import PeerAddress

__all__ = ["Relay"]

MAX_CONNECTIONS = 64
BUFFER_BYTES = 256 << 10
"""What one relay may cost in memory is the product of the two."""

CONNECT_S = 5.0

IDLE_S = 60.0
"""A connection on which nothing moves in either direction for so long is given up."""


class Relay:
    """Listens on a port of its own, and connects whoever comes with that one peer.

    Args:
        host: The address to listen on.
        ports: The ports to try, in order; 0 means any.
        peer: Where every connection leads.

    Raises:
        OSError: None of the ports is free.
    """

    def __init__(self, host: str, ports: Iterable[int], peer: PeerAddress) -> None:
        self._peer = peer
        self._listener = Listener(host, ports, self._pass_on, MAX_CONNECTIONS)
        self.port = self._listener.port

    def lead_to(self, peer: PeerAddress) -> None:
        """Have new connections lead there: the peer has another address now."""
        self._peer = peer

    def close(self) -> None:
        """End all connections and wait until their threads have ended."""
        self._listener.close()

    def _pass_on(self, client: socket.socket) -> None:
        place = (self._peer.host, self._peer.port)
        with socket.create_connection(place, timeout=CONNECT_S) as server:
            server.settimeout(None)
            for connection in (client, server):
                prepare(connection, IDLE_S)
            _splice(client, server)


def _splice(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until either side ends."""
    routes = {one.fileno(): (one, other), other.fileno(): (other, one)}
    buffer = new_buffer(BUFFER_BYTES)
    poller = select.poll()
    for descriptor in routes:
        poller.register(descriptor, select.POLLIN)
    while ready := poller.poll(IDLE_S * 1000):
        for descriptor, _ in ready:
            source, sink = routes[descriptor]
            count = source.recv_into(buffer)
            if not count:
                return
            sink.sendall(buffer[:count])
