"""What must outlive the registry, in one SQLite file on the head."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Store"]

SCHEMA = ("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT",)

BUSY_TIMEOUT_S = 5.0


class Store:
    """The registry's memory on disk.

    Args:
        path: The database file; its directory is made where it is missing.

    Raises:
        OSError: The directory cannot be made.
        sqlite3.Error: The file cannot be opened, or is no database.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._db = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        for statement in SCHEMA:
            self._db.execute(statement)

    def next_epoch(self) -> int:
        """A number larger than every one that this store gave before."""
        (epoch,) = self._db.execute(
            "INSERT INTO meta VALUES ('epoch', 1)"
            " ON CONFLICT (key) DO UPDATE SET value = value + 1 RETURNING value"
        ).fetchone()
        return int(epoch)

    def close(self) -> None:
        """Close the file."""
        self._db.close()
