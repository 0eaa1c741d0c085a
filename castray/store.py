"""What must outlive the registry, in one SQLite file on the head."""

from __future__ import annotations

import sqlite3
from threading import Lock
from typing import TYPE_CHECKING, Any

from castray.cast_models import KeptCast
from castray.models import Connection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Store"]

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS connections"
    " (cluster TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS disconnected (session_name TEXT PRIMARY KEY) STRICT",
    "CREATE TABLE IF NOT EXISTS short_ids"
    " (kind TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (kind, key)) STRICT",
    "CREATE TABLE IF NOT EXISTS casts (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " id TEXT NOT NULL UNIQUE, has_ended INTEGER NOT NULL, record TEXT NOT NULL) STRICT",
    "CREATE INDEX IF NOT EXISTS casts_that_ended ON casts (has_ended, number)",
)

BUSY_TIMEOUT_S = 5.0

MAX_ENDED_CASTS = 1000
"""Of casts that have ended so many are remembered, the newest."""

MAX_NUMBER = 2**63 - 1


class Store:
    """The registry's memory on disk; for many threads.

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
        # To close it under a statement of another thread would end the process.
        self._lock = Lock()
        # It holds tokens of other clusters, and the secrets of casts.
        path.chmod(0o600)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", *SCHEMA):
            self._execute(statement)

    def next_epoch(self) -> int:
        """A number larger than every one that this store gave before."""
        ((epoch,),) = self._execute(
            "INSERT INTO meta VALUES ('epoch', 1)"
            " ON CONFLICT (key) DO UPDATE SET value = value + 1 RETURNING value"
        )
        return int(epoch)

    def connections(self) -> list[Connection]:
        """Every connection that was kept and not forgotten."""
        rows = self._execute("SELECT record FROM connections ORDER BY cluster")
        return [Connection.model_validate_json(record) for (record,) in rows]

    def keep_connection(self, connection: Connection) -> None:
        """Keep a connection, instead of the one to the same cluster."""
        self._execute(
            "INSERT OR REPLACE INTO connections VALUES (?, ?)",
            (connection.cluster, connection.model_dump_json()),
        )
        self._execute("DELETE FROM disconnected WHERE session_name = ?", (connection.session_name,))

    def forget_connection(self, cluster: str) -> None:
        """Forget the connection to that cluster, if there is one."""
        self._execute("DELETE FROM connections WHERE cluster = ?", (cluster,))

    def keep_disconnected(self, session_name: str) -> None:
        """Remember that somebody disconnected that cluster, until it is connected again."""
        self._execute("INSERT OR IGNORE INTO disconnected VALUES (?)", (session_name,))

    def disconnected(self) -> list[str]:
        """The session names of the clusters that somebody disconnected."""
        return [name for (name,) in self._execute("SELECT session_name FROM disconnected")]

    def short_ids(self, kind: str) -> dict[str, str]:
        """Every short id of that kind that was ever given, by key."""
        return dict(self._execute("SELECT key, id FROM short_ids WHERE kind = ?", (kind,)))

    def store_short_ids(self, kind: str, ids: Mapping[str, str]) -> None:
        """Keep new short ids for good."""
        self._execute_many(
            "INSERT OR IGNORE INTO short_ids VALUES (?, ?, ?)",
            [(kind, key, id_) for key, id_ in ids.items()],
        )

    def keep_casts(self, casts: Sequence[KeptCast]) -> None:
        """Keep casts as they are now; on disk when this returns."""
        self._execute_many(
            "INSERT INTO casts (id, has_ended, record) VALUES (?, ?, ?) ON CONFLICT (id)"
            " DO UPDATE SET has_ended = excluded.has_ended, record = excluded.record",
            [(kept.cast.id, kept.cast.ended is not None, kept.model_dump_json()) for kept in casts],
        )
        self._execute(
            "DELETE FROM casts WHERE has_ended AND number <= (SELECT number FROM casts"
            " WHERE has_ended ORDER BY number DESC LIMIT 1 OFFSET ?)",
            (MAX_ENDED_CASTS,),
        )

    def cast(self, cast_id: str) -> KeptCast | None:
        """The cast of that id, or None."""
        rows = self._execute("SELECT record FROM casts WHERE id = ?", (cast_id,))
        return KeptCast.model_validate_json(rows[0][0]) if rows else None

    def unfinished_casts(self) -> list[KeptCast]:
        """Every cast that has not ended, the oldest first."""
        rows = self._execute("SELECT record FROM casts WHERE NOT has_ended ORDER BY number")
        return [KeptCast.model_validate_json(record) for (record,) in rows]

    def casts(self, limit: int, before: int | None = None) -> list[tuple[int, KeptCast]]:
        """So many casts with their numbers, the newest first; those with lower ones than that."""
        rows = self._execute(
            "SELECT number, record FROM casts WHERE number < ? ORDER BY number DESC LIMIT ?",
            (MAX_NUMBER if before is None else before, limit),
        )
        return [(number, KeptCast.model_validate_json(record)) for number, record in rows]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _execute(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        """All rows of a statement."""
        with self._lock:
            return self._db.execute(statement, values).fetchall()

    def _execute_many(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        with self._lock:
            self._db.executemany(statement, rows)
