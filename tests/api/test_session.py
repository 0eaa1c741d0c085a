from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from castray.api.auth import AccessPolicy

if TYPE_CHECKING:
    import httpx

    from tests.api.conftest import ConnectApi

LOCKED = AccessPolicy(token="full-of-secrets", viewer_token="look-at-this")


async def login(api: httpx.AsyncClient, token: object) -> httpx.Response:
    return await api.post("/api/login", json={"token": token})


@pytest.mark.parametrize(
    ("token", "role"), [("full-of-secrets", "admin"), ("look-at-this", "viewer")]
)
async def test_a_token_is_exchanged_for_a_cookie(
    connect: ConnectApi, token: str, role: str
) -> None:
    api = await connect(LOCKED)

    answer = await login(api, token)

    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    assert token not in cookie
    assert (await api.get("/api/session")).json() == {"authenticated": True, "role": role}


async def test_behind_tls_the_cookie_stays_there(connect: ConnectApi) -> None:
    api = await connect(LOCKED)
    api.base_url = "https://localhost:8000"

    answer = await login(api, "full-of-secrets")

    assert "secure" in answer.headers["set-cookie"].lower()


async def test_a_wrong_token_gets_no_cookie(connect: ConnectApi) -> None:
    api = await connect(LOCKED)

    answer = await login(api, "guess")

    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:castray:problem:wrong-token"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"token": 1}', b'{"token": ""}'])
async def test_what_is_no_login_is_said_to_be_none(connect: ConnectApi, body: bytes) -> None:
    api = await connect(LOCKED)

    answer = await api.post(
        "/api/login", content=body, headers={"content-type": "application/json"}
    )

    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_logging_out_ends_the_session(connect: ConnectApi) -> None:
    api = await connect(LOCKED)
    await login(api, "full-of-secrets")

    assert (await api.post("/api/logout")).status_code == 204

    assert (await api.get("/api/session")).status_code == 401


async def test_where_nobody_is_asked_for_a_token_there_is_no_session(
    api: httpx.AsyncClient,
) -> None:
    assert (await api.get("/api/session")).json() == {"authenticated": False, "role": "open"}


async def test_no_token_is_logged(connect: ConnectApi, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    api = await connect(LOCKED)

    await login(api, "full-of-secrets")
    await login(api, "wrong-but-secret")

    assert "secret" not in caplog.text
