from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest

from castray.transfer.congestion import choose_congestion_control, speed_up_if_near

ALLOWED = Path("/proc/sys/net/ipv4/tcp_allowed_congestion_control")


def congestion_control(connection: socket.socket) -> str:
    name = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
    return name.rstrip(b"\0").decode()


@pytest.mark.parametrize(
    ("current", "round_trip_us", "chosen"),
    [
        ("bbr", 80, "reno"),
        ("bbr2", 1999, "reno"),
        ("bbr", 2000, None),
        ("bbr", 40_000, None),
        ("cubic", 80, None),
        ("dctcp", 80, None),
    ],
)
def test_only_what_paces_is_replaced_and_only_between_near_hosts(
    current: str, round_trip_us: int, chosen: str | None
) -> None:
    assert choose_congestion_control(current, round_trip_us) == chosen


@pytest.mark.parametrize("name", ALLOWED.read_text().split())
def test_a_connection_on_this_host_is_not_paced(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        with closing(client), closing(server):
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())

            speed_up_if_near(server)

            assert congestion_control(server) == ("reno" if name.startswith("bbr") else name)


def test_what_is_no_tcp_connection_stays_as_it_is() -> None:
    one, other = socket.socketpair()
    with closing(one), closing(other):
        speed_up_if_near(one)
        one.sendall(b"still")

        assert other.recv(5) == b"still"
