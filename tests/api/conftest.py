"""An API over a registry that the test feeds: in this process, or behind a real server."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pytest

from castray.api.app import build_app
from castray.api.auth import AccessPolicy
from castray.config import Settings
from tests.api.memory_backend import MemoryBackend
from tests.core.given import members, node_facts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from fastapi import FastAPI


class ConnectApi(Protocol):
    """Builds an API and connects a client to it."""

    async def __call__(
        self, access: AccessPolicy = ..., *, settings: dict[str, Any] | None = ...
    ) -> httpx.AsyncClient: ...


@pytest.fixture
def registry() -> MemoryBackend:
    """Knows two nodes: m1, the head, and m2."""
    backend = MemoryBackend()
    backend.apply(members(node_facts("m1", is_head=True), node_facts("m2", address="10.0.0.2")))
    return backend


@pytest.fixture
async def connect(registry: MemoryBackend, tmp_path: Path) -> AsyncIterator[ConnectApi]:
    """Connects clients to APIs over that registry, until the test ends; no page is built."""
    async with AsyncExitStack() as stack:

        async def connect(
            access: AccessPolicy | None = None, *, settings: dict[str, Any] | None = None
        ) -> httpx.AsyncClient:
            app = build_app(
                registry,
                Settings.model_validate(settings or {}),
                access or AccessPolicy(),
                page_directory=tmp_path / "page",
            )
            return await stack.enter_async_context(connected_client(app))

        yield connect


@pytest.fixture
async def api(connect: ConnectApi) -> httpx.AsyncClient:
    """A client of an API with default settings that asks for no token."""
    return await connect()


@asynccontextmanager
async def connected_client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application, which is started and stopped around it."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client,
    ):
        yield client
