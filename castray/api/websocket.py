"""`/ws`: tells every open socket what changed, each from where it stands, all from one encoding.

A socket has no queue. Its sender awaits its own send, and only then takes what is new by then: a
slow client gets fewer, larger steps, and costs nobody anything.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, WebSocket
from pydantic import ValidationError
from starlette.websockets import WebSocketDisconnect, WebSocketDisconnected

from castray.api.messages import preferred_language
from castray.api.problems import describe, problem
from castray.api.pulse import Pulse
from castray.api.socket_messages import (
    ErrorMessage,
    Feed,
    FeedMessage,
    Heartbeat,
    HeartbeatMessage,
    ResumeMessage,
)
from castray.core.versioned import Version
from castray.errors import CastRayError, InvalidRequestError

if TYPE_CHECKING:
    from castray.api.feed import ReplicaFeed
    from castray.api.problems import Problem
    from castray.api.rendering import Rendering

__all__ = ["SocketHub", "websocket_router"]

logger = logging.getLogger(__name__)

DELTA_GAP_S = 0.05
"""A change is sent at once; those that follow it closely go out together."""

CLASSIC_GAP_S = 0.25
"""Each of these messages is the whole cluster: four a second are enough."""

BEAT_S = 2.5
"""How often every socket hears something: 3 s are promised, and the last yards take time."""

SEND_TIMEOUT_S = 10.0
"""Whoever takes longer to receive a message is gone, or means harm."""

MAX_MESSAGE_CHARS = 4096
MAX_MESSAGES_PER_BEAT = 100
POLICY_VIOLATION = 1008
CLIENT_LEFT = (WebSocketDisconnect, WebSocketDisconnected)

Mode = Literal["classic", "delta"]


class SocketHub:
    """The open sockets and what they share: the pulses that wake them, and the beat.

    Args:
        feed: Where changes come from.
        rendering: Encodes them.
    """

    def __init__(self, feed: ReplicaFeed, rendering: Rendering) -> None:
        self.feed = feed
        self.rendering = rendering
        self.pulses: dict[Mode, Pulse] = {
            "classic": Pulse(CLASSIC_GAP_S),
            "delta": Pulse(DELTA_GAP_S),
        }
        self.beats = 0
        self.heartbeat = ""
        self._sockets: set[_Socket] = set()
        self._timer: asyncio.TimerHandle | None = None
        feed.listen(self._wake)

    def __len__(self) -> int:
        return len(self._sockets)

    def start(self) -> None:
        """Begin to beat."""
        self._beat()

    def close(self) -> None:
        """Stop beating, and end every socket."""
        if self._timer is not None:
            self._timer.cancel()
        for pulse in self.pulses.values():
            pulse.close()
        for socket in self._sockets:
            socket.end()

    async def serve(self, websocket: WebSocket, mode: Mode, since: str | None) -> None:
        """Serve one socket until it ends."""
        await websocket.accept()
        make = _DeltaSocket if mode == "delta" else _Socket
        socket = make(self, websocket, self.pulses[mode], since)
        self._sockets.add(socket)
        try:
            await socket.run()
        finally:
            self._sockets.discard(socket)

    def _wake(self) -> None:
        for pulse in self.pulses.values():
            pulse.request()

    def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(BEAT_S, self._beat)
        self.beats += 1
        heartbeat = Heartbeat(now=datetime.now(timezone.utc))
        self.heartbeat = HeartbeatMessage(data=heartbeat).model_dump_json()
        for socket in self._sockets:
            if socket.hangs(loop.time()):
                logger.info("a client takes longer than %.0f s to receive: ended", SEND_TIMEOUT_S)
                socket.end()
        self._wake()


class _Socket:
    """One open socket: a receiver and a sender, which end together. This one sends it all."""

    def __init__(
        self, hub: SocketHub, websocket: WebSocket, pulse: Pulse, since: str | None
    ) -> None:
        self._hub = hub
        self._websocket = websocket
        self._pulse = pulse
        self._version = since
        self._tasks: list[asyncio.Task[None]] = []
        self._sending = asyncio.Lock()
        self._sending_since: float | None = None
        self._received = (0, 0)
        self._language = preferred_language(websocket.headers)

    async def run(self) -> None:
        """Send and receive until either ends."""
        self._tasks = [
            asyncio.create_task(self._run_receiver(), name="socket receiver"),
            asyncio.create_task(self._run_sender(), name="socket sender"),
        ]
        try:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.end()
            for ended in await asyncio.gather(*self._tasks, return_exceptions=True):
                if isinstance(ended, Exception) and not isinstance(ended, CLIENT_LEFT):
                    logger.error("a socket failed", exc_info=ended)

    def end(self) -> None:
        """End it without waiting for the client."""
        for task in self._tasks:
            task.cancel()

    def hangs(self, now_s: float) -> bool:
        """Whether a send has been under way for too long."""
        return self._sending_since is not None and now_s - self._sending_since > SEND_TIMEOUT_S

    async def _run_sender(self) -> None:
        while True:
            woken = self._pulse.next
            await self._send_due()
            await woken.wait()

    async def _send_due(self) -> None:
        if self._hub.feed.version is not None:
            await self._send(self._hub.rendering.cluster_status())

    async def _send(self, text: str) -> None:
        async with self._sending:
            self._sending_since = asyncio.get_running_loop().time()
            await self._websocket.send({"type": "websocket.send", "text": text})
            self._sending_since = None

    async def _run_receiver(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if self._is_flood():
                await self._websocket.close(POLICY_VIOLATION)
                return
            text = message.get("text")
            if text == "ping":
                await self._send("pong")
            else:
                await self._answer(text)

    def _is_flood(self) -> bool:
        beat, count = self._received
        self._received = (beat, count + 1) if beat == self._hub.beats else (self._hub.beats, 1)
        return self._received[1] > MAX_MESSAGES_PER_BEAT

    async def _answer(self, text: str | None) -> None:
        if text is not None and len(text) > MAX_MESSAGE_CHARS:
            found = problem("body-too-large", 413, self._language, limit=MAX_MESSAGE_CHARS)
            await self._send_problem(found)
            return
        try:
            message = ResumeMessage.model_validate_json(text or "")
            await self._resume(message.data.version)
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            await self._send_problem(
                problem(
                    "invalid-request", 422, self._language, text="malformed-message", reason=reason
                )
            )
        except CastRayError as error:
            await self._send_problem(describe(error, self._language))

    async def _resume(self, version: str) -> None:
        raise InvalidRequestError(f"Only a socket of /ws?mode=delta can resume from {version}.")

    async def _send_problem(self, found: Problem) -> None:
        await self._send(ErrorMessage(data=found).model_dump_json(exclude_none=True))


class _DeltaSocket(_Socket):
    """One that sends what changed since the version that it sent last."""

    _greeted = False
    _beats = 0
    _lost_since: datetime | None = None

    async def _send_due(self) -> None:
        hub, is_first = self._hub, not self._greeted
        if is_first or self._lost_since != hub.feed.lost_since:
            self._greeted, self._lost_since = True, hub.feed.lost_since
            feed = Feed(lost_since=self._lost_since)
            await self._send(FeedMessage(data=feed).model_dump_json())
        if self._beats != hub.beats:
            self._beats = hub.beats
            await self._send(hub.heartbeat)
        current = hub.feed.version
        if current is not None and (is_first or self._version != current):
            await self._resume(self._version)

    async def _resume(self, version: str | None) -> None:
        self._version, text = self._hub.rendering.changes(version)
        await self._send(text)


def websocket_router(hub: SocketHub) -> APIRouter:
    """The one endpoint."""
    router = APIRouter()

    @router.websocket("/ws")
    async def ws(websocket: WebSocket, mode: Mode = "classic", since: str | None = None) -> None:
        await hub.serve(websocket, mode, since if _is_version(since) else None)

    return router


def _is_version(text: str | None) -> bool:
    try:
        Version.parse(text or "")
    except InvalidRequestError:
        return False
    return True
