"""Casts: begin, follow, steer and list them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query, Response

from castray.api.problems import PROBLEM_RESPONSES
from castray.cast_models import Cast, CastAction, CastPage, CastRequest

if TYPE_CHECKING:
    from castray.api.backend import Backend
    from castray.api.feed import ReplicaFeed

__all__ = ["casts_router"]

DEFAULT_PAGE_CASTS = 50
MAX_PAGE_CASTS = 500


def casts_router(backend: Backend, feed: ReplicaFeed) -> APIRouter:
    """All endpoints."""
    router = APIRouter(tags=["casts"], responses=PROBLEM_RESPONSES)

    @router.post(
        "/api/casts",
        status_code=202,
        responses={200: {"model": Cast, "description": "A dry run: this is what would be done."}},
    )
    async def start_cast(body: CastRequest, response: Response) -> Cast:
        """Begin a cast, which from now on survives every restart; or plan it, for a dry run."""
        cast = await backend.start_cast(body)
        if body.dry_run:
            response.status_code = 200
        else:
            response.headers["Location"] = f"/api/casts/{cast.id}"
        return cast

    @router.get("/api/casts")
    async def list_casts(
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE_CASTS)] = DEFAULT_PAGE_CASTS,
        cursor: Annotated[str | None, Query(description="Where the last page ended.")] = None,
    ) -> CastPage:
        """All casts that are remembered, the newest first, a page at a time."""
        return await backend.casts(limit, cursor)

    @router.get("/api/casts/{cast_id}")
    async def show_cast(cast_id: str) -> Cast:
        """One cast as it is now."""
        view = feed.view()
        # What a silent registry told last is not how a cast is now; and old ones are not told.
        if view.feed_lost_since is None:
            found = [cast for cast in view.casts if cast.id == cast_id]
            if found:
                return found[0]
        return await backend.cast(cast_id)

    @router.delete("/api/casts/{cast_id}")
    async def cancel_cast(cast_id: str) -> Cast:
        """End a cast; what has arrived whole stays where it is."""
        return await backend.steer_cast(cast_id, CastAction.CANCEL)

    @router.post("/api/casts/{cast_id}/{action}")
    async def steer_cast(cast_id: str, action: Literal["retry", "pause", "resume"]) -> Cast:
        """Pause a cast, resume it, or cast again what did not arrive."""
        return await backend.steer_cast(cast_id, CastAction(action))

    return router
