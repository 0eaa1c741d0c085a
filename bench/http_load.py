"""Load on one address from many keep-alive connections, each asking again once it is answered.

One thread over plain sockets, which makes as many requests a second as wrk does.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from contextlib import ExitStack
from typing import NamedTuple
from urllib.parse import urlsplit

from bench.figures import percentile

__all__ = ["Load", "measure_load"]

WARM_UP_S = 1.0
"""A server that is busy with the first connections takes its time to accept the others: 0.3 s for
64 of them. What is measured is how it answers those that it has."""

TIMEOUT_S = 30.0
RECEIVE_BYTES = 2**20
MAX_HEAD_BYTES = 4096
HEAD = re.compile(
    rb"HTTP/1.1 200 .*?\r\ncontent-length: (\d+)\r\n(.*?\r\n)?\r\n", re.IGNORECASE | re.DOTALL
)


class Load(NamedTuple):
    """What was answered, in the time that it took."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    longest_ms: float


def measure_load(url: str, connections: int, duration_s: float, *headers: str) -> Load:
    """Load that address, first for a second that does not count; every answer must be 200.

    Raises:
        RuntimeError: Some answer was not, or did not come.
    """
    parts = urlsplit(url)
    target = f"{parts.path or '/'}?{parts.query}".rstrip("?")
    lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", *headers, "", ""]
    request = "\r\n".join(lines).encode()
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for _ in range(connections):
            peer = stack.enter_context(
                socket.create_connection((parts.hostname, parts.port or 80), TIMEOUT_S)
            )
            selector.register(peer, selectors.EVENT_READ, _Connection(peer, request))
        _exchange(selector, WARM_UP_S)
        took_ms = _exchange(selector, duration_s)
    return Load(
        len(took_ms) / duration_s,
        percentile(took_ms, 50),
        percentile(took_ms, 99),
        max(took_ms),
    )


class _Connection:
    """One connection, which always waits for an answer.

    Args:
        peer: Where to ask; something is there whenever `receive` is called.
        request: What.
    """

    def __init__(self, peer: socket.socket, request: bytes) -> None:
        self._peer = peer
        self._request = request
        self._asked_at_s = 0.0
        self._missing_bytes: int | None = None
        self._ask()

    def receive(self, buffer: memoryview) -> float | None:
        """Take in what is there; how long the answer took, in ms, once it is whole."""
        size = self._peer.recv_into(buffer)
        if self._missing_bytes is None:
            head = HEAD.match(bytes(buffer[: min(size, MAX_HEAD_BYTES)]))
            if head is None:
                raise RuntimeError(f"the answer is {bytes(buffer[: min(size, 200)])!r}")
            self._missing_bytes = head.end() + int(head[1])
        self._missing_bytes -= size
        if self._missing_bytes:
            return None
        took_ms = 1000 * (time.perf_counter() - self._asked_at_s)
        self._ask()
        return took_ms

    def _ask(self) -> None:
        self._missing_bytes = None
        self._asked_at_s = time.perf_counter()
        self._peer.sendall(self._request)


def _exchange(selector: selectors.BaseSelector, duration_s: float) -> list[float]:
    """Take answers for that long, in ms each."""
    buffer = memoryview(bytearray(RECEIVE_BYTES))
    took_ms: list[float] = []
    ends_at_s = time.perf_counter() + duration_s
    while time.perf_counter() < ends_at_s:
        ready = selector.select(TIMEOUT_S)
        if not ready:
            raise RuntimeError(f"no answer within {TIMEOUT_S:.0f} s")
        took_ms += [ms for key, _ in ready if (ms := key.data.receive(buffer)) is not None]
    return took_ms
