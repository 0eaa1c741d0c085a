from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from castray.transfer.congestion import choose_congestion_control, stop_pacing_if_fast

ALLOWED = Path("/proc/sys/net/ipv4/tcp_allowed_congestion_control")


def congestion_control(connection: socket.socket) -> str:
    name = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
    return name.rstrip(b"\0").decode()


@pytest.mark.parametrize(
    ("current", "round_trip_us", "bytes_per_s", "chosen"),
    [
        ("bbr", 80, 900_000_000, "reno"),
        ("bbr2", 1999, 50_000_001, "reno"),
        ("bbr", 2000, 900_000_000, None),
        ("bbr", 80, 50_000_000, None),
        ("cubic", 80, 900_000_000, None),
        ("dctcp", 80, 900_000_000, None),
    ],
)
def test_only_what_paces_is_replaced_and_only_on_a_short_and_fast_way(
    current: str, round_trip_us: int, bytes_per_s: int, chosen: str | None
) -> None:
    assert choose_congestion_control(current, round_trip_us, bytes_per_s) == chosen


@pytest.mark.parametrize("name", ALLOWED.read_text().split())
def test_a_connection_within_this_host_is_not_paced_once_it_is_fast(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        with closing(client), closing(server):
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())
            stop_pacing_if_fast(server)
            before = congestion_control(server)

            for _ in range(100):
                pass_on(server, client)
                stop_pacing_if_fast(server)

            assert before == name
            assert congestion_control(server) == ("reno" if name.startswith("bbr") else name)


def pass_on(server: socket.socket, client: socket.socket) -> None:
    """Send a block, and take it in."""
    size = 1 << 20
    sender = Thread(target=server.sendall, args=[bytes(size)])
    sender.start()
    while size:
        size -= len(client.recv(size))
    sender.join()


def test_what_is_no_tcp_connection_stays_as_it_is() -> None:
    one, other = socket.socketpair()
    with closing(one), closing(other):
        stop_pacing_if_fast(one)
        one.sendall(b"still")

        assert other.recv(5) == b"still"
