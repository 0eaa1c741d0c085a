"""`GET /api/nodes` and `GET /api/nodes/{id}`: CastRay's own record of each node."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from castray.api.bodies import Body, entity_tag, is_current, not_modified, respond
from castray.api.paging import DEFAULT_PAGE_NODES, Cursor, Limit, take_page
from castray.api.problems import PROBLEM_RESPONSES
from castray.models import Node, NodeState, WorkStatus

if TYPE_CHECKING:
    from castray.api.rendering import Rendering
    from castray.core.replica import View

__all__ = ["NodePage", "nodes_router"]


class NodePage(BaseModel):
    """Some of the nodes, in the order of their keys."""

    version: str
    total: int = Field(description="How many nodes the filters let through, on all pages.")
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page.")
    nodes: tuple[Node, ...]


def nodes_router(rendering: Rendering) -> APIRouter:
    """Both endpoints."""
    router = APIRouter(tags=["reads"], responses=PROBLEM_RESPONSES)

    @router.get("/api/nodes", response_model=NodePage)
    async def list_nodes(
        request: Request,
        cluster: Annotated[str | None, Query(description="Only this cluster's, by id.")] = None,
        status: Annotated[
            WorkStatus | NodeState | None, Query(description="Only those of this status or state.")
        ] = None,
        limit: Limit = DEFAULT_PAGE_NODES,
        cursor: Cursor = None,
    ) -> Response:
        """The nodes, a page at a time. A cursor stays good while nodes come and go."""
        view = rendering.view()
        tag = entity_tag(view)
        if is_current(request, tag):
            return not_modified(tag)
        found = [
            n
            for n in view.nodes
            if (cluster is None or n.cluster == cluster)
            and (status is None or status in (n.work.status, n.state))
        ]
        page, next_cursor = take_page(found, limit, cursor)
        body = Body(
            f'{{"version":"{view.version}","total":{len(found)},'
            f'"next_cursor":{json.dumps(next_cursor)},"nodes":[{rendering.nodes(page)}]}}'
        )
        return respond(request, body, tag)

    @router.get("/api/nodes/{name}", response_model=Node)
    async def show_node(request: Request, name: str) -> Response:
        """One node, by short id, NodeID or name; a name that fits several is a 409."""
        return _show(request, rendering.view(), name)

    @router.get("/api/nodes/{cluster}/{node_id}", response_model=Node)
    async def show_node_by_key(request: Request, cluster: str, node_id: str) -> Response:
        """One node, by its key."""
        return _show(request, rendering.view(), f"{cluster}/{node_id}")

    def _show(request: Request, view: View, name: str) -> Response:
        node, tag = view.find_node(name), entity_tag(view)
        if is_current(request, tag):
            return not_modified(tag)
        return respond(request, Body(rendering.node(node)), tag)

    return router
