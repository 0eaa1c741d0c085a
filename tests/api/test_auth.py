from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from castray.api import auth
from castray.api.auth import (
    AccessPolicy,
    Allow,
    ConnectionKind,
    Refuse,
    build_access_policy,
    is_loopback_host,
)
from castray.config import Settings

if TYPE_CHECKING:
    from pathlib import Path

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
READING = ("GET", "HEAD", "OPTIONS")
PATHS = ("/", "/ui", "/api/nodes", "/api/health", "/api/login", "/api/logout", "/docs", "/ws")

PAGE = "https://dash.example.org"
OPEN = AccessPolicy(cors_origins=frozenset({PAGE}))
LOCKED = AccessPolicy(token="full", viewer_token="look", cors_origins=frozenset({PAGE}))

REMOTE = {"host": "castray.example.org:8000"}


def decide(
    policy: AccessPolicy,
    headers: dict[str, str],
    method: str = "GET",
    path: str = "/api/nodes",
    kind: ConnectionKind = "http",
) -> Allow | Refuse:
    return policy.decide(method, path, headers, kind)


def bearer(token: str, **more: str) -> dict[str, str]:
    return {**REMOTE, "authorization": f"Bearer {token}", **more}


def cookie(token: str, **more: str) -> dict[str, str]:
    value = LOCKED.session_value(token)
    return {**REMOTE, "cookie": f"theme=dark; castray_session={value}", **more}


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost:8000",
        "127.0.0.1",
        "127.8.9.10:80",
        "[::1]",
        "[::1]:8000",
        "[0:0::1]:9",
    ],
)
def test_open_to_every_name_of_this_machine(host: str) -> None:
    assert decide(OPEN, {"host": host}) == Allow("open")


FOREIGN_HOSTS = [
    "",
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "10.0.0.1:8000",
    "[::2]:8000",
    "localhost:8000, evil.example",
    "localhost:port",
    "127.1",
    "2130706433",
    "[::1",
    "localhost@evil.example",
    "localhost/",
]


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
@pytest.mark.parametrize("method", METHODS)
def test_open_refuses_foreign_hosts_for_every_method(method: str, host: str) -> None:
    for path in PATHS:
        assert decide(OPEN, {"host": host}, method, path) == Refuse(403, "foreign-host")


def test_open_refuses_a_request_without_a_host() -> None:
    assert decide(OPEN, {}) == Refuse(403, "foreign-host")


FOREIGN_ORIGINS = [
    "null",
    "",
    "https://evil.example",
    "http://localhost",
    "http://localhost:8001",
    "http://127.0.0.1:8000",
    "http://localhost:8000.evil.example",
    "ftp://localhost:8000",
    "localhost:8000",
    f"{PAGE}:8443",
    f"{PAGE}, http://localhost:8000",
]


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
@pytest.mark.parametrize("method", METHODS)
def test_open_refuses_foreign_origins_for_every_method(method: str, origin: str) -> None:
    headers = {"host": "localhost:8000", "origin": origin}

    for path in PATHS:
        assert decide(OPEN, headers, method, path) == Refuse(403, "foreign-origin")


@pytest.mark.parametrize(
    "headers", [{"host": "evil.example"}, {"host": "localhost", "origin": "null"}]
)
def test_open_refuses_sockets_too(headers: dict[str, str]) -> None:
    assert isinstance(decide(OPEN, headers, path="/ws", kind="websocket"), Refuse)


@pytest.mark.parametrize("origin", ["http://localhost:8000", "https://LOCALHOST:8000", PAGE])
def test_open_to_its_own_page_and_to_those_let_in(origin: str) -> None:
    headers = {"host": "localhost:8000", "origin": origin}

    for method in METHODS:
        assert decide(OPEN, headers, method) == Allow("open")


def test_locked_to_everybody_without_a_token() -> None:
    for path in PATHS:
        for method in METHODS:
            decision = decide(LOCKED, REMOTE, method, path)
            exempt = (path == "/api/health" and method in ("GET", "HEAD")) or (
                path in ("/api/login", "/api/logout") and method == "POST"
            )
            assert decision == (Allow("anyone") if exempt else Refuse(401, "login-required"))


@pytest.mark.parametrize("path", ["/ws", "/api/health", "/api/login"])
def test_no_socket_opens_without_a_token(path: str) -> None:
    decision = decide(LOCKED, REMOTE, "GET", path, "websocket")

    assert decision == Refuse(401, "login-required")


@pytest.mark.parametrize("client", ["127.0.0.1", "::1"])
def test_locked_to_this_machine_too_whatever_it_says_of_its_address(client: str) -> None:
    headers = {"host": "localhost", "x-forwarded-for": client, "x-real-ip": client}

    assert decide(LOCKED, headers) == Refuse(401, "login-required")


@pytest.mark.parametrize("present", [bearer, cookie])
def test_the_token_allows_everything(present: Any) -> None:
    for method in METHODS:
        assert decide(LOCKED, present("full"), method) == Allow("admin")
    assert decide(LOCKED, present("full"), kind="websocket") == Allow("admin")


@pytest.mark.parametrize("present", [bearer, cookie])
def test_the_viewer_token_only_reads(present: Any) -> None:
    for method in METHODS:
        expected = Allow("viewer") if method in READING else Refuse(403, "read-only")
        assert decide(LOCKED, present("look"), method) == expected
    assert decide(LOCKED, present("look"), kind="websocket") == Allow("viewer")


def test_whoever_only_reads_can_log_out_and_in() -> None:
    assert decide(LOCKED, cookie("look"), "POST", "/api/logout") == Allow("anyone")
    assert decide(LOCKED, cookie("look"), "POST", "/api/login") == Allow("anyone")


@pytest.mark.parametrize("authorization", ["Bearer wrong", "Bearer", "Basic full", "full", ""])
def test_a_wrong_token_is_refused_even_beside_a_good_cookie(authorization: str) -> None:
    headers = cookie("full", authorization=authorization)

    assert decide(LOCKED, headers) == Refuse(401, "wrong-token")


def test_the_cookie_does_not_hold_the_token_and_is_of_no_use_as_one() -> None:
    value = LOCKED.session_value("full")

    assert value is not None
    assert "full" not in value
    assert decide(LOCKED, bearer(value)) == Refuse(401, "wrong-token")
    raw = {**REMOTE, "cookie": "castray_session=full"}
    assert decide(LOCKED, raw) == Refuse(401, "login-required")


def test_a_cookie_ends_with_its_token() -> None:
    renewed = AccessPolicy(token="another")

    assert decide(renewed, cookie("full")) == Refuse(401, "login-required")


def test_another_page_cannot_use_the_cookie() -> None:
    headers = cookie("full", origin="https://evil.example")

    for method in METHODS:
        assert decide(LOCKED, headers, method) == Refuse(403, "foreign-origin")
    assert decide(LOCKED, headers, kind="websocket") == Refuse(403, "foreign-origin")


def test_another_page_cannot_log_anybody_in() -> None:
    headers = {**REMOTE, "origin": "https://evil.example"}

    assert decide(LOCKED, headers, "POST", "/api/login") == Refuse(403, "foreign-origin")


def test_the_cookie_works_from_its_own_page_and_from_those_let_in() -> None:
    for origin in (f"https://{REMOTE['host']}", PAGE):
        assert decide(LOCKED, cookie("full", origin=origin), "POST") == Allow("admin")


def test_a_token_in_hand_works_from_anywhere() -> None:
    headers = bearer("full", origin="https://evil.example")

    assert decide(LOCKED, headers, "POST") == Allow("admin")


def test_a_browser_may_ask_first_for_a_page_that_was_let_in() -> None:
    preflight = {**REMOTE, "origin": PAGE, "access-control-request-method": "GET"}

    assert decide(LOCKED, preflight, "OPTIONS") == Allow("anyone")
    assert decide(LOCKED, preflight, "GET") == Refuse(401, "login-required")
    stranger = {**preflight, "origin": "https://evil.example"}
    assert decide(LOCKED, stranger, "OPTIONS") == Refuse(403, "foreign-origin")


@pytest.mark.parametrize("token", ["", "None", "wrong"])
def test_a_wrong_token_makes_no_session(token: str) -> None:
    assert LOCKED.session_value(token) is None
    assert OPEN.session_value(token) is None


def test_an_unset_viewer_token_opens_nothing() -> None:
    policy = AccessPolicy(token="full")

    assert decide(policy, bearer("")) == Refuse(401, "wrong-token")
    assert decide(policy, {**REMOTE, "cookie": "castray_session="}) == Refuse(401, "login-required")


def test_tokens_are_not_shown() -> None:
    assert "full" not in repr(LOCKED)
    assert "look" not in repr(LOCKED)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("::1", True), ("127.0.0.1", True), ("0.0.0.0", False), ("::", False), ("edge-3", False)],
)
def test_where_a_server_is_bound_to_this_machine_only(host: str, expected: bool) -> None:
    assert is_loopback_host(host) is expected


@pytest.fixture
def own_token_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "token"
    monkeypatch.setattr(auth, "DEFAULT_TOKEN_FILE", path)
    return path


def policy_of(bound_host: str | None = None, **sections: dict[str, object]) -> AccessPolicy:
    return build_access_policy(Settings.model_validate(sections), bound_host=bound_host)


def test_by_default_nobody_is_asked_for_a_token(own_token_file: Path) -> None:
    policy = policy_of(web_server={"cors_origins": (PAGE,)})

    assert policy == OPEN
    assert not own_token_file.exists()


def test_a_configured_token_is_used_wherever_it_is_bound(own_token_file: Path) -> None:
    assert policy_of(auth={"token": "mine"}).token == "mine"
    assert policy_of("0.0.0.0", auth={"token": "mine"}).token == "mine"
    assert not own_token_file.exists()


@pytest.mark.parametrize("bound_host", ["0.0.0.0", "10.0.0.1"])
def test_bound_to_more_than_this_machine_it_makes_a_token(
    own_token_file: Path, bound_host: str
) -> None:
    policy = policy_of(bound_host)

    assert policy.token == own_token_file.read_text(encoding="utf-8").strip()
    assert policy_of(web_server={"host": bound_host}) == policy


def test_a_viewer_token_alone_brings_a_full_one_along(own_token_file: Path) -> None:
    policy = policy_of(auth={"viewer_token": "look"})

    assert policy.token
    assert policy.viewer_token == "look"


def test_a_named_token_file_is_used(tmp_path: Path, own_token_file: Path) -> None:
    policy = policy_of(auth={"token_file": str(tmp_path / "mine")})

    assert policy.token == (tmp_path / "mine").read_text(encoding="utf-8").strip()
    assert not own_token_file.exists()
