"""Which part of a file a client asks for (RFC 9110, section 14)."""

from __future__ import annotations

import re

__all__ = ["UnsatisfiableRangeError", "parse_range"]

RANGE = re.compile(r"bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*")


class UnsatisfiableRangeError(ValueError):
    """The file has nothing of what is asked for."""


def parse_range(header: str | None, size_bytes: int) -> range | None:
    """The bytes that a `Range` header asks for; None: all of them.

    What is no range of bytes, or asks for several, is not refused but answered with everything.

    Raises:
        UnsatisfiableRangeError: It begins behind the file's end.
    """
    match = RANGE.fullmatch(header or "")
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        asked = range(max(size_bytes - int(match[2]), 0), size_bytes)
    else:
        first = int(match[1])
        last = int(match[2]) if match[2] else max(size_bytes - 1, first)
        if last < first:
            return None
        asked = range(first, min(last + 1, size_bytes))
    if not asked:
        raise UnsatisfiableRangeError
    return asked
