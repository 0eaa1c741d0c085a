"""HTTP between CastRay and an outpost: the server answers only to who has the outpost's key.

The server knows no more than the key's digest, so nothing that is told to another cluster lets
anybody read the key there. Errors of a cast travel by name and are raised again on the other side.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import socket
from dataclasses import dataclass, field
from hmac import compare_digest
from io import BytesIO
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from castray import errors
from castray.errors import CastError, PeerError
from castray.transfer.agent_link import MAX_PIECE_BYTES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

__all__ = ["KeyedClient", "KeyedServer", "digest_key"]

logger = logging.getLogger(__name__)

CAST_ERROR_STATUS = 409
"""Of an answer that is an error of the cast, told by name."""

CAST_ERRORS: dict[str, type[CastError]] = {
    name: error
    for name, error in vars(errors).items()
    if isinstance(error, type) and issubclass(error, CastError)
}

CONNECT_S = 5.0

MAX_BODY_BYTES = 4 * MAX_PIECE_BYTES
"""The largest answer is the list of a large directory."""

SHUTDOWN_S = 1.0


def digest_key(key: str) -> str:
    """What a server has to know of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


class KeyedServer:
    """An HTTP server for who has the key.

    Args:
        routes: What it answers.
        key_digest: Of the key, as `digest_key` makes it.
    """

    def __init__(self, routes: Iterable[web.RouteDef], key_digest: str) -> None:
        self._key_digest = key_digest
        app = web.Application(
            middlewares=[self._guard, _tell_errors], client_max_size=MAX_PIECE_BYTES + 1
        )
        app.add_routes(routes)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)

    async def start(self, host: str, ports: Iterable[int]) -> int:
        """Listen on the first free one of these ports, and say which.

        Raises:
            OSError: None of them is free.
        """
        listener = _bind(host, ports)
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()
        port: int = listener.getsockname()[1]
        return port

    async def aclose(self) -> None:
        """Stop listening and end what is being answered; harmless the second time."""
        await self._runner.cleanup()

    @web.middleware
    async def _guard(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not compare_digest(digest_key(key), self._key_digest):
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        return await handler(request)


@dataclass(frozen=True)
class KeyedClient:
    """Asks one server, with its key; each call has a connection of its own.

    Attributes:
        url: Where it listens, such as `http://10.0.0.5:28900`.
        key: The key.
    """

    url: str
    key: str = field(repr=False)

    async def call(
        self,
        method: str,
        path: str,
        *,
        timeout_s: float,
        query: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> bytes:
        """What it answers.

        Raises:
            CastError: It says so; PeerError for everything that is no error of a cast.
        """
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_S)
        headers = {"Authorization": f"Bearer {self.key}", "Accept-Encoding": "identity"}
        try:
            async with (
                aiohttp.ClientSession(
                    timeout=timeout, headers=headers, auto_decompress=False
                ) as session,
                session.request(
                    method, self.url + path, params=query, data=BytesIO(body), allow_redirects=False
                ) as answer,
            ):
                return self._checked(answer.status, await self._read(answer))
        except asyncio.TimeoutError:
            raise PeerError(self.url, f"gave no whole answer within {timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise PeerError(self.url, f"does not answer: {error}") from error

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in answer.content.iter_any():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise PeerError(self.url, f"answers with more than {MAX_BODY_BYTES} bytes")
        return bytes(body)

    def _checked(self, status: int, body: bytes) -> bytes:
        if status == 200:
            return body
        if status == CAST_ERROR_STATUS:
            raise self._parse_error(body)
        if status == 401:
            raise PeerError(self.url, "does not know this key: it belongs to somebody else")
        raise PeerError(self.url, f"answers with status {status}, as no outpost of ours does")

    def _parse_error(self, body: bytes) -> CastError:
        try:
            told = json.loads(body)
            return CAST_ERRORS[told["error"]](str(told["subject"]), str(told["problem"]))
        except (ValueError, TypeError, KeyError):
            return PeerError(self.url, "tells of an error that is none of ours")


@web.middleware
async def _tell_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except CastError as error:
        name = next(kind.__name__ for kind in type(error).mro() if kind.__name__ in CAST_ERRORS)
        told = {"error": name, "subject": error.subject, "problem": error.problem}
        return web.json_response(told, status=CAST_ERROR_STATUS)


def _bind(host: str, ports: Iterable[int]) -> socket.socket:
    refusal = OSError("no port was given to listen on")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in ports:
        try:
            return socket.create_server((host, port), family=family)
        except OSError as error:
            refusal = error
    raise refusal
