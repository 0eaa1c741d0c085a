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
        to: Whom to connect to, asked for each connection.
        harm: Is given each piece that the server sends, and the number of bytes before it over
            all connections; what it returns is passed on, and None ends the connection.

    Attributes:
        passed: How many bytes the server has sent.
    """

    def __init__(
        self,
        to: Callable[[], PeerAddress],
        harm: Callable[[bytes, int], bytes | None] = lambda data, _: data,
    ) -> None:
        self.passed = 0
        self._to = to
        self._harm = harm
        self._flows = threading.Event()
        self._flows.set()
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
        _end([self._listener])
        self.thaw()
        self.sever()

    def sever(self) -> None:
        """End all connections; new ones are welcome."""
        with self._lock:
            ended, self._sockets = self._sockets, []
        _end(ended)

    def freeze(self) -> None:
        """Pass nothing on, and tell nobody."""
        self._flows.clear()

    def thaw(self) -> None:
        """Pass on again, first what came meanwhile."""
        self._flows.set()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    to = self._to()
                    server = socket.create_connection((to.host, to.port))
                except OSError:
                    client.close()
                    continue
                with self._lock:
                    self._sockets += [client, server]
                for flow in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._pass, args=flow, daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if is_answer:
                    with self._lock:
                        harmed = self._harm(data, self.passed)
                        self.passed += len(data)
                    if harmed is None:
                        break
                    data = harmed
                self._flows.wait()
                sink.sendall(data)
        for connection in (source, sink):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _end(connections: list[socket.socket]) -> None:
    for connection in connections:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()


def flip_byte(at: int) -> Callable[[bytes, int], bytes]:
    """Flips one bit of the byte that comes after so many."""

    def harm(data: bytes, before: int) -> bytes:
        place = at - before
        if not 0 <= place < len(data):
            return data
        return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]

    return harm
