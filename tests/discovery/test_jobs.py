from __future__ import annotations

import json
import socket
from contextlib import ExitStack, asynccontextmanager
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from castray.discovery import dashboard_http
from castray.discovery.jobs import Jobs
from castray.errors import (
    AddressRefusedError,
    BadAnswerError,
    ClusterUnreachableError,
    JobFailedError,
    TokenMissingError,
    TokenRefusedError,
)
from tests.discovery.job_server import TOKEN, JobServer
from tests.discovery.server import serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PACKAGE = b"PK\x05\x06 " + bytes(range(256)) * 100


@pytest.fixture
def server() -> JobServer:
    return JobServer()


@asynccontextmanager
async def opened(server: JobServer, token: str | None = TOKEN) -> AsyncIterator[Jobs]:
    """A client of that server."""
    async with serve(server.handle) as url:
        jobs = await Jobs.open(url, token=token)
        try:
            yield jobs
        finally:
            await jobs.aclose()


async def test_a_job_runs_where_its_package_lies_and_what_it_wrote_comes_back(
    server: JobServer,
) -> None:
    async with opened(server) as jobs:
        output = await jobs.run(PACKAGE, "python -m there '{\"x\": 1}'", owner="o", timeout_s=10)

    [(name, content)] = server.packages.items()
    [job] = server.submitted
    assert output == "a line\nthe last line\n"
    assert content == PACKAGE
    assert name.endswith(".zip")
    assert job["entrypoint"] == "python -m there '{\"x\": 1}'"
    assert job["runtime_env"] == {"working_dir": f"gcs://{name}"}


async def test_earlier_jobs_of_the_same_owner_are_listed_no_more(server: JobServer) -> None:
    async with opened(server) as jobs:
        for owner in ("lab", "lab", "laboratory", "lab"):
            await jobs.run(PACKAGE, "true", owner=owner, timeout_s=10)
        listed = list(server.jobs)
        await jobs.delete_ended("lab")

    assert [job.partition("-")[0] for job in listed] == ["laboratory", "lab"]
    assert [job.partition("-")[0] for job in server.jobs] == ["laboratory"]


async def test_a_job_that_runs_stays_on_the_list(server: JobServer) -> None:
    async with opened(server) as jobs:
        await jobs.run(PACKAGE, "true", owner="lab", timeout_s=10)
        server.end = "RUNNING"
        await jobs.delete_ended("lab")

    assert len(server.jobs) == 1


async def test_the_same_package_has_the_same_name_and_another_another(server: JobServer) -> None:
    async with opened(server) as jobs:
        await jobs.run(PACKAGE, "true", owner="o", timeout_s=10)
        await jobs.run(PACKAGE, "true", owner="o", timeout_s=10)
        await jobs.run(PACKAGE + b"1", "true", owner="o", timeout_s=10)

    assert sorted(server.packages.values(), key=len) == [PACKAGE, PACKAGE + b"1"]
    assert len({job["submission_id"] for job in server.submitted}) == 3


@pytest.mark.parametrize("end", ["FAILED", "STOPPED"])
async def test_a_job_that_fails_says_why_in_its_own_last_words(server: JobServer, end: str) -> None:
    server.end = end
    server.output = "first\n" * 50 + "ModuleNotFoundError: No module named 'ray'\n\n"

    async with opened(server) as jobs:
        with pytest.raises(JobFailedError, match=end) as caught:
            await jobs.run(PACKAGE, "true", owner="o", timeout_s=10)

    assert "No module named 'ray'" in caught.value.problem
    assert len(caught.value.problem) < 300


async def test_a_job_that_wrote_nothing_fails_with_the_words_of_ray(server: JobServer) -> None:
    server.end, server.output = "FAILED", ""

    async with opened(server) as jobs:
        with pytest.raises(JobFailedError, match="words of Ray's"):
            await jobs.run(PACKAGE, "true", owner="o", timeout_s=10)


async def test_a_job_that_does_not_end_is_stopped(server: JobServer) -> None:
    server.rounds = 10**9

    async with opened(server) as jobs:
        with pytest.raises(JobFailedError, match=r"within 0\.1 s"):
            await jobs.run(PACKAGE, "sleep 1000", owner="o", timeout_s=0.1)

    assert server.stopped == [server.submitted[0]["submission_id"]]


@pytest.mark.parametrize("call", ["logs", "jobs"])
async def test_a_call_that_fails_there_is_an_error_that_names_it(
    server: JobServer, call: str
) -> None:
    method = "POST" if call == "jobs" else "GET"
    server.refusals[method, call] = 500

    async with opened(server) as jobs:
        with pytest.raises(BadAnswerError, match=call):
            await jobs.run(PACKAGE, "true", owner="o", timeout_s=10)


@pytest.mark.parametrize("body", [b"{", b'{"status": "DANCING"}', json.dumps([1]).encode()])
async def test_a_status_that_no_ray_sends_is_an_error(server: JobServer, body: bytes) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.Response(body=body)
        return await server.handle(request)

    async with serve(answer) as url:
        jobs = await Jobs.open(url, token=TOKEN)
        with pytest.raises(BadAnswerError, match="as no Ray does"):
            await jobs.run(PACKAGE, "true", owner="o", timeout_s=10)
        await jobs.aclose()


@pytest.mark.parametrize(
    ("token", "error"), [(None, TokenMissingError), ("another", TokenRefusedError)]
)
async def test_a_cluster_with_a_token_runs_nothing_without_it(
    server: JobServer, token: str | None, error: type[Exception]
) -> None:
    async with opened(server, token) as jobs:
        with pytest.raises(error):
            await jobs.run(PACKAGE, "true", owner="o", timeout_s=10)

    assert (server.packages, server.submitted) == ({}, [])


async def test_nothing_is_sent_to_where_we_may_not_connect(server: JobServer) -> None:
    async with serve(server.handle) as url:
        with pytest.raises(AddressRefusedError):
            await Jobs.open(url, allowed=[ip_network("10.0.0.0/8")], token=TOKEN)


async def test_a_host_that_takes_no_connection_is_given_up_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dashboard_http, "CONNECT_S", 0.2)
    with ExitStack() as sockets:
        full = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        jobs = await Jobs.open(f"127.0.0.1:{full.getsockname()[1]}")

        with pytest.raises(ClusterUnreachableError, match="connection"):
            await jobs.delete_ended("lab")
        await jobs.aclose()
