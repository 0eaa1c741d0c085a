"""The loops that an actor owns: each is started once, and a failed round is logged and retried."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["BackgroundLoops"]

logger = logging.getLogger(__name__)

MAX_BACKOFF_S = 1.0


class BackgroundLoops:
    """Owner of an actor's loops, which end with the actor's process or with `aclose`."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, round_: Callable[[], Awaitable[None]], interval_s: float) -> None:
        """Run `round_` again and again, `interval_s` after its end; failures back off."""
        self._tasks.append(asyncio.create_task(_run(name, round_, interval_s), name=name))

    async def aclose(self) -> None:
        """Cancel every loop and wait for its end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()


async def _run(name: str, round_: Callable[[], Awaitable[None]], interval_s: float) -> None:
    failures = 0
    while True:
        try:
            await round_()
        except Exception:  # noqa: BLE001 - whatever a round meets, the next one must come
            failures += 1
            log = logger.exception if failures == 1 else logger.debug
            log("%s failed (%d in a row); going on", name, failures)
        else:
            failures = 0
        await asyncio.sleep(max(interval_s, min(0.1 * 2**failures, MAX_BACKOFF_S) * (failures > 0)))
