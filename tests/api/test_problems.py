from __future__ import annotations

import logging
import pickle
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import FastAPI, HTTPException

from castray.api.problems import Problem, describe, install_handlers
from castray.errors import (
    AmbiguousNameError,
    CastError,
    CastRayError,
    ClusterUnreachableError,
    InvalidRequestError,
    NotFoundError,
    PeerError,
    RegistryUnavailableError,
    TargetFileError,
)

if TYPE_CHECKING:
    from tests.api.conftest import ConnectApi

ERRORS = [
    (NotFoundError("node", "M9"), 404, "not-found"),
    (AmbiguousNameError("node", "M1", ["home/m1", "lab/m1"]), 409, "ambiguous-name"),
    (RegistryUnavailableError(), 503, "registry-unavailable"),
    (InvalidRequestError("That makes no sense."), 422, "invalid-request"),
    (CastRayError("secret detail"), 500, "internal-error"),
]


@pytest.mark.parametrize(("error", "status", "code"), ERRORS)
def test_every_error_of_ours_is_a_problem_in_both_languages(
    error: CastRayError, status: int, code: str
) -> None:
    english, chinese = describe(error, "en"), describe(error, "zh")

    assert (english.status, english.type) == (status, f"urn:castray:problem:{code}")
    assert (chinese.status, chinese.type) == (english.status, english.type)
    assert english.detail != chinese.detail
    assert "secret" not in english.detail


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (
            TargetFileError("/srv/a b", "cannot be written: the disk is full"),
            "/srv/a b：无法写入：磁盘已满。",
        ),
        (
            PeerError("the agent on M1", "did not start within 60 s"),
            "M1 上的代理：在 60 秒内没有启动。",
        ),
        (
            ClusterUnreachableError("lab:1", "cannot be reached; make sure that the cluster runs."),
            "lab:1：无法连接；请确认集群正在运行。",
        ),
        (InvalidRequestError("M1 is dead: it can send nothing."), "M1 已停止：无法发送任何内容。"),
        (CastError("/srv/x", "met the moon"), "/srv/x: met the moon。"),
    ],
    ids=["target", "agent", "cluster", "request", "unknown"],
)
def test_what_went_wrong_is_told_in_chinese_where_there_is_a_text_for_it(
    error: CastRayError, detail: str
) -> None:
    chinese = describe(error, "zh")

    assert chinese.detail == detail


@pytest.mark.parametrize(("error", "status", "code"), ERRORS[:2])
def test_an_error_that_crossed_a_process_is_the_same_problem(
    error: CastRayError, status: int, code: str
) -> None:
    assert describe(pickle.loads(pickle.dumps(error)), "en") == describe(error, "en")  # noqa: S301


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nope", 404), ("GET", "/api/nope", 404), ("DELETE", "/api/health", 405)],
)
async def test_what_is_not_there_is_answered_with_a_problem(
    api: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await api.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    found = Problem.model_validate_json(answer.content)
    assert found.status == status
    assert path in found.detail


async def test_a_method_that_is_not_taken_is_answered_with_those_that_are(
    api: httpx.AsyncClient,
) -> None:
    answer = await api.delete("/api/health")

    assert answer.headers["allow"] == "GET"
    assert "it takes GET" in answer.json()["detail"]


async def test_a_mistake_of_ours_shows_nothing_of_itself(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    app = FastAPI()
    install_handlers(app)

    @app.get("/broken")
    async def broken() -> None:
        raise ValueError("a secret of the house")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.get("/broken")

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


async def test_any_other_refusal_keeps_its_reason_and_its_headers() -> None:
    app = FastAPI()
    install_handlers(app)

    @app.get("/later")
    async def later() -> None:
        raise HTTPException(429, "Too many.", {"Retry-After": "7"})

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.get("/later")

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json()["detail"] == "Too many."


async def test_chinese_readers_are_answered_in_chinese(connect: ConnectApi) -> None:
    api = await connect()

    answer = await api.get("/api/nope", headers={"accept-language": "zh-CN,zh;q=0.9"})

    assert answer.json()["title"] == "未找到"
