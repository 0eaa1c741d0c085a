"""What the dispatcher decides about casts, told to everybody and kept on disk."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from castray.core.cast_news import is_news

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from castray.cast_models import Cast, KeptCast
    from castray.store import Store

__all__ = ["CastRecords"]

TELL_GAP_S = 0.25
KEEP_GAP_S = 2.0
"""Progress is told and kept at most this often; a change of state at once."""


class CastRecords:
    """Tells and keeps casts as they change.

    Args:
        store: Where they are kept.
        publish: Tells everybody of a cast.
    """

    def __init__(self, store: Store, publish: Callable[[Cast], None]) -> None:
        self._store = store
        self._publish = publish
        self._told: dict[str, _Last] = {}
        self._kept: dict[str, _Last] = {}
        self._unwritten: dict[str, KeptCast] = {}
        self._has_unwritten = asyncio.Event()
        self._writing = asyncio.Lock()

    def tell(self, casts: Iterable[KeptCast], now_s: float) -> None:
        """Take over casts as they are now.

        Args:
            casts: All that are worked on.
            now_s: Seconds of any clock.
        """
        told, kept = self._told, self._kept
        self._told, self._kept = {}, {}
        for cast in casts:
            key = cast.cast.id
            self._told[key] = told.get(key) or _Last(None, float("-inf"))
            self._kept[key] = kept.get(key) or _Last(None, float("-inf"))
            if self._told[key].is_due(cast.cast, now_s, TELL_GAP_S):
                self._told[key] = _Last(cast.cast, now_s)
                self._publish(cast.cast)
            if self._kept[key].is_due(cast.cast, now_s, KEEP_GAP_S):
                self._kept[key] = _Last(cast.cast, now_s)
                self._unwritten[key] = cast
                self._has_unwritten.set()

    async def run_round(self) -> None:
        """Write once there is anything to write.

        Raises:
            sqlite3.Error: The disk fails; nothing is forgotten of what was not written.
        """
        await self._has_unwritten.wait()
        await self.flush()

    async def flush(self) -> None:
        """Return when everything that is to be kept by now is on disk.

        Raises:
            sqlite3.Error: The disk fails.
        """
        async with self._writing:
            casts, self._unwritten = self._unwritten, {}
            if casts:
                try:
                    await asyncio.to_thread(self._store.keep_casts, list(casts.values()))
                except BaseException:
                    self._unwritten = {**casts, **self._unwritten}
                    raise
            if not self._unwritten:
                self._has_unwritten.clear()


@dataclass(frozen=True)
class _Last:
    """What was told last of a cast, and when."""

    cast: Cast | None
    at_s: float

    def is_due(self, cast: Cast, now_s: float, gap_s: float) -> bool:
        if cast is self.cast:
            return False
        return now_s - self.at_s >= gap_s or self.cast is None or is_news(self.cast, cast)
