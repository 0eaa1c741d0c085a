"""From one change to the message on each of 1,000 open sockets.

A `POST` to the API alone on uvicorn makes a simulated node report another status, which goes to
every `/ws?mode=delta`. In turns with that, plain uvicorn pushes the same message to as many.

    python -m bench.fan_out [--sockets 1000] [--changes 50]
"""

from __future__ import annotations

import argparse
import selectors
import socket
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench.figures import Limit, describe_machine, percentile, print_limits, print_table
from bench.programs import running, running_uvicorn, wait_for_port
from castray.cli.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from typing_extensions import Self

__all__ = ["main"]

NODES = 3
GAP_S = 0.3
"""Changes that follow each other more closely are sent together."""

UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
)
MESSAGE = b'{"type":"delta"'
RECEIVE_BYTES = 2**20
TIMEOUT_S = 10.0
P50_LIMIT = 1.5


def main() -> None:
    """Measure, print, and say whether the limit is met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sockets", type=int, default=1000, help="at each (%(default)s)")
    parser.add_argument("--changes", type=int, default=50, help="at each (%(default)s)")
    arguments = parser.parse_args()
    sockets, changes = arguments.sockets, arguments.changes
    print(f"fan_out: {sockets} sockets, {changes} changes; {describe_machine()}\n")
    took_ms: list[float] = []
    bare_ms: list[float] = []
    with (
        _simulated_api() as api_url,
        running_uvicorn("bench.bare_server:app") as bare_url,
        _Crowd(f"{api_url}/ws?mode=delta", sockets) as crowd,
        _Crowd(bare_url, sockets) as bare_crowd,
    ):
        for _ in range(changes):
            time.sleep(GAP_S)
            message = crowd.time_message("/report", b"", took_ms)
            time.sleep(GAP_S)
            bare_crowd.time_message("/", message, bare_ms)
    _print(took_ms, bare_ms)


class _Crowd:
    """Open sockets at one address, and a connection for the posts beside them.

    Args:
        url: Where.
        count: How many sockets.
    """

    def __init__(self, url: str, count: int) -> None:
        self._url = urlsplit(url)
        self._count = count
        self._selector = selectors.DefaultSelector()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._poster = self._connect()
        for _ in range(self._count):
            peer = self._connect()
            peer.sendall(
                self._request("GET", f"{self._url.path or '/'}?{self._url.query}", UPGRADE)
            )
            if not peer.recv(RECEIVE_BYTES).startswith(b"HTTP/1.1 101 "):
                raise RuntimeError(f"{self._url.netloc} takes no WebSocket")
            self._selector.register(peer, selectors.EVENT_READ, peer)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._selector.close()

    def time_message(self, path: str, body: bytes, took_ms: list[float]) -> bytes:
        """Post there and wait until every socket has the message that follows from it.

        Args:
            path: Where.
            body: What.
            took_ms: How long it took to each socket is added to this.

        Returns:
            The message.
        """
        while ready := self._selector.select(0):
            for key, _ in ready:
                self._receive(key.data)
        request = self._request("POST", path, [f"Content-Length: {len(body)}"]) + body
        waiting = self._count
        began_s = time.perf_counter()
        self._poster.sendall(request)
        while waiting:
            ready = self._selector.select(TIMEOUT_S)
            if not ready:
                raise RuntimeError(f"{waiting} sockets are told nothing for {TIMEOUT_S:.0f} s")
            for key, _ in ready:
                found = self._receive(key.data)
                if found:
                    message = found
                    took_ms.append(1000 * (time.perf_counter() - began_s))
                    waiting -= 1
        if not self._poster.recv(RECEIVE_BYTES).startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"{self._url.netloc} does not take the change")
        return message

    def _connect(self) -> socket.socket:
        address = (self._url.hostname, self._url.port or 80)
        return self._stack.enter_context(socket.create_connection(address, TIMEOUT_S))

    def _request(self, method: str, target: str, headers: Sequence[str]) -> bytes:
        lines = (f"{method} {target} HTTP/1.1", f"Host: {self._url.netloc}", *headers, "", "")
        return "\r\n".join(lines).encode()

    def _receive(self, peer: socket.socket) -> bytes:
        """The message that is waited for, if it is among what has come; it comes last."""
        received = peer.recv(RECEIVE_BYTES)
        if not received:
            raise RuntimeError(f"{self._url.netloc} closed a socket")
        _, found, rest = received.partition(MESSAGE)
        return found + rest


@contextmanager
def _simulated_api() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "bench.simulated_api", f"--nodes={NODES}", f"--port={port}"]
    with running([*command, "--quiet"]):
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}"


def _print(took_ms: list[float], bare_ms: list[float]) -> None:
    rows = {"plain uvicorn": bare_ms, "/ws?mode=delta": took_ms}
    print_table(
        ("ms", "p50", "p99", "longest"),
        [
            (name, *(f"{percentile(values, percent):.1f}" for percent in (50, 99, 100)))
            for name, values in rows.items()
        ],
    )
    ratio = percentile(took_ms, 50) / percentile(bare_ms, 50)
    print_limits(
        [Limit("p50 / plain uvicorn", f"≤ {P50_LIMIT}", f"{ratio:.2f}", ratio <= P50_LIMIT)]
    )


if __name__ == "__main__":
    main()
