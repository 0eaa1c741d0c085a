"""Who may do what. Decided from the request alone, never from the client's address.

Bound to loopback with no token set, CastRay is open to this machine: but a web page that some
browser here has open must not drive it, so every method and every socket demands a loopback
`Host`, and an `Origin`, where there is one, that is CastRay's own or one that was let in. In all
other cases every call and every socket needs a token.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import ipaddress
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from starlette.requests import cookie_parser

from castray.api.token_file import DEFAULT_TOKEN_FILE, read_or_create_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from castray.config import Settings

__all__ = [
    "SESSION_COOKIE",
    "AccessPolicy",
    "Allow",
    "ConnectionKind",
    "Refuse",
    "Role",
    "build_access_policy",
    "is_loopback_host",
]

Role = Literal["admin", "viewer", "open"]
"""What a caller may do: everything, read, or everything because nobody is asked for a token."""

ConnectionKind = Literal["http", "websocket"]

SESSION_COOKIE = "castray_session"

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SESSION_PATHS = frozenset({"/api/login", "/api/logout"})
"""What everybody may post: whoever may read only must still be able to log in and out."""

HOST = re.compile(r"(?P<name>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


@dataclass(frozen=True)
class Allow:
    """The request may go on, in that role; `anyone` may make this one call."""

    role: Role | Literal["anyone"]


@dataclass(frozen=True)
class Refuse:
    """The request ends here, with that HTTP status and the code of its problem."""

    status: Literal[401, 403]
    code: Literal["login-required", "wrong-token", "read-only", "foreign-host", "foreign-origin"]


@dataclass(frozen=True)
class AccessPolicy:
    """The rules that hold while CastRay runs.

    Args:
        token: Allows everything; None: open, to this machine only.
        viewer_token: Allows to read.
        cors_origins: Origins of other web pages that may call, such as `https://example.org`.
    """

    token: str | None = field(default=None, repr=False)
    viewer_token: str | None = field(default=None, repr=False)
    cors_origins: frozenset[str] = frozenset()

    def decide(
        self, method: str, path: str, headers: Mapping[str, str], kind: ConnectionKind
    ) -> Allow | Refuse:
        """Decide on one request or one opening of a socket.

        Args:
            method: The HTTP method, `GET` for a socket.
            path: The path, without the query.
            headers: By lower-case name; a header that came twice has both values in one.
            kind: Whether a socket is to be opened.
        """
        if self.token is None:
            return self._decide_open(headers)
        if method in ("GET", "HEAD") and path == "/api/health" and kind == "http":
            return Allow("anyone")
        return self._decide_with_token(method, path, headers, kind)

    def session_value(self, token: str) -> str | None:
        """The cookie's value for who knows that token, or None where it is the wrong one."""
        if self._role_of(token) is None:
            return None
        return _session_value(token)

    def _decide_open(self, headers: Mapping[str, str]) -> Allow | Refuse:
        if not is_loopback_host(headers.get("host", "")):
            return Refuse(403, "foreign-host")
        return Allow("open") if self._origin_is_ours(headers) else Refuse(403, "foreign-origin")

    def _decide_with_token(
        self, method: str, path: str, headers: Mapping[str, str], kind: ConnectionKind
    ) -> Allow | Refuse:
        if self._is_preflight(method, headers) and kind == "http":
            return Allow("anyone")
        authorization = headers.get("authorization")
        by_cookie = authorization is None
        if by_cookie and not self._origin_is_ours(headers):
            return Refuse(403, "foreign-origin")
        if path in SESSION_PATHS and method == "POST" and kind == "http":
            return Allow("anyone")
        role = (
            self._role_of_session(headers.get("cookie", ""))
            if authorization is None
            else self._role_of(_parse_bearer(authorization))
        )
        if role is None:
            return Refuse(401, "login-required" if by_cookie else "wrong-token")
        if role == "viewer" and method not in READING_METHODS:
            return Refuse(403, "read-only")
        return Allow(role)

    def _is_preflight(self, method: str, headers: Mapping[str, str]) -> bool:
        """A browser's question before a call from an origin that was let in: it has no token."""
        return (
            method == "OPTIONS"
            and "access-control-request-method" in headers
            and headers.get("origin") in self.cors_origins
        )

    def _origin_is_ours(self, headers: Mapping[str, str]) -> bool:
        origin = headers.get("origin")
        if origin is None or origin in self.cors_origins:
            return True
        scheme, _, authority = origin.partition("://")
        return scheme in ("http", "https") and authority.lower() == headers.get("host", "").lower()

    def _role_of(self, token: str) -> Role | None:
        admin = _same(token, self.token)
        viewer = _same(token, self.viewer_token)
        return "admin" if admin else "viewer" if viewer else None

    def _role_of_session(self, cookies: str) -> Role | None:
        value = cookie_parser(cookies).get(SESSION_COOKIE, "")
        admin = self.token is not None and _same(value, _session_value(self.token))
        viewer = self.viewer_token is not None and _same(value, _session_value(self.viewer_token))
        return "admin" if admin else "viewer" if viewer else None


def build_access_policy(settings: Settings, *, bound_host: str | None = None) -> AccessPolicy:
    """The policy of these settings; makes and keeps a token where one is needed and none is set.

    Args:
        settings: All of them.
        bound_host: Where the server listens, if that is not the host of the settings.

    Raises:
        SettingsError: The token file cannot be used.
    """
    auth = settings.auth
    token = auth.token.get_secret_value() if auth.token else None
    viewer_token = auth.viewer_token.get_secret_value() if auth.viewer_token else None
    exposed = not is_loopback_host(bound_host or settings.web_server.host)
    if token is None and (exposed or viewer_token or auth.token_file):
        token, _ = read_or_create_token(auth.token_file or DEFAULT_TOKEN_FILE)
    return AccessPolicy(
        token=token,
        viewer_token=viewer_token,
        cors_origins=frozenset(settings.web_server.cors_origins),
    )


@functools.lru_cache(maxsize=256)
def is_loopback_host(host: str) -> bool:
    """Whether a host, with or without a port, can only be this machine: `[::1]:8000`, `::1`."""
    match = HOST.fullmatch(host.lower())
    name = match["name"].strip("[]") if match else host
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _parse_bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _session_value(token: str) -> str:
    return hmac.new(token.encode(), b"castray session", hashlib.sha256).hexdigest()


def _same(given: str, expected: str | None) -> bool:
    """Compare in constant time; an empty or missing token equals nothing."""
    return bool(expected) and hmac.compare_digest(given.encode(), (expected or "").encode())
