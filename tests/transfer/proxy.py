"""A wire that does harm: everything between two hosts goes through it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from castray.transfer.peer import PeerAddress

__all__ = ["Proxy", "flip_byte"]


class Proxy:
    """Listens on a port of its own and passes bytes on.

    Args:
        to: Whom to connect to.
        harm: Is given each piece that the server sends, and the number of bytes before it over
            all connections; what it returns is passed on, and None ends the connection.
    """

    def __init__(
        self, to: PeerAddress, harm: Callable[[bytes, int], bytes | None] = lambda data, _: data
    ) -> None:
        self._to = to
        self._harm = harm
        self._passed = 0
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def close(self) -> None:
        """End everything."""
        for connection in [self._listener, *self._sockets]:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((self._to.host, self._to.port))
                self._sockets += [client, server]
                for flow in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._pass, args=flow, daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if is_answer:
                    with self._lock:
                        harmed = self._harm(data, self._passed)
                        self._passed += len(data)
                    if harmed is None:
                        break
                    data = harmed
                sink.sendall(data)
        for connection in (source, sink):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def flip_byte(at: int) -> Callable[[bytes, int], bytes]:
    """Flips one bit of the byte that comes after so many."""

    def harm(data: bytes, before: int) -> bytes:
        place = at - before
        if not 0 <= place < len(data):
            return data
        return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]

    return harm
