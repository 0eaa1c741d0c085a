"""`/ws`: how a client connects, what it may say, and what it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError
from starlette.websockets import WebSocket

from castray.api.messages import preferred_language
from castray.api.problems import describe, problem
from castray.api.socket_hub import ClassicSocket, DeltaSocket
from castray.api.socket_messages import ErrorMessage, ResumeMessage
from castray.core.versioned import Version
from castray.errors import CastRayError, InvalidRequestError

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from castray.api.problems import Problem
    from castray.api.socket_hub import Socket, SocketHub

__all__ = ["SocketEndpoint"]

MAX_MESSAGE_CHARS = 4096
MAX_MESSAGES_PER_BEAT = 100
POLICY_VIOLATION = 1008


class SocketEndpoint:
    """The ASGI application at `/ws`: messages go straight to the server, a thousand at a time.

    Args:
        hub: Serves the sockets.
    """

    def __init__(self, hub: SocketHub) -> None:
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket."""
        websocket = WebSocket(scope, receive, send)
        mode = websocket.query_params.get("mode", "classic")
        if mode == "classic":
            socket: Socket = ClassicSocket(self._hub, send)
        elif mode == "delta":
            since = websocket.query_params.get("since")
            socket = DeltaSocket(self._hub, send, since if _is_version(since) else None)
        else:
            await websocket.close(POLICY_VIOLATION)
            return
        await websocket.accept()
        await self._hub.serve(socket, _Receiver(self._hub, websocket, socket).run())


class _Receiver:
    """Reads what one client says, and answers."""

    def __init__(self, hub: SocketHub, websocket: WebSocket, socket: Socket) -> None:
        self._hub = hub
        self._websocket = websocket
        self._socket = socket
        self._language = preferred_language(websocket.headers)
        self._beat = 0
        self._received = 0

    async def run(self) -> None:
        """Read until the client leaves, or floods us."""
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if self._is_flood():
                await self._websocket.close(POLICY_VIOLATION)
                return
            text = message.get("text")
            if text == "ping":
                await self._socket.send("pong")
            else:
                await self._answer(text or "")

    def _is_flood(self) -> bool:
        if self._beat != self._hub.moment.beat:
            self._beat, self._received = self._hub.moment.beat, 0
        self._received += 1
        return self._received > MAX_MESSAGES_PER_BEAT

    async def _answer(self, text: str) -> None:
        if len(text) > MAX_MESSAGE_CHARS:
            await self._refuse(problem("body-too-large", 413, self._language))
            return
        try:
            await self._socket.resume(ResumeMessage.model_validate_json(text).data.version)
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            await self._refuse(
                problem(
                    "invalid-request", 422, self._language, text="malformed-message", reason=reason
                )
            )
        except CastRayError as error:
            await self._refuse(describe(error, self._language))

    async def _refuse(self, found: Problem) -> None:
        await self._socket.send(ErrorMessage(data=found).model_dump_json(exclude_none=True))


def _is_version(text: str | None) -> bool:
    try:
        Version.parse(text or "")
    except InvalidRequestError:
        return False
    return True
