"""`GET /api/ray-dashboard`: what dashboards in the field read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from starlette.routing import Route

from castray.api.bodies import entity_tag, is_current, not_modified, respond
from castray.api.problems import PROBLEM_RESPONSES
from castray.core.ray_dashboard import RayDashboard

if TYPE_CHECKING:
    from fastapi import FastAPI

    from castray.api.rendering import Rendering

__all__ = ["add_ray_dashboard"]

PATH = "/api/ray-dashboard"


def add_ray_dashboard(app: FastAPI, rendering: Rendering) -> None:
    """Have the application answer it."""
    router = APIRouter(tags=["reads"], responses=PROBLEM_RESPONSES)

    @router.get(PATH, response_model=RayDashboard)
    async def ray_dashboard(request: Request) -> Response:
        """All nodes with their load and work status, and the home cluster's resources."""
        tag = entity_tag(rendering.view())
        if is_current(request, tag):
            return not_modified(tag)
        return respond(request, rendering.ray_dashboard(), tag)

    app.include_router(router)
    # FastAPI takes longer to call a handler than this one does to answer. So it is the plain
    # route, which comes first, that is taken; FastAPI's own is there for the document.
    app.router.routes.insert(0, Route(PATH, ray_dashboard))
