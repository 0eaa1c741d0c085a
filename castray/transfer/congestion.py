"""Which congestion control a sender uses: on a short and fast way one that does not pace.

BBR spreads what it sends over time, by timers, at the rate that it has measured. Over a long way,
or one that others fill, that wins. Between hosts of one fast switch it costs processor time, and
after each pause between two blocks it starts from a rate that is too low.
"""

from __future__ import annotations

import socket
import struct

__all__ = ["choose_congestion_control", "stop_pacing_if_fast"]

NEAR_US = 2000
"""A round trip within one building is shorter than that."""

FAST_BYTES_PER_S = 50_000_000
"""Up to some hundred megabits a second pacing costs nothing, and keeps queues short."""

UNPACED = "reno"
"""The one that every kernel has and lets everybody choose."""

NAME_BYTES = 16
TCP_INFO = struct.Struct("@148xI8xQ")
"""`tcpi_min_rtt`, in microseconds, and `tcpi_delivery_rate`, in bytes a second, of Linux."""


def choose_congestion_control(current: str, round_trip_us: int, bytes_per_s: int) -> str | None:
    """What to use instead of the current one, if anything.

    Args:
        current: Its name, as the kernel has it.
        round_trip_us: The shortest one that was seen, in microseconds.
        bytes_per_s: How fast the latest data arrived.
    """
    is_fast = round_trip_us < NEAR_US and bytes_per_s > FAST_BYTES_PER_S
    return UNPACED if current.startswith("bbr") and is_fast else None


def stop_pacing_if_fast(connection: socket.socket) -> None:
    """Stop pacing what a connection sends, if the way is short and fast.

    Where the system does not say or does not allow it, everything stays as it is.
    """
    try:
        name = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, NAME_BYTES)
        facts = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO.size)
        chosen = choose_congestion_control(name.rstrip(b"\0").decode(), *TCP_INFO.unpack(facts))
        if chosen is not None:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, chosen.encode())
    except (OSError, struct.error):
        return
