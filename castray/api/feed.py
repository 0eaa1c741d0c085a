"""Keeps an API replica's copy of the state up to date, for as long as the replica lives."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from castray.core.replica import Replica
from castray.errors import RegistryUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from castray.api.backend import Backend
    from castray.changes import Changes
    from castray.core.replica import View

__all__ = ["FEED_LOST_AFTER_S", "ReplicaFeed"]

logger = logging.getLogger(__name__)

FEED_LOST_AFTER_S = 3.0
"""So long without an answer, and nothing that was known counts as known any more."""

FIRST_RETRY_S = 0.1
LAST_RETRY_S = 1.0
CANCEL_AGAIN_S = 0.5


class ReplicaFeed:
    """Long-polls the backend, merges what comes, and tells its listeners.

    Args:
        backend: Where the changes come from.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._replica = Replica()
        self._listeners: list[Callable[[], None]] = []
        self._answered = asyncio.Event()
        self._heard_at = _now()
        self._deadline: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def version(self) -> str | None:
        """The version of the copy, or None while there is none."""
        return self._replica.version

    @property
    def news_version(self) -> str | None:
        """The version of the copy when it last changed in more than loads and figures."""
        return self._replica.news_version

    @property
    def lost_since(self) -> datetime | None:
        """When the backend was last heard, if that is too long ago."""
        return self._replica.feed_lost_since

    def listen(self, listener: Callable[[], None]) -> None:
        """Have `listener` called on the event loop after every change of what readers see."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begin to follow the backend."""
        self._hear()
        self._task = asyncio.create_task(self._run(), name="replica feed")

    async def aclose(self) -> None:
        """Stop following it; what was read last stays readable."""
        if self._deadline is not None:
            self._deadline.cancel()
        while self._task is not None and not self._task.done():
            # Python 3.11's wait_for() loses a cancellation that comes together with its result.
            self._task.cancel()
            await asyncio.wait([self._task], timeout=CANCEL_AGAIN_S)

    async def wait_ready(self) -> None:
        """Wait until there is a copy, or until the feed counts as lost."""
        await self._answered.wait()

    def view(self) -> View:
        """What readers are shown now.

        Raises:
            RegistryUnavailableError: The backend has not answered even once.
        """
        view = self._replica.view()
        if view is None:
            raise RegistryUnavailableError
        return view

    async def wait_for(self, holds: Callable[[View], bool], timeout_s: float) -> View:
        """The view as soon as it holds, or as it is when the time is over.

        Raises:
            RegistryUnavailableError: The backend has not answered even once.
        """
        reached = asyncio.Event()

        def look() -> None:
            if holds(self.view()):
                reached.set()

        self._listeners.append(look)
        try:
            look()
            await asyncio.wait_for(reached.wait(), timeout_s)
        except asyncio.TimeoutError:
            logger.info("what was done is not shown yet, %.0f s later", timeout_s)
        finally:
            self._listeners.remove(look)
        return self.view()

    def changes_since(self, since: str | None) -> Changes:
        """What changed after that version, or everything where that is not known.

        Raises:
            InvalidRequestError: `since` is no version.
        """
        return self._replica.changes_since(since)

    async def _run(self) -> None:
        retry_s = FIRST_RETRY_S
        since: str | None = None
        while True:
            try:
                await self._ask(since)
                since, retry_s = self.version, FIRST_RETRY_S
                continue
            except RegistryUnavailableError:
                # Told once: while this lasts it happens every second.
                level = logging.WARNING if retry_s == FIRST_RETRY_S else logging.DEBUG
                logger.log(level, "the registry does not answer; it is asked again until it does")
            except Exception:
                logger.exception("the feed of changes failed; everything is asked for again")
                since = None
            await asyncio.sleep(retry_s)
            retry_s = min(2 * retry_s, LAST_RETRY_S)

    async def _ask(self, since: str | None) -> None:
        changes = await self._backend.next_changes(since)
        changed = self._replica.merge(changes, _now())
        self._hear()
        if changed:
            self._tell()

    def _hear(self) -> None:
        """Note a sign of life, and set the time at which its absence is told."""
        self._heard_at = _now()
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(FEED_LOST_AFTER_S, self._lose)

    def _lose(self) -> None:
        logger.warning("the registry has been silent for %.0f s: all is unknown", FEED_LOST_AFTER_S)
        self._replica.lose_feed(self._heard_at)
        self._tell()

    def _tell(self) -> None:
        self._answered.set()
        for listener in self._listeners:
            listener()


def _now() -> datetime:
    return datetime.now(timezone.utc)
