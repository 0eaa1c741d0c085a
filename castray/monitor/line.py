"""The HTTP connection on which a script reports, with nothing but Python."""

from __future__ import annotations

import logging
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

__all__ = ["Line", "RefusedError", "parse_line"]

MAX_ANSWER_BYTES = 64 * 1024

logger = logging.getLogger(__name__)


class RefusedError(Exception):
    """The monitor refuses this report, and would again."""


class Line:
    """A connection that is kept between reports."""

    def __init__(self, host: str, port: int, path: str, timeout_s: float) -> None:
        self._path = path
        self._connection = HTTPConnection(host, port, timeout=timeout_s)

    def post(self, body: bytes) -> None:
        """Post a report.

        Raises:
            TimeoutError: There is no answer in time; it may have arrived or not.
            OSError, HTTPException: It did not arrive.
            RefusedError: It arrived, and is refused.
        """
        was_open = self._connection.sock is not None
        try:
            self._exchange(body)
        except TimeoutError:
            raise
        except (OSError, HTTPException):
            if not was_open:
                raise
            # The monitor restarted, or closed a connection that rested too long.
            self._exchange(body)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _exchange(self, body: bytes) -> None:
        try:
            self._connection.request("POST", self._path, body, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            answer = response.read(MAX_ANSWER_BYTES)
            if not response.isclosed():
                self._connection.close()
        except BaseException:
            self._connection.close()
            raise
        if response.status >= 500:
            raise HTTPException(f"HTTP {response.status}")
        if response.status >= 300:
            raise RefusedError(f"HTTP {response.status} {answer[:300].decode(errors='replace')}")


def parse_line(url: str, timeout_s: float) -> Line | None:
    """The line to the monitor at that URL; None, and an error in the log, where it is no URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or parts.scheme != "http":
        logger.error("No status is reported: %r is no URL such as http://127.0.0.1:8000.", url)
        return None
    return Line(host, port or 80, parts.path.rstrip("/") + "/api/update_status", timeout_s)
