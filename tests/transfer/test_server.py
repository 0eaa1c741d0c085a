"""What a server does with whoever connects to it."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from castray.errors import CastError, PeerError
from castray.transfer import server as server_module
from castray.transfer.peer import Membership, PeerAddress, PeerConnection
from castray.transfer.protocol import (
    GREETING,
    LENGTH,
    MAGIC,
    MAX_REQUEST_BYTES,
    Op,
    Request,
)
from castray.transfer.server import BlockServer
from castray.transfer.tickets import TICKET_LIFE_MS, Scope, Ticket
from tests.transfer.site import SECRET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.transfer.site import Host

MIB = 1 << 20
MEMBER = Membership("cast1", SECRET, "edge")


@pytest.fixture
def offered(source: Host) -> Host:
    (source.root / "a.bin").write_bytes(os.urandom(3 * MIB))
    source.offer("a.bin")
    return source


@pytest.fixture
def connection(offered: Host) -> Iterator[PeerConnection]:
    opened = PeerConnection(offered.as_source, MEMBER)
    yield opened
    opened.close()


class Client:
    """A client that can do everything wrong."""

    def __init__(self, host: Host) -> None:
        self.socket = socket.create_connection(("127.0.0.1", host.server.port), timeout=10)
        magic, self.nonce, self.now_ms = GREETING.unpack(self.read(GREETING.size))
        assert magic == MAGIC

    def request(self, **facts: int) -> Request:
        ticket = Ticket("cast1", "edge", Scope.READ, self.now_ms + TICKET_LIFE_MS)
        return Request(1, Op.HEADER, ticket, b"")._replace(**facts)  # type: ignore[arg-type]

    def read(self, count: int) -> bytes:
        data = b""
        while len(data) < count and (more := self.socket.recv(count - len(data))):
            data += more
        return data

    def is_answered(self, frame: bytes) -> bool:
        """Whether there is an answer, or else the connection is closed."""
        try:
            self.socket.sendall(frame)
            head = self.read(LENGTH.size)
        except ConnectionError:
            return False
        if len(head) == LENGTH.size:
            self.read(LENGTH.unpack(head)[0])
        return bool(head)


@pytest.fixture
def connect(offered: Host) -> Iterator[Callable[[], Client]]:
    """Makes clients that end with the test."""
    with ExitStack() as stack:

        def make() -> Client:
            client = Client(offered)
            stack.callback(client.socket.close)
            return client

        yield make


@pytest.fixture
def client(connect: Callable[[], Client]) -> Client:
    return connect()


def test_whoever_has_a_ticket_is_answered(client: Client) -> None:
    assert client.is_answered(client.request().encode(SECRET, client.nonce))


def test_a_wrong_secret_is_not_answered(client: Client) -> None:
    assert not client.is_answered(client.request().encode(b"x" * 32, client.nonce))


def test_a_request_that_was_recorded_elsewhere_is_not_answered(client: Client) -> None:
    assert not client.is_answered(client.request().encode(SECRET, b"other nonce....."))


def test_a_request_is_not_answered_twice(client: Client) -> None:
    frame = client.request().encode(SECRET, client.nonce)

    assert client.is_answered(frame)
    assert not client.is_answered(frame)


@pytest.mark.parametrize("life_ms", [0, -1, 3_600_000])
def test_a_ticket_that_expired_or_lives_too_long_is_not_answered(
    client: Client, life_ms: int
) -> None:
    request = client.request()
    ticket = request.ticket._replace(expires_ms=client.now_ms + life_ms)

    assert not client.is_answered(request._replace(ticket=ticket).encode(SECRET, client.nonce))


@pytest.mark.parametrize(
    "frame",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + bytes(100),
        LENGTH.pack(MAX_REQUEST_BYTES + 1),
        LENGTH.pack(0xFFFFFFFF) + bytes(1000),
        LENGTH.pack(0),
        LENGTH.pack(40) + bytes(40),
    ],
)
def test_noise_ends_the_connection_and_the_server_goes_on(
    connect: Callable[[], Client], client: Client, frame: bytes
) -> None:
    assert not client.is_answered(frame)

    other = connect()
    assert other.is_answered(other.request().encode(SECRET, other.nonce))


def test_a_stranger_who_shows_no_ticket_is_sent_away(
    connect: Callable[[], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "FIRST_REQUEST_S", 0.2)
    silent = connect()

    assert silent.read(1) == b""


def test_a_stranger_who_trickles_is_sent_away_too(
    connect: Callable[[], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "FIRST_REQUEST_S", 0.5)
    slow = connect()
    is_closed = threading.Event()

    def trickle() -> None:
        try:
            while not is_closed.wait(0.05):
                slow.socket.sendall(b"\x01")
        except OSError:
            return

    writer = threading.Thread(target=trickle)
    writer.start()
    try:
        assert slow.read(1) == b""
    except ConnectionError:
        pass
    finally:
        is_closed.set()
        writer.join()


def test_there_is_a_most_of_connections(
    offered: Host, connect: Callable[[], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offered.server._listener, "_max_connections", 2)
    first, _ = connect(), connect()

    with pytest.raises(PeerError):
        PeerConnection(offered.as_source, MEMBER)

    first.socket.close()
    deadline = time.monotonic() + 10
    while True:
        try:
            PeerConnection(offered.as_source, MEMBER).close()
            break
        except PeerError:
            assert time.monotonic() < deadline


def test_an_unknown_cast_is_told(offered: Host) -> None:
    connection = PeerConnection(offered.as_source, replace(MEMBER, cast_id="another"))

    with pytest.raises(PeerError, match="does not take part in this cast"):
        connection.fetch_manifest()
    connection.close()


def test_a_cast_that_ended_is_unknown(offered: Host, connection: PeerConnection) -> None:
    connection.fetch_manifest()

    offered.server.remove("cast1")

    with pytest.raises(PeerError, match="does not take part"):
        connection.fetch_manifest()


def test_blocks_and_pages_that_are_not_there_end_in_an_error(connection: PeerConnection) -> None:
    with pytest.raises(CastError):
        connection.fetch_digests([99])


def test_a_block_is_sent_with_its_digest(offered: Host, connection: PeerConnection) -> None:
    block, heads = connection.start_block([1], insists=True)
    data = bytearray(heads[0].length)
    connection.receive(memoryview(data))

    assert block == 1
    assert data == (offered.root / "a.bin").read_bytes()[MIB : 2 * MIB]
    assert heads == connection.fetch_digests([1])


def test_closing_ends_everything_at_once(offered: Host, connection: PeerConnection) -> None:
    offered.server.close()

    with pytest.raises(PeerError, match="lost"):
        connection.fetch_manifest()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", offered.server.port), timeout=5)


def test_the_first_free_port_is_taken() -> None:
    first = BlockServer("127.0.0.1")
    second = BlockServer("127.0.0.1", [first.port, 0])

    assert second.port not in (0, first.port)
    with pytest.raises(OSError, match="in use"):
        BlockServer("127.0.0.1", [first.port])
    for server in (first, second):
        server.close()


def test_somebody_else_on_the_port_is_no_host_of_ours() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def answer() -> None:
        stranger, _ = listener.accept()
        with stranger:
            stranger.sendall(b"SSH-2.0-OpenSSH_9.2 and more than enough bytes\r\n")

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(PeerError, match="no CastRay host"):
        PeerConnection(PeerAddress("edge", "127.0.0.1", port), MEMBER)
    thread.join()
    listener.close()
