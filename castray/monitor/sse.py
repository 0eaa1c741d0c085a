"""Server-Sent Events, as far as monitors send them: `data` and comments, lines end in LF."""

from __future__ import annotations

__all__ = ["EventParser", "OversizedEventError"]


class OversizedEventError(Exception):
    """An event is larger than its reader takes."""


class EventParser:
    """Turns the bytes of a stream into events.

    Args:
        max_event_bytes: The most that is kept of an event that has not ended.
    """

    def __init__(self, max_event_bytes: int) -> None:
        self.lines = 0
        """How many whole lines came: what shows that the sender lives."""
        self._max_event_bytes = max_event_bytes
        self._rest = b""
        self._data: list[bytes] = []
        self._data_bytes = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take in bytes; returns the data of each event that ended in them.

        Raises:
            OversizedEventError: An event is too large; the parser is of no more use.
        """
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        self.lines += len(lines)
        events = [event for line in lines for event in self._take(line.removesuffix(b"\r"))]
        if len(self._rest) > self._max_event_bytes:
            raise OversizedEventError
        return events

    def _take(self, line: bytes) -> list[bytes]:
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
            self._data_bytes += len(line)
            if self._data_bytes > self._max_event_bytes:
                raise OversizedEventError
        if line or not self._data:
            return []
        event = b"\n".join(self._data)
        self._data, self._data_bytes = [], 0
        return [event]
