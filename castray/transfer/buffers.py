"""Memory that files and connections are read into.

It begins at a page. Python's own byte arrays begin 16 bytes behind one when they are large, and to
copy a page of a file there takes some processors four times as long as to where it begins.
"""

from __future__ import annotations

import mmap
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["READ_BYTES", "new_buffer", "read_buffer"]

READ_BYTES = 512 << 10
"""Read so much at once: it is still in the processor's cache when it is hashed."""

_spares: list[memoryview] = []
"""As many as threads have ever read at once: the system fills a new one with zeros first."""


def new_buffer(size: int) -> memoryview:
    """A buffer of that many bytes, all zero."""
    return memoryview(mmap.mmap(-1, max(size, 1)))[:size]


@contextmanager
def read_buffer() -> Iterator[memoryview]:
    """A buffer of `READ_BYTES` with anything in it, until the context ends."""
    try:
        buffer = _spares.pop()
    except IndexError:
        buffer = new_buffer(READ_BYTES)
    try:
        yield buffer
    finally:
        _spares.append(buffer)
