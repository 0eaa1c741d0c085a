"""The HTTP API as one ASGI application over a `Backend`."""

from __future__ import annotations

import functools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import WebSocketRoute

from castray import __version__
from castray.api.access import AccessMiddleware
from castray.api.casts import casts_router
from castray.api.docs import docs_router
from castray.api.document import build_document
from castray.api.external import external_router
from castray.api.feed import ReplicaFeed
from castray.api.files import files_router
from castray.api.nodes import nodes_router
from castray.api.page import PAGE_DIRECTORY, page_router
from castray.api.problems import install_handlers
from castray.api.ray_dashboard import add_ray_dashboard
from castray.api.rendering import Rendering
from castray.api.session import session_router
from castray.api.socket_hub import SocketHub
from castray.api.system import system_router
from castray.api.websocket import SocketEndpoint
from castray.models import WorkStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from castray.api.auth import AccessPolicy
    from castray.api.backend import Backend
    from castray.config import Settings

__all__ = ["build_app"]


def build_app(
    backend: Backend,
    settings: Settings,
    access: AccessPolicy,
    *,
    page_directory: Path = PAGE_DIRECTORY,
) -> FastAPI:
    """The application; its lifespan follows the backend from start to end.

    Args:
        backend: The registry.
        settings: All of them.
        access: Who may do what.
        page_directory: Where the built page is.
    """
    feed = ReplicaFeed(backend)
    rendering = Rendering(feed, WorkStatus(settings.monitor.fallback_status))
    hub = SocketHub(feed, rendering)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        feed.start()
        hub.start()
        await feed.wait_ready()
        try:
            yield
        finally:
            await hub.aclose()
            await feed.aclose()

    app = FastAPI(
        title="CastRay",
        version=__version__,
        description="Live work status of the nodes of several Ray clusters; files between them.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    add_ray_dashboard(app, rendering)
    for router in (
        system_router(feed, rendering),
        external_router(backend, feed),
        files_router(backend),
        nodes_router(rendering),
        casts_router(backend, feed),
        session_router(access),
        docs_router(),
        page_router(page_directory),
    ):
        app.include_router(router)
    app.router.routes.append(WebSocketRoute("/ws", SocketEndpoint(hub)))
    install_handlers(app)
    # FastAPI's own way to have `/openapi.json` serve another document.
    app.openapi = functools.cache(functools.partial(build_document, app))  # type: ignore[method-assign]
    # The last one added is the outermost: nothing gets past the door, not even a preflight.
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.web_server.cors_origins,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["ETag", "Location", "Content-Disposition", "Content-Range"],
    )
    app.add_middleware(AccessMiddleware, policy=access)
    return app
