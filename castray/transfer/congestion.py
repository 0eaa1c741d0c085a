"""Which congestion control a sender uses: between near hosts one that does not pace.

BBR spreads what it sends over time, by timers, at the rate that it has measured. Over a long or
lossy way that wins. Between hosts of one switch it costs processor time, and after each pause
between two blocks it starts from a rate that is too low.
"""

from __future__ import annotations

import socket
import struct

__all__ = ["choose_congestion_control", "speed_up_if_near"]

NEAR_US = 2000
"""A round trip within one building is shorter than that."""

UNPACED = "reno"
"""The one that every kernel has and lets everybody choose."""

NAME_BYTES = 16
TCP_INFO_BYTES = 152
MIN_RTT = struct.Struct("@I")
MIN_RTT_OFFSET = 148
"""Of `tcpi_min_rtt`, in microseconds, in Linux' `struct tcp_info`."""


def choose_congestion_control(current: str, round_trip_us: int) -> str | None:
    """What to use instead of the current one, if anything.

    Args:
        current: Its name, as the kernel has it.
        round_trip_us: The shortest one that was seen, in microseconds.
    """
    return UNPACED if current.startswith("bbr") and round_trip_us < NEAR_US else None


def speed_up_if_near(connection: socket.socket) -> None:
    """Stop pacing what a connection sends, if the other side is near.

    Where the system does not say or does not allow it, everything stays as it is.
    """
    try:
        name = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, NAME_BYTES)
        facts = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
        (round_trip_us,) = MIN_RTT.unpack_from(facts, MIN_RTT_OFFSET)
        chosen = choose_congestion_control(name.rstrip(b"\0").decode(), round_trip_us)
        if chosen is not None:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, chosen.encode())
    except (OSError, struct.error):
        return
