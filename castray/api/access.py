"""The door: every request and every socket passes here first, and every answer last."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request  # noqa: TC002 - the framework reads the annotation
from starlette.responses import HTMLResponse

from castray.api.auth import Refuse
from castray.api.login_page import LOGIN_PAGE, LOGIN_PAGE_POLICY
from castray.api.messages import preferred_language
from castray.api.problems import ProblemResponse, problem

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from castray.api.auth import AccessPolicy, Role

__all__ = ["AccessMiddleware", "refuse_viewers", "role_of"]

ROLE = "castray.role"

MAX_BODY_BYTES = 1024**2
"""What is sent here is small JSON; nothing larger is read, whoever sends it."""

UPLOAD_PATH = re.compile(r"/api/nodes/.+/files/content")
"""Where files of any size are put; they pass through in pieces."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        # Component libraries set styles of elements from scripts.
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self' data:; base-uri 'none'; object-src 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class AccessMiddleware:
    """Lets in what the policy allows, and puts the security headers on every answer.

    Args:
        app: What is behind the door.
        policy: The rules.
    """

    def __init__(self, app: ASGIApp, policy: AccessPolicy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = _joined_headers(scope)
        decision = self._policy.decide(
            scope.get("method", "GET"), scope["path"], headers, scope["type"]
        )
        if scope["type"] == "http":
            send = _with_security_headers(send)
            if not _is_upload(scope):
                receive = _with_bounded_body(receive)
        if not isinstance(decision, Refuse):
            scope[ROLE] = decision.role
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await _refuse_socket(decision, headers, scope, receive, send)
        else:
            await _refusal(decision, scope["method"], headers)(scope, receive, send)


def role_of(connection: HTTPConnection) -> Role:
    """The role in which a request was let in; not for calls that anyone may make."""
    role: Role = connection.scope[ROLE]
    return role


def refuse_viewers(request: Request) -> None:
    """For calls that read what who may only see how things stand must not see.

    Raises:
        HTTPException: It is such a caller.
    """
    if role_of(request) == "viewer":
        raise HTTPException(403)


def _joined_headers(scope: Scope) -> dict[str, str]:
    """By lower-case name. A header that came twice is joined, so it equals neither of its two."""
    joined: dict[str, str] = {}
    for name, value in Headers(scope=scope).items():
        separator = "; " if name == "cookie" else ", "
        joined[name] = f"{joined[name]}{separator}{value}" if name in joined else value
    return joined


def _is_upload(scope: Scope) -> bool:
    return scope["method"] == "PUT" and UPLOAD_PATH.fullmatch(scope["path"]) is not None


def _with_bounded_body(receive: Receive) -> Receive:
    size_bytes = 0

    async def wrapped() -> Message:
        nonlocal size_bytes
        message = await receive()
        size_bytes += len(message.get("body", b""))
        if size_bytes > MAX_BODY_BYTES:
            raise HTTPException(413)
        return message

    return wrapped


def _with_security_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return wrapped


def _refusal(refuse: Refuse, method: str, headers: dict[str, str]) -> Response:
    if refuse.status == 401 and method == "GET" and "text/html" in headers.get("accept", ""):
        return HTMLResponse(
            LOGIN_PAGE,
            refuse.status,
            {
                "Content-Security-Policy": LOGIN_PAGE_POLICY,
                "Cache-Control": "no-store",
                "WWW-Authenticate": "Bearer",
            },
        )
    challenge = {"WWW-Authenticate": "Bearer"} if refuse.status == 401 else {}
    return ProblemResponse(
        problem(refuse.code, refuse.status, preferred_language(headers)), challenge
    )


async def _refuse_socket(
    refuse: Refuse, headers: dict[str, str], scope: Scope, receive: Receive, send: Send
) -> None:
    """Refuse before accepting; a server that cannot send an answer then says 403 by itself."""
    await receive()
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    response = _refusal(refuse, "", headers)
    await send(
        {
            "type": "websocket.http.response.start",
            "status": refuse.status,
            "headers": response.raw_headers,
        }
    )
    await send({"type": "websocket.http.response.body", "body": response.body})
