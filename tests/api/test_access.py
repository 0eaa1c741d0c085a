from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from castray.api import access as access_module
from castray.api.auth import AccessPolicy

if TYPE_CHECKING:
    import httpx

    from tests.api.conftest import ConnectApi

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
PATHS = ("/", "/ui", "/docs", "/openapi.json", "/api/nodes", "/api/health", "/api/login", "/nope")
LOCKED = AccessPolicy(token="full", viewer_token="look")
PAGE = "https://dash.example.org"
BROWSER = {"accept": "text/html,application/xhtml+xml"}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "headers",
    [{"host": "evil.example"}, {"origin": "https://evil.example"}],
    ids=["host", "origin"],
)
async def test_a_foreign_host_or_origin_gets_nowhere(
    api: httpx.AsyncClient, headers: dict[str, str], method: str, path: str
) -> None:
    answer = await api.request(method, path, headers=headers)

    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["host", "origin"])
async def test_a_header_that_comes_twice_is_neither_of_the_two(
    api: httpx.AsyncClient, name: str
) -> None:
    good = {"host": "localhost:8000", "origin": "http://localhost:8000"}[name]

    answer = await api.get("/api/nodes", headers=[(name, good), (name, "http://evil.example")])

    assert answer.status_code == 403


async def test_without_a_token_only_health_is_told(connect: ConnectApi) -> None:
    api = await connect(LOCKED)

    for path in PATHS:
        expected = 200 if path == "/api/health" else 401
        assert (await api.get(path)).status_code == expected, path


async def test_a_program_is_asked_for_a_token_with_a_problem(connect: ConnectApi) -> None:
    api = await connect(LOCKED)

    answer = await api.get("/api/nodes", headers={"accept-language": "zh-CN"})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["type"] == "urn:castray:problem:login-required"
    assert "令牌" in answer.json()["detail"]


async def test_a_browser_is_asked_for_a_token_with_a_page(connect: ConnectApi) -> None:
    api = await connect(LOCKED)

    answer = await api.get("/ui", headers=BROWSER)

    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")
    assert 'type="password"' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "unsafe-inline" not in answer.headers["content-security-policy"]


async def test_a_token_opens_and_the_viewers_only_for_reading(connect: ConnectApi) -> None:
    api = await connect(LOCKED)
    full, look = ({"authorization": f"Bearer {token}"} for token in ("full", "look"))

    assert (await api.get("/api/nodes", headers=full)).status_code == 200
    assert (await api.get("/api/nodes", headers=look)).status_code == 200
    assert (await api.post("/api/nodes", headers=full)).status_code == 405
    assert (await api.post("/api/nodes", headers=look)).status_code == 403


async def test_a_page_that_was_let_in_is_answered_as_its_browser_wants_it(
    connect: ConnectApi,
) -> None:
    policy = AccessPolicy(cors_origins=frozenset({PAGE}))
    api = await connect(policy, settings={"web_server": {"cors_origins": (PAGE,)}})

    preflight = await api.options(
        "/api/nodes", headers={"origin": PAGE, "access-control-request-method": "GET"}
    )
    answer = await api.get("/api/nodes", headers={"origin": PAGE})

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-origin"] == PAGE


async def test_every_answer_forbids_what_no_page_of_ours_needs(connect: ConnectApi) -> None:
    api = await connect(LOCKED)

    for path in ("/api/health", "/api/nodes", "/ui"):
        headers = (await api.get(path)).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_huge_body_is_not_read(
    connect: ConnectApi, monkeypatch: pytest.MonkeyPatch, chunked: bool
) -> None:
    monkeypatch.setattr(access_module, "MAX_BODY_BYTES", 1000)
    api = await connect(LOCKED)
    sent = 0

    async def chunks() -> object:
        nonlocal sent
        for _ in range(1000):
            sent += 100
            yield b"x" * 100

    body = chunks() if chunked else b"x" * 100_000
    answer = await api.post("/api/login", content=body)  # type: ignore[arg-type]

    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:castray:problem:body-too-large"
