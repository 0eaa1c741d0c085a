"""Removing what casts left behind that nobody went on with."""

from __future__ import annotations

import fcntl
import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from castray.core.paths import is_partial_name
from castray.errors import UnsafePathError
from castray.transfer.beneath import open_directory, open_root
from castray.transfer.partial import JOURNAL_NAME, remove_partial

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["KEEP_S", "is_stale", "sweep_partials"]

logger = logging.getLogger(__name__)

KEEP_S = 24 * 3600.0
"""So long what has arrived waits for somebody to go on with it."""


def is_stale(touched_at: float, now: float, keep_s: float = KEEP_S) -> bool:
    """Whether something that was last touched then has waited for too long; all in seconds."""
    return now - touched_at > keep_s


def sweep_partials(root: str, now: float, keep_s: float = KEEP_S) -> list[str]:
    """Remove the partials beneath a root that are stale, and that nobody works in.

    Args:
        root: The directory to search, all the way down; links are not followed.
        now: The wall clock, in seconds.
        keep_s: How long a partial is kept.

    Returns:
        The paths of those that were removed.

    Raises:
        OSError: The root cannot be read.
    """
    removed = []
    with open_root(root) as top:
        for path, names, _, directory in os.fwalk(".", dir_fd=top):
            partials = [name for name in names if is_partial_name(name)]
            names[:] = [name for name in names if name not in partials]
            for name in partials:
                shown = os.path.normpath(f"{root}/{path}/{name}")
                try:
                    if _remove_if_stale(directory, name, now, keep_s):
                        removed.append(shown)
                except BlockingIOError:
                    logger.debug("%s is in use", shown)
                except (OSError, UnsafePathError) as error:
                    logger.warning("cannot remove %s: %s", shown, error)
    return removed


def _remove_if_stale(parent: int, name: str, now: float, keep_s: float) -> bool:
    with open_directory(parent, [name], follow=False) as directory:
        touched_at = os.fstat(directory).st_mtime
        with _locked_journal(directory) as journal:
            if journal is not None:
                touched_at = max(touched_at, os.fstat(journal).st_mtime)
            if not is_stale(touched_at, now, keep_s):
                return False
            remove_partial(parent, name)
    return True


@contextmanager
def _locked_journal(directory: int) -> Iterator[int | None]:
    """The journal, locked as by a receiver; None where there is none.

    Raises:
        BlockingIOError: A receiver is at work.
    """
    try:
        journal = os.open(JOURNAL_NAME, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=directory)
    except FileNotFoundError:
        yield None
        return
    try:
        fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield journal
    finally:
        os.close(journal)
