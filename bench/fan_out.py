"""From one change to the message on each of 1,000 open sockets.

First the API alone on uvicorn: a `POST` to it makes a simulated node report another status, which
goes to every `/ws?mode=delta`. Then all of CastRay on a Ray of one node with HAProxy: the `POST` is
`/api/update_status` of the node's monitor. In turns with each, plain uvicorn pushes the same
message to as many sockets.

    python -m bench.fan_out [--sockets 1000] [--changes 50]
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from bench.figures import Limit, describe_machine, percentile, print_limits, print_table
from bench.local_castray import running_castray, running_monitors, wait_for_nodes
from bench.programs import running, running_uvicorn, wait_for_port
from castray.cli.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from urllib.parse import SplitResult

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
STATUSES = ("detecting", "sending")
MESSAGE = b'{"type":"delta"'
FRAME = b"\x81"
"""How each begins on the wire, and nothing in it."""

RECEIVE_BYTES = 2**20
TIMEOUT_S = 10.0
P50_LIMIT = 1.5


class Times(NamedTuple):
    """How long each change took to each socket."""

    ours_ms: list[float]
    bare_ms: list[float]


def main() -> None:
    """Measure, print, and say whether the limit is met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sockets", type=int, default=1000, help="at each (%(default)s)")
    parser.add_argument("--changes", type=int, default=50, help="at each (%(default)s)")
    arguments = parser.parse_args()
    print(
        f"fan_out: {arguments.sockets} sockets, {arguments.changes} changes; {describe_machine()}\n"
    )
    port = free_port()
    with running_uvicorn("bench.bare_server:app") as bare_url:
        with _simulated_api() as url:
            alone = _measure(url, f"{url}/report", bare_url, **vars(arguments))
        with running_castray([port]) as url, running_monitors("castray.monitor", [port]):
            wait_for_nodes(url, 1, lambda node: node["monitor"]["kind"] == "stream")
            monitor_url = f"http://127.0.0.1:{port}/api/update_status"
            whole = _measure(url, monitor_url, bare_url, **vars(arguments))
    _print(alone, whole)


def _measure(url: str, change_url: str, bare_url: str, *, sockets: int, changes: int) -> Times:
    """Post changes, and what follows from each to the peer.

    Args:
        url: The API.
        change_url: Where a change is posted.
        bare_url: The peer.
        sockets: How many there are at each.
        changes: How many to post.
    """
    times = Times([], [])
    with (
        _Crowd(f"{url}/ws?mode=delta", sockets, change_url) as crowd,
        _Crowd(bare_url, sockets, bare_url) as bare_crowd,
    ):
        for number in range(changes):
            task = f"change {number}."
            change = {"status": STATUSES[number % 2], "message": task}
            # A simulated node knows by itself what to report.
            mark = "" if change_url.startswith(url) else task
            message = crowd.time_message(json.dumps(change).encode(), mark.encode(), times.ours_ms)
            bare_crowd.time_message(message, b"", times.bare_ms)
    return times


class _Crowd:
    """Open sockets at one address, and a connection for the posts beside them.

    Args:
        url: Where.
        count: How many sockets.
        post_url: Where that connection leads.
    """

    def __init__(self, url: str, count: int, post_url: str) -> None:
        self._url = urlsplit(url)
        self._count = count
        self._post_url = urlsplit(post_url)
        self._selector = selectors.DefaultSelector()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._poster = self._connect(self._post_url)
        request = _request("GET", self._url, UPGRADE)
        for _ in range(self._count):
            peer = self._connect(self._url)
            peer.sendall(request)
            if not peer.recv(RECEIVE_BYTES).startswith(b"HTTP/1.1 101 "):
                raise RuntimeError(f"{self._url.netloc} takes no WebSocket")
            self._selector.register(peer, selectors.EVENT_READ, peer)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._selector.close()

    def time_message(self, body: bytes, mark: bytes, took_ms: list[float]) -> bytes:
        """Post after a pause, and wait until every socket has the message that follows from it.

        Args:
            body: What to post.
            mark: What is found in that message, and in none before.
            took_ms: How long it took to each socket is added to this.

        Returns:
            The message.
        """
        self._drain(mark)
        headers = ("Content-Type: application/json", f"Content-Length: {len(body)}")
        request = _request("POST", self._post_url, headers) + body
        waiting = self._count
        began_s = time.perf_counter()
        self._poster.sendall(request)
        while waiting:
            ready = self._selector.select(TIMEOUT_S)
            if not ready:
                raise RuntimeError(f"{waiting} sockets are told nothing for {TIMEOUT_S:.0f} s")
            for key, _ in ready:
                found = self._receive(key.data, mark)
                if found:
                    message = found
                    took_ms.append(1000 * (time.perf_counter() - began_s))
                    waiting -= 1
        if not self._poster.recv(RECEIVE_BYTES).startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"{self._post_url.netloc} does not take the change")
        return message

    def _drain(self, mark: bytes) -> None:
        """Take what comes by itself: for `GAP_S`, and then until nothing is left."""
        end_s = time.perf_counter() + GAP_S
        while ready := self._selector.select(max(0.0, end_s - time.perf_counter())):
            for key, _ in ready:
                self._receive(key.data, mark)

    def _connect(self, url: SplitResult) -> socket.socket:
        address = (url.hostname, url.port or 80)
        return self._stack.enter_context(socket.create_connection(address, TIMEOUT_S))

    def _receive(self, peer: socket.socket, mark: bytes) -> bytes:
        """The message that is waited for, if it is among what has come."""
        received = peer.recv(RECEIVE_BYTES)
        if not received:
            raise RuntimeError(f"{self._url.netloc} closed a socket")
        for frame in received.split(FRAME):
            _, found, rest = frame.partition(MESSAGE)
            if found and mark in rest:
                return found + rest
        return b""


def _request(method: str, url: SplitResult, headers: Sequence[str]) -> bytes:
    target = f"{url.path or '/'}?{url.query}"
    lines = (f"{method} {target} HTTP/1.1", f"Host: {url.netloc}", *headers, "", "")
    return "\r\n".join(lines).encode()


@contextmanager
def _simulated_api() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "bench.simulated_api", f"--nodes={NODES}", f"--port={port}"]
    with running([*command, "--quiet"]):
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}"


def _print(alone: Times, whole: Times) -> None:
    rows = {
        "plain uvicorn": alone.bare_ms,
        "the API alone": alone.ours_ms,
        "plain uvicorn, beside all of CastRay": whole.bare_ms,
        "all of CastRay": whole.ours_ms,
    }
    print_table(
        ("ms", "p50", "p99", "longest"),
        [
            (name, *(f"{percentile(values, percent):.1f}" for percent in (50, 99, 100)))
            for name, values in rows.items()
        ],
    )
    print_limits(
        [
            Limit(
                f"{name}: p50 / plain uvicorn", f"≤ {P50_LIMIT}", f"{ratio:.2f}", ratio <= P50_LIMIT
            )
            for name, times in (("the API alone", alone), ("all of CastRay", whole))
            for ratio in [percentile(times.ours_ms, 50) / percentile(times.bare_ms, 50)]
        ]
    )


if __name__ == "__main__":
    main()
