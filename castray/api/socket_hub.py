"""Tells every open socket what changed, each from where it stands, all from one encoding.

A socket has no queue. Whoever sends to it asks it what is due by then, so a slow client gets
fewer, larger steps. One worker sends to all sockets in turn, which is as cheap as it gets; where a
client makes it wait, the next worker goes on with the others.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import deque
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from starlette.websockets import WebSocketDisconnect

from castray.api.pulse import Pulse
from castray.api.socket_messages import Feed, FeedMessage, Heartbeat, HeartbeatMessage
from castray.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from starlette.types import Send

    from castray.api.feed import ReplicaFeed
    from castray.api.rendering import Rendering

__all__ = ["ClassicSocket", "DeltaSocket", "Mode", "Socket", "SocketHub"]

logger = logging.getLogger(__name__)

Mode = Literal["classic", "delta"]

DELTA_GAPS_S = (0.05, 0.25)
"""What people wait for is sent at once, and what follows it closely together; loads and figures,
which each node measures once a second, in their time."""

CLASSIC_GAPS_S = (1 / 3, 1.0)
"""The same. Each of these messages is the whole cluster: in no second there are more than four."""

BEAT_S = 2.5
"""How often every socket hears something: 3 s are promised, and the way takes time."""

SEND_TIMEOUT_BEATS = 4
"""Whoever takes longer, 10 s, to receive a message is gone, or means harm."""

CLIENT_LEFT = (WebSocketDisconnect, OSError)
"""What servers raise from a send to a client that went."""


class Moment(NamedTuple):
    """What every socket is to have been sent: another object as soon as there is anything new."""

    beat: int
    heartbeat: str
    feed: str
    version: str | None


class SocketHub:
    """The open sockets, and the beat that they share.

    Args:
        feed: Where changes come from.
        rendering: Encodes them.
    """

    def __init__(self, feed: ReplicaFeed, rendering: Rendering) -> None:
        self.rendering = rendering
        self.moment = Moment(0, "", "", None)
        self._feed = feed
        self._beats = 0
        self._heartbeat = ""
        self._sockets: dict[Mode, set[Socket]] = {"classic": set(), "delta": set()}
        # Those first whose messages take no time to make.
        self._pulses = [
            Pulse(*DELTA_GAPS_S, lambda: self._deliver(self._sockets["delta"])),
            Pulse(*CLASSIC_GAPS_S, lambda: self._deliver(self._sockets["classic"])),
        ]
        self._news: tuple[object, ...] = ()
        self._waiting: deque[Socket] = deque()
        self._workers: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        feed.listen(self._wake)

    def __len__(self) -> int:
        return sum(map(len, self._sockets.values()))

    def start(self) -> None:
        """Begin to beat."""
        self._beat()

    async def aclose(self) -> None:
        """Stop beating, and end every socket."""
        if self._timer is not None:
            self._timer.cancel()
        for pulse in self._pulses:
            pulse.close()
        for socket in self._all():
            socket.end()
        if self._workers:
            await asyncio.wait(self._workers)

    async def serve(self, socket: Socket, receive: Coroutine[Any, Any, None]) -> None:
        """Send to a socket until `receive` is done, or the client does not take what is sent."""
        sockets = self._sockets[socket.mode]
        sockets.add(socket)
        socket.receiver = asyncio.create_task(receive, name="socket receiver")
        try:
            self._deliver([socket])
            await asyncio.wait([socket.receiver])
        finally:
            sockets.discard(socket)
            socket.end()
        _log_failure(socket.receiver)

    def _all(self) -> list[Socket]:
        return [socket for sockets in self._sockets.values() for socket in sockets]

    def _beat(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(BEAT_S, self._beat)
        self._beats += 1
        now = Heartbeat(now=datetime.now(timezone.utc))
        self._heartbeat = HeartbeatMessage(data=now).model_dump_json()
        for socket in self._all():
            if socket.hangs():
                logger.info("a client does not take what it is sent: its socket ends")
                socket.end()
        self._wake()

    def _wake(self) -> None:
        lost = FeedMessage(data=Feed(lost_since=self._feed.lost_since))
        self.moment = Moment(
            self._beats, self._heartbeat, lost.model_dump_json(), self._feed.version
        )
        last, self._news = self._news, (self._feed.news_version, self._feed.lost_since)
        for pulse in self._pulses:
            pulse.request(urgent=self._news != last)

    def _deliver(self, sockets: Iterable[Socket]) -> None:
        for socket in sockets:
            if not socket.is_busy:
                socket.is_busy = True
                self._waiting.append(socket)
        self._go_on()

    def _go_on(self) -> None:
        """Start a worker; should it have to wait for a client, start the next one after it."""
        if self._waiting:
            worker = asyncio.create_task(self._run_worker(), name="socket worker")
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
            worker.add_done_callback(_log_failure)
            asyncio.get_running_loop().call_soon(self._go_on)

    async def _run_worker(self) -> None:
        while self._waiting:
            await self._waiting.popleft().send_due()


class Socket(ABC):
    """One open socket.

    Args:
        hub: Where it belongs.
        send: Sends an ASGI message.
    """

    mode: Mode

    def __init__(self, hub: SocketHub, send: Send) -> None:
        self.is_busy = False
        self.receiver: asyncio.Task[None] | None = None
        self._hub = hub
        self._send = send
        self._moment: Moment | None = None
        self._worker: asyncio.Task[Any] | None = None
        self._sending_since_beat: int | None = None

    async def send(self, text: str) -> None:
        """Send one message; returns when the client, or the network, has taken it."""
        self._sending_since_beat = self._hub.moment.beat
        await self._send({"type": "websocket.send", "text": text})
        self._sending_since_beat = None

    async def send_due(self) -> None:
        """Send until this client has everything."""
        self._worker = asyncio.current_task()
        try:
            while self._moment is not self._hub.moment:
                for text in self._take_due(self._hub.moment):
                    await self.send(text)
        except CLIENT_LEFT:
            self._give_up()
        except Exception:
            logger.exception("sending to a socket failed: it ends")
            self._give_up()
        finally:
            self._worker, self.is_busy = None, False

    async def resume(self, version: str) -> None:
        """Go on from another version than that which was sent last.

        Raises:
            InvalidRequestError: This kind of socket has no versions.
        """
        raise InvalidRequestError(f"Only a socket of /ws?mode=delta can resume from {version}.")

    def hangs(self) -> bool:
        """Whether a send has been under way for too long."""
        since = self._sending_since_beat
        return since is not None and self._hub.moment.beat - since > SEND_TIMEOUT_BEATS

    def end(self) -> None:
        """End it without waiting for the client."""
        for task in (self.receiver, self._worker):
            if task is not None:
                task.cancel()

    def _give_up(self) -> None:
        if self.receiver is not None:
            self.receiver.cancel()

    @abstractmethod
    def _take_due(self, moment: Moment) -> list[str]:
        """What this client has to be sent to be at that moment."""


class ClassicSocket(Socket):
    """One that is sent the whole cluster each time."""

    mode = "classic"

    def _take_due(self, moment: Moment) -> list[str]:
        last, self._moment = self._moment, moment
        if not moment.version:
            return []
        news = self._hub.rendering.notices(last.version) if last and last.version else []
        return [*news, self._hub.rendering.cluster_status()]


class DeltaSocket(Socket):
    """One that is sent what changed since the version that it was sent last.

    Args:
        hub: Where it belongs.
        send: Sends an ASGI message.
        since: The version that the client says it holds.
    """

    mode = "delta"

    def __init__(self, hub: SocketHub, send: Send, since: str | None) -> None:
        super().__init__(hub, send)
        self._version = since

    async def resume(self, version: str) -> None:
        """Send what changed since that version, even if that is nothing."""
        self._version, text = self._hub.rendering.changes(version)
        await self.send(text)

    def _take_due(self, moment: Moment) -> list[str]:
        last, self._moment, texts = self._moment, moment, []
        if last is None or last.feed != moment.feed:
            texts.append(moment.feed)
        if last is None or last.beat != moment.beat:
            texts.append(moment.heartbeat)
        if moment.version and (last is None or self._version != moment.version):
            self._version, text = self._hub.rendering.changes(self._version)
            texts.append(text)
        return texts


def _log_failure(task: asyncio.Task[None]) -> None:
    if task.cancelled():
        return
    error = task.exception()
    if error is not None and not isinstance(error, CLIENT_LEFT):
        logger.error("a socket failed", exc_info=error)
