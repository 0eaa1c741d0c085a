"""Waiting for a condition itself, never for a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["until"]

DEADLINE_S = 20.0
LOOK_AGAIN_S = 0.01


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Return as soon as the condition holds; fail where it does not in time."""
    end = asyncio.get_running_loop().time() + DEADLINE_S
    while True:
        holds = condition()
        if holds if isinstance(holds, bool) else await holds:
            return
        assert asyncio.get_running_loop().time() < end, "the condition did not come to hold"
        await asyncio.sleep(LOOK_AGAIN_S)
