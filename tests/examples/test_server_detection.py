from __future__ import annotations

import json
import runpy
from typing import Any

import pytest
from ray import serve
from sklearn.datasets import load_digits
from starlette.requests import Request

from tests.hosts import REPOSITORY


@pytest.fixture(scope="module")
def server() -> Any:
    """The deployment, in this process and with no Ray."""
    module = runpy.run_path(str(REPOSITORY / "examples/server_detection.py"))
    return serve.run(module["app"], _local_testing_mode=True)


async def ask(server: Any, body: bytes, *, length: int | None = None) -> tuple[int, Any]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-length", str(len(body) if length is None else length).encode())]
    request = Request({"type": "http", "method": "POST", "headers": headers}, receive)
    answer = await server.remote(request)
    return answer.status_code, json.loads(answer.body)


async def test_the_server_reads_digits_that_it_has_not_seen_before(server: Any) -> None:
    digits = load_digits()
    images, shown = digits.data[1000:1100].tolist(), digits.target[1000:1100].tolist()

    status, answer = await ask(server, json.dumps({"images": images}).encode())

    assert status == 200
    read = [prediction["digit"] for prediction in answer["predictions"]]
    assert sum(a == b for a, b in zip(read, shown, strict=True)) >= 90
    assert all(0 < prediction["confidence"] <= 1 for prediction in answer["predictions"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"images": 7}',
        b'{"images": []}',
        b'{"images": [[1, 2, 3]]}',
        b'{"images": [["a"]]}',
        b'{"images": [[' + b"NaN, " * 63 + b"NaN]]}",
        b"[" * 100_000,
    ],
)
async def test_what_is_no_image_is_refused_in_words(server: Any, body: bytes) -> None:
    status, answer = await ask(server, body)

    assert status == answer["status"] == 422
    assert "64 numbers" in answer["detail"]


async def test_too_many_images_at_once_are_refused_unread(server: Any) -> None:
    status, answer = await ask(server, b"", length=2 * 1024 * 1024)

    assert status == answer["status"] == 413
