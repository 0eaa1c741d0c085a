"""Free memory of a virtual machine, which its host may take back at any moment."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["held_by_this_machine"]

LEAST_FREE_MS = Path("/sys/module/page_reporting/parameters/min_free_ms")
"""How long memory must have been free before the kernel lets the host have it."""

LONG_MS = "60000"
"""The longest that the kernel takes."""


@contextmanager
def held_by_this_machine() -> Iterator[None]:
    """Keep what is free here for a minute, on a machine where the kernel would give it away.

    What the host has taken must be got again page by page. That can take longer than the copying
    that is to be measured, and befalls whoever happens to come at that moment.
    """
    if not LEAST_FREE_MS.exists():
        yield
        return
    before = LEAST_FREE_MS.read_text()
    LEAST_FREE_MS.write_text(LONG_MS)
    try:
        yield
    finally:
        LEAST_FREE_MS.write_text(before)
