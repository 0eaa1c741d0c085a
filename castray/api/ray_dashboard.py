"""`GET /api/ray-dashboard`: what dashboards in the field read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from starlette.routing import Match, Route

from castray.api.bodies import entity_tag, is_current, not_modified, respond
from castray.api.paging import Cursor, Limit  # noqa: TC001 - the framework reads them
from castray.api.problems import PROBLEM_RESPONSES
from castray.core.ray_dashboard import RayDashboard

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import Scope

    from castray.api.rendering import Rendering

__all__ = ["add_ray_dashboard"]

PATH = "/api/ray-dashboard"


def add_ray_dashboard(app: FastAPI, rendering: Rendering) -> None:
    """Have the application answer it."""
    router = APIRouter(tags=["reads"], responses=PROBLEM_RESPONSES)

    @router.get(PATH, response_model=RayDashboard)
    async def ray_dashboard(
        request: Request, limit: Limit = None, cursor: Cursor = None
    ) -> Response:
        """All nodes with their load and work status, and the home cluster's resources.

        With `limit` or `cursor` a page of the nodes. The summary is always that of all nodes, and a
        cursor stays good while nodes come and go.
        """
        tag = entity_tag(rendering.view())
        if is_current(request, tag):
            return not_modified(tag)
        return respond(request, rendering.ray_dashboard(limit, cursor), tag)

    app.include_router(router)
    app.router.routes.insert(0, _PlainRoute(PATH, ray_dashboard))


class _PlainRoute(Route):
    """The way without FastAPI, which takes longer to call the handler than that does to answer.

    It is for those who ask for everything; FastAPI's own is for the others, and for the document.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.NONE, {}) if scope["query_string"] else super().matches(scope)
