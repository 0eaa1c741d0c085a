"""Servers that stand where a cluster could: recorded answers of a real one, or anything else."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc  # type: ignore[import-untyped]
from aiohttp import web

from castray.discovery.address import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

__all__ = ["RecordedDashboard", "recorded", "serve", "serve_gcs"]

ANSWERS = Path(__file__).parent / "answers"

FILES = {
    "/api/version": "version",
    "/api/authentication_mode": "authentication_mode",
    "/api/v0/nodes": "nodes",
    "/nodes": "summary",
    "/api/cluster_status": "cluster_status",
    "/api/jobs/": "jobs",
    "/api/v0/actors": "actors",
}


def recorded(version: str, name: str) -> bytes:
    """What a real dashboard of that Ray version answered."""
    return (ANSWERS / f"ray-{version}" / f"{name}.json").read_bytes()


class RecordedDashboard:
    """Answers as a real dashboard did; wants a token, if it has one.

    Attributes:
        answers: Bodies that are sent instead of the recorded ones, by path.
        requests: What was asked, in that order.
    """

    def __init__(
        self, version: str = "2.60.0", *, token: str | None = None, session_name: str | None = None
    ) -> None:
        self._version = version
        self._token = token
        self.answers: dict[str, bytes] = {}
        self.requests: list[web.Request] = []
        if session_name:
            answer = json.loads(recorded(version, "version"))
            answer["session_name"] = session_name
            self.answers["/api/version"] = json.dumps(answer).encode()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.requests.append(request)
        if self._token and request.path == "/api/authentication_mode":
            return web.json_response({"authentication_mode": "token"})
        if self._token and "Authorization" not in request.headers:
            return web.Response(status=401, text="Unauthorized: Missing authentication token")
        if self._token and request.headers["Authorization"] != f"Bearer {self._token}":
            return web.Response(status=403, text="Forbidden: Invalid authentication token")
        if request.path not in FILES:
            return web.Response(status=404)
        body = self.answers.get(request.path) or recorded(self._version, FILES[request.path])
        return web.Response(body=body, content_type="application/json")


@asynccontextmanager
async def serve(handler: Handler, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """Serve that on a free port, and give the URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, 0)
    await site.start()
    try:
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextmanager
def serve_gcs(answer: Callable[[bytes, Any], bytes]) -> Iterator[Endpoint]:
    """Serve the one method of a GCS that is used, on a free port."""
    handler = grpc.method_handlers_generic_handler(
        "ray.rpc.InternalKVGcsService",
        {"InternalKVGet": grpc.unary_unary_rpc_method_handler(answer)},
    )
    with ThreadPoolExecutor(1) as threads:
        server = grpc.server(threads, [handler])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield Endpoint("127.0.0.1", port, ("127.0.0.1",))
        finally:
            server.stop(None).wait()
