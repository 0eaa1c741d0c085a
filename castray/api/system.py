"""`GET /api/status` and `GET /api/health`: the whole system, and whether this replica is well."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from castray.api.bodies import respond
from castray.api.messages import preferred_language, sentence
from castray.api.problems import PROBLEM_RESPONSES
from castray.core.system_status import SystemStatus

if TYPE_CHECKING:
    from castray.api.feed import ReplicaFeed
    from castray.api.rendering import Rendering

__all__ = ["Health", "system_router"]


class Health(BaseModel):
    """Whether this replica knows the present; `reason` says why not."""

    status: Literal["ok", "degraded"]
    service: Literal["castray"] = "castray"
    reason: str | None


def system_router(feed: ReplicaFeed, rendering: Rendering) -> APIRouter:
    """Both endpoints."""
    router = APIRouter(tags=["reads"], responses=PROBLEM_RESPONSES)
    started_at = time.monotonic()

    @router.get("/api/status", response_model=SystemStatus)
    async def system_status(request: Request) -> Response:
        """Every cluster and node in short."""
        return respond(request, rendering.system_status(time.monotonic() - started_at))

    @router.head("/api/health", include_in_schema=False)
    @router.get("/api/health")
    async def health(request: Request) -> Health:
        """Cheap enough for a load balancer; always 200 while this process lives."""
        language = preferred_language(request.headers)
        if feed.lost_since is not None:
            since = feed.lost_since.isoformat(timespec="seconds")
            return Health(status="degraded", reason=sentence("feed-lost", language, since=since))
        if feed.version is None:
            return Health(status="degraded", reason=sentence("registry-unavailable", language))
        return Health(status="ok", reason=None)

    return router
