from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from castray.transfer.peer import PeerAddress
from castray.transfer.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TIMEOUT_S = 30.0


class Peer:
    """Somebody who listens."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(TIMEOUT_S)
        port: int = self._listener.getsockname()[1]
        self.address = PeerAddress("edge", "127.0.0.1", port)

    def accept(self) -> socket.socket:
        connection, _ = self._listener.accept()
        connection.settimeout(TIMEOUT_S)
        return connection

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def make_peer() -> Iterator[Callable[[], Peer]]:
    peers = []

    def make() -> Peer:
        peers.append(Peer())
        return peers[-1]

    yield make
    for peer in peers:
        peer.close()


@pytest.fixture
def peer(make_peer: Callable[[], Peer]) -> Peer:
    return make_peer()


@pytest.fixture
def relay(peer: Peer) -> Iterator[Relay]:
    relay = Relay("127.0.0.1", [0], peer.address)
    yield relay
    relay.close()


def connect(relay: Relay) -> socket.socket:
    return socket.create_connection(("127.0.0.1", relay.port), timeout=TIMEOUT_S)


def receive(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count and (part := connection.recv(count - len(data))):
        data += part
    return bytes(data)


def test_bytes_pass_both_ways(relay: Relay, peer: Peer) -> None:
    payload = bytes(range(256)) * 8192
    with connect(relay) as client, peer.accept() as server:
        client.sendall(b"ask")
        asked = receive(server, 3)
        server.sendall(payload[: 1 << 20])
        answered = receive(client, 1 << 20)

    assert asked == b"ask"
    assert answered == payload[: 1 << 20]


def test_each_connection_is_one_of_its_own(relay: Relay, peer: Peer) -> None:
    with connect(relay) as one, peer.accept() as first, connect(relay) as other:
        one.sendall(b"1")
        with peer.accept() as second:
            other.sendall(b"2")

            assert (receive(first, 1), receive(second, 1)) == (b"1", b"2")


@pytest.mark.parametrize("who_ends", ["client", "server"])
def test_the_end_of_one_side_is_the_end_of_the_other(
    who_ends: str, relay: Relay, peer: Peer
) -> None:
    with connect(relay) as client, peer.accept() as server:
        ends, other = (client, server) if who_ends == "client" else (server, client)
        ends.close()

        assert other.recv(1) == b""


def test_a_peer_that_is_not_there_ends_the_connection(relay: Relay, peer: Peer) -> None:
    peer.close()

    with connect(relay) as client:
        assert client.recv(1) == b""


def test_new_connections_lead_to_the_new_address(
    relay: Relay, make_peer: Callable[[], Peer]
) -> None:
    moved = make_peer()

    relay.lead_to(moved.address)

    with connect(relay) as client, moved.accept() as server:
        client.sendall(b"1")
        assert receive(server, 1) == b"1"


def test_closing_ends_all_connections_and_the_port(relay: Relay, peer: Peer) -> None:
    with connect(relay) as client, peer.accept() as server:
        relay.close()

        assert (client.recv(1), server.recv(1)) == (b"", b"")
    with pytest.raises(OSError, match="refused"):
        connect(relay)
