"""`GET /api/ray-dashboard`: what dashboards in the field read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from castray.api.bodies import entity_tag, is_current, not_modified, respond
from castray.api.problems import PROBLEM_RESPONSES
from castray.core.ray_dashboard import RayDashboard

if TYPE_CHECKING:
    from castray.api.rendering import Rendering

__all__ = ["ray_dashboard_router"]


def ray_dashboard_router(rendering: Rendering) -> APIRouter:
    """The one endpoint."""
    router = APIRouter(tags=["reads"], responses=PROBLEM_RESPONSES)

    @router.get("/api/ray-dashboard", response_model=RayDashboard)
    async def ray_dashboard(request: Request) -> Response:
        """All nodes with their load and work status, and the home cluster's resources."""
        tag = entity_tag(rendering.view())
        if is_current(request, tag):
            return not_modified(tag)
        return respond(request, rendering.ray_dashboard(), tag)

    return router
