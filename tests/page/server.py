"""CastRay's API and page, served in this process over a registry in memory."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import uvicorn

from castray.api.app import build_app
from castray.config import Settings

if TYPE_CHECKING:
    from castray.api.auth import AccessPolicy
    from tests.api.memory_backend import MemoryBackend

__all__ = ["PageServer"]


class PageServer:
    """One server at one address, which can be stopped and started again.

    Args:
        backend: The registry that it shows.
        access: Who may do what.
    """

    def __init__(self, backend: MemoryBackend, access: AccessPolicy) -> None:
        self._backend = backend
        self._access = access
        self._port = 0
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def url(self) -> str:
        """Where it serves, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Serve, at the address of before if there was one."""
        listener = socket.create_server(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        app = build_app(self._backend, Settings(), self._access)
        self._server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=2)
        )
        self._task = asyncio.create_task(self._server.serve([listener]), name="page server")
        while not self._server.started:
            assert not self._task.done(), "the server did not start"
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """End it, and with it every open connection."""
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        await self._task
        self._server = self._task = None
