"""Calls of a running CastRay about casts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from castray.cast_models import Cast, CastAction, CastPage
from castray.cli.client import NoAnswerError, call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from castray.cast_models import CastRequest
    from castray.cli.client import Target

__all__ = ["fetch_cast", "fetch_casts", "follow_cast", "start_cast", "steer_cast"]

POLL_INTERVAL_S = 0.5
"""Casts themselves tell their progress at most four times a second."""


async def start_cast(target: Target, request: CastRequest) -> Cast:
    """Begin a cast, or plan it for a dry run.

    Raises:
        click.ClickException: Nobody answers, or refuses; so do the calls below.
    """
    body = request.model_dump(mode="json")
    return await call(target, "POST", "/api/casts", Cast, body=body)


async def fetch_cast(target: Target, cast_id: str) -> Cast:
    """One cast as it is now."""
    return await call(target, "GET", f"/api/casts/{cast_id}", Cast)


async def fetch_casts(target: Target) -> AsyncIterator[Cast]:
    """Every cast that is remembered, the newest first, fetched as they are wanted."""
    page = await call(target, "GET", "/api/casts", CastPage)
    while True:
        for cast in page.casts:
            yield cast
        if page.next_cursor is None:
            return
        params = {"cursor": page.next_cursor}
        page = await call(target, "GET", "/api/casts", CastPage, params=params)


async def steer_cast(target: Target, cast_id: str, action: CastAction) -> Cast:
    """Cancel, pause, resume or retry a cast."""
    if action is CastAction.CANCEL:
        return await call(target, "DELETE", f"/api/casts/{cast_id}", Cast)
    return await call(target, "POST", f"/api/casts/{cast_id}/{action.value}", Cast)


async def follow_cast(
    target: Target, cast: Cast, show: Callable[[Cast], None], lose: Callable[[str], None]
) -> Cast:
    """Follow a cast to its end, through restarts of CastRay too, which it survives.

    Args:
        target: Which CastRay.
        cast: As it was seen last.
        show: Is given the cast whenever it was seen.
        lose: Is told why it cannot be seen now.

    Returns:
        The cast as it ended.
    """
    while cast.ended is None:
        show(cast)
        await asyncio.sleep(POLL_INTERVAL_S)
        try:
            cast = await fetch_cast(target, cast.id)
        except NoAnswerError as error:
            lose(error.message)
    show(cast)
    return cast
