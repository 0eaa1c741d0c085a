"""The peer: as little as a server can do between a POST and a WebSocket, or a GET and its body.

An ASGI application for uvicorn: `GET` answers with what was posted last, and each post is pushed
to every open WebSocket before it is answered.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

__all__ = ["app"]

HEADERS = [(b"content-type", b"application/json")]

_sockets: set[asyncio.Queue[bytes]] = set()
_posted = b""


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Handle one connection."""
    if scope["type"] == "websocket":
        await _serve_socket(receive, send)
    elif scope["type"] == "http":
        if scope["method"] == "POST":
            await _take(receive)
        await send({"type": "http.response.start", "status": 200, "headers": _headers()})
        await send({"type": "http.response.body", "body": _posted})


async def _serve_socket(receive: Receive, send: Send) -> None:
    await receive()
    queue: asyncio.Queue[bytes] = asyncio.Queue(maxsize=1000)
    _sockets.add(queue)
    try:
        await send({"type": "websocket.accept"})
        while True:
            await send({"type": "websocket.send", "text": (await queue.get()).decode()})
    finally:
        _sockets.discard(queue)


async def _take(receive: Receive) -> None:
    global _posted
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    _posted = body
    for queue in _sockets:
        queue.put_nowait(body)


def _headers() -> list[tuple[bytes, bytes]]:
    return [*HEADERS, (b"content-length", str(len(_posted)).encode())]
