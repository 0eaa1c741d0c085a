"""Keeps a node's agent from ending as idle while a file goes through it."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from castray.errors import CastRayError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from castray.api.backend import Backend

__all__ = ["while_in_use"]

logger = logging.getLogger(__name__)

ASK_EVERY_S = 5.0
"""An agent ends when nobody asked for it for `transfer.agent_idle_s`, which is longer."""


async def while_in_use(
    portions: AsyncIterator[bytes],
    backend: Backend,
    node: str,
    *,
    ask_every_s: float = ASK_EVERY_S,
) -> AsyncIterator[bytes]:
    """The same portions; as long as they flow, the node's agent is asked for now and then."""
    asked_at = time.monotonic()
    async for portion in portions:
        if time.monotonic() - asked_at >= ask_every_s:
            asked_at = time.monotonic()
            try:
                await backend.agent(node)
            except CastRayError as error:
                # The link may work all the same: a registry that restarts ends no transfer.
                logger.info("cannot keep the agent of %s: %s", node, error)
        yield portion
