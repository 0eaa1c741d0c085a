"""Follows a running CastRay over its WebSocket, for ever."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import aiohttp
from pydantic import TypeAdapter, ValidationError

from castray.api.socket_messages import Feed
from castray.changes import Changes
from castray.cli.client import refusal, unknown_answer
from castray.core.replica import Replica
from castray.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from castray.cli.client import Target
    from castray.models import Node

__all__ = ["Follower"]

SILENCE_S = 8.0
"""A socket says something every 3 s; after so long it is lost, whatever TCP believes."""

FIRST_RETRY_S = 0.5
LAST_RETRY_S = 10.0
FINAL_STATUSES = (401, 403, 404)
"""HTTP statuses that no second try changes."""

MAX_MESSAGE_BYTES = 256 * 1024 * 1024
"""A snapshot of a hundred thousand nodes fits."""

MESSAGE = TypeAdapter(dict[str, Any])


class Follower:
    """A copy of what a CastRay knows, kept up while the connection holds.

    Args:
        target: Which CastRay.
    """

    def __init__(self, target: Target) -> None:
        self.connection = f"Connecting to {target.url} …"
        """How the connection is, in words."""
        self._target = target
        self._replica = Replica()
        self._failures = 0

    def nodes(self) -> tuple[Node, ...]:
        """All nodes as last heard; unknown while nobody is heard."""
        view = self._replica.view()
        return view.nodes if view else ()

    async def run(self, on_change: Callable[[], None]) -> None:
        """Follow until cancelled; `on_change` is called after every change.

        Raises:
            click.ClickException: CastRay refuses us.
        """
        async with aiohttp.ClientSession(headers=self._target.headers) as session:
            while True:
                await self._follow_once(session, on_change)
                self._lose()
                on_change()
                delay_s = min(FIRST_RETRY_S * 2**self._failures, LAST_RETRY_S)
                self._failures += 1
                await asyncio.sleep(delay_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter

    def apply(self, text: str) -> None:
        """Take in one message of the socket.

        Raises:
            InvalidRequestError: It begins at another version than our copy.
            ValidationError: It has another shape than we know.
        """
        now = datetime.now(timezone.utc)
        message = MESSAGE.validate_json(text)
        if message.get("type") in ("snapshot", "delta"):
            self._replica.merge(Changes.model_validate(message.get("data")), now)
        elif message.get("type") == "feed":
            self._apply_feed(Feed.model_validate(message.get("data")), now)

    def _apply_feed(self, feed: Feed, now: datetime) -> None:
        version = self._replica.version
        if feed.lost_since is not None:
            self._replica.lose_feed(feed.lost_since)
        elif version is not None and self._replica.feed_lost_since is not None:
            self._replica.merge(Changes(version=version, since=version), now)

    async def _follow_once(
        self, session: aiohttp.ClientSession, on_change: Callable[[], None]
    ) -> None:
        """Follow while one connection holds."""
        try:
            await self._connect(session, on_change)
        except aiohttp.WSServerHandshakeError as error:
            if error.status in FINAL_STATUSES:
                raise refusal(self._target, error) from None
        except InvalidRequestError:
            # Our copy does not fit: the next connection brings everything.
            self._replica = Replica()
        except ValidationError:
            raise unknown_answer(self._target) from None
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError):
            return

    async def _connect(self, session: aiohttp.ClientSession, on_change: Callable[[], None]) -> None:
        params = {"mode": "delta"} | ({"since": v} if (v := self._replica.version) else {})
        url = f"{self._target.url}/ws"
        async with session.ws_connect(url, params=params, max_msg_size=MAX_MESSAGE_BYTES) as socket:
            self.connection = f"Live from {self._target.url}"
            self._failures = 0
            while True:
                message = await socket.receive(timeout=SILENCE_S)
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return
                self.apply(message.data)
                on_change()

    def _lose(self) -> None:
        self.connection = f"No connection to {self._target.url}; trying again …"
        if self._replica.feed_lost_since is None:
            self._replica.lose_feed(datetime.now(timezone.utc))
