"""Blocking sockets that give up: whole messages in, whole messages out."""

from __future__ import annotations

import os
import socket
import struct
import time
from typing import TYPE_CHECKING

from castray.errors import PeerError
from castray.transfer.protocol import LENGTH

if TYPE_CHECKING:
    from castray.transfer.pacing import Pace
    from castray.transfer.share import FileRange

__all__ = ["prepare", "receive_frame", "receive_into", "send_bytes", "send_file", "set_timeouts"]

ZEROS = bytes(64 << 10)


def prepare(connection: socket.socket, idle_s: float) -> None:
    """Make a new connection answer at once, and fail after `idle_s` without a byte."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    set_timeouts(connection, idle_s)


def set_timeouts(connection: socket.socket, idle_s: float) -> None:
    """How long the connection may stand still before sending or receiving fails.

    The kernel's own timeouts: with Python's, each call would first poll.
    """
    value = struct.pack("@ll", int(idle_s), int(idle_s % 1 * 1e6))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)


def receive_into(
    connection: socket.socket, buffer: memoryview, deadline: float | None = None
) -> None:
    """Fill a buffer.

    Args:
        deadline: `time.monotonic()` after which even a connection that trickles has failed.

    Raises:
        PeerError: The other side closed, or stood still for too long.
        OSError: The connection broke.
    """
    filled = 0
    while filled < len(buffer):
        try:
            count = connection.recv_into(buffer[filled:], 0, socket.MSG_WAITALL)
        except BlockingIOError as error:
            raise PeerError("connection", "sent nothing for too long") from error
        if not count:
            raise PeerError("connection", "was closed by the other side")
        filled += count
        if deadline is not None and time.monotonic() > deadline:
            raise PeerError("connection", "is too slow")


def receive_frame(
    connection: socket.socket, max_bytes: int, deadline: float | None = None
) -> bytes:
    """The next frame, without its length.

    Raises:
        PeerError: As with `receive_into`; or it is longer than a frame may be.
        OSError: The connection broke.
    """
    head = bytearray(LENGTH.size)
    receive_into(connection, memoryview(head), deadline)
    (length,) = LENGTH.unpack(head)
    if length > max_bytes:
        raise PeerError("connection", f"announces {length} bytes where {max_bytes} are the most")
    frame = bytearray(length)
    receive_into(connection, memoryview(frame), deadline)
    return bytes(frame)


def send_bytes(connection: socket.socket, data: bytes, pace: Pace) -> None:
    """Send what is in memory, and have the system wait for more.

    Raises:
        OSError: The connection broke or stood still for too long.
    """
    step = pace.chunk_bytes or max(1, len(data))
    for start in range(0, len(data), step):
        part = memoryview(data)[start : start + step]
        pace.wait(len(part))
        connection.sendall(part, socket.MSG_MORE)


def send_file(connection: socket.socket, place: FileRange, pace: Pace) -> None:
    """Send a piece of a file; if the file has become shorter, zeros for what is missing.

    The other side was told how much comes, and sees from the digest that it is not right.

    Raises:
        OSError: The connection broke or stood still for too long.
    """
    offset, end = place.offset, place.offset + place.length
    while offset < end:
        count = min(end - offset, pace.chunk_bytes or place.length)
        pace.wait(count)
        sent = os.sendfile(connection.fileno(), place.descriptor, offset, count)
        if not sent:
            connection.sendall(ZEROS[: min(end - offset, len(ZEROS))])
            sent = min(end - offset, len(ZEROS))
        offset += sent
