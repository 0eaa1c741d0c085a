"""A listening port with one thread for each connection to it, all ended together."""

from __future__ import annotations

import logging
import socket
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from castray.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Listener"]

logger = logging.getLogger(__name__)

RETRY_S = 0.1


class Listener:
    """Takes connections; whoever comes when there are too many is turned away and tries again.

    Args:
        host: The address to listen on.
        ports: The ports to try, in order; 0 means any.
        serve: Works on one connection until that ends, on a thread of its own.
        max_connections: How many at once.

    Raises:
        OSError: None of the ports is free.
    """

    def __init__(
        self,
        host: str,
        ports: Iterable[int],
        serve: Callable[[socket.socket], None],
        max_connections: int,
    ) -> None:
        self._serve = serve
        self._max_connections = max_connections
        self._connections: dict[socket.socket, Thread] = {}
        self._lock = Lock()
        self._closed = Event()
        self._listener = _listen(host, ports, max_connections)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = Thread(target=self._accept, name=f"castray-serve-{self.port}", daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        """End all connections and wait until their threads have ended."""
        with self._lock:
            self._closed.set()
            connections = list(self._connections.items())
        for connection in [self._listener, *(connection for connection, _ in connections)]:
            _shut_down(connection)
        for thread in [self._acceptor, *(thread for _, thread in connections)]:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError as error:
                if self._closed.is_set():
                    return
                # Too many open files, for one: those that are open still work.
                logger.warning("cannot take a connection: %s", error)
                self._closed.wait(RETRY_S)
                continue
            self._start(connection)

    def _start(self, connection: socket.socket) -> None:
        with self._lock:
            if self._closed.is_set() or len(self._connections) >= self._max_connections:
                connection.close()
                return
            thread = Thread(target=self._run, args=[connection], daemon=True)
            self._connections[connection] = thread
            thread.start()

    def _run(self, connection: socket.socket) -> None:
        try:
            self._serve(connection)
        except (PeerError, OSError) as error:
            logger.debug("a connection ended: %s", error)
        except Exception:
            logger.exception("a connection ended by a fault of ours")
        finally:
            connection.close()
            with self._lock:
                del self._connections[connection]


def _listen(host: str, ports: Iterable[int], backlog: int) -> socket.socket:
    refusal = OSError("no port was given to listen on")
    for port in ports:
        try:
            return socket.create_server((host, port), backlog=backlog)
        except OSError as error:
            refusal = error
    raise refusal


def _shut_down(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        logger.debug("a connection had ended already")
