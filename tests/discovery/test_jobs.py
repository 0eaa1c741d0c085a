from __future__ import annotations

import json
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from castray.discovery.jobs import Jobs
from castray.errors import (
    AddressRefusedError,
    BadAnswerError,
    JobFailedError,
    TokenMissingError,
    TokenRefusedError,
)
from tests.discovery.server import serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PACKAGE = b"PK\x05\x06 " + bytes(range(256)) * 100

TOKEN = "the-cluster's-own"


class JobServer:
    """The Jobs API of a dashboard, as far as it is used.

    Attributes:
        end: The status with which jobs end.
        output: What they write.
        rounds: How often a job is still running when somebody asks.
        refuses_to_delete: Whether jobs stay on its list.
        refusals: The status that a call gets instead, by its method and the end of its path.
        packages: What was uploaded, by name.
        jobs: What was submitted and is still listed, by id.
        stopped: The ids of the jobs that somebody stopped.
    """

    def __init__(self) -> None:
        self.end = "SUCCEEDED"
        self.output = "a line\nthe last line\n"
        self.rounds = 2
        self.refuses_to_delete = False
        self.refusals: dict[tuple[str, str], int] = {}
        self.packages: dict[str, bytes] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.submitted: list[dict[str, Any]] = []
        self.stopped: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if "Authorization" not in request.headers:
            return web.Response(status=401)
        if request.headers["Authorization"] != f"Bearer {TOKEN}":
            return web.Response(status=403)
        *_, last = request.path.rstrip("/").split("/")
        if refusal := self.refusals.get((request.method, last)):
            return web.Response(status=refusal, text="Traceback of theirs")
        if request.path.startswith("/api/packages/gcs/"):
            assert request.method == "PUT"
            self.packages[last] = await request.read()
            return web.Response()
        return web.json_response(await self._answer(request))

    async def _answer(self, request: web.Request) -> object:
        if (request.method, request.path) == ("POST", "/api/jobs/"):
            job = await request.json()
            self.submitted.append(job)
            self.jobs[job["submission_id"]] = job
            return {"job_id": job["submission_id"], "submission_id": job["submission_id"]}
        job_id = request.path.split("/")[3]
        assert job_id in self.jobs
        if request.path.endswith("/logs"):
            return {"logs": self.output}
        if request.path.endswith("/stop"):
            self.stopped.append(job_id)
            return {"stopped": True}
        if request.method == "DELETE" and self.refuses_to_delete:
            raise web.HTTPInternalServerError
        if request.method == "DELETE":
            del self.jobs[job_id]
            return {"deleted": True}
        self.rounds -= 1
        status = "RUNNING" if self.rounds >= 0 else self.end
        return {"status": status, "message": "words of Ray's", "entrypoint": "ignored"}


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
        output = await jobs.run(PACKAGE, "python -m there '{\"x\": 1}'", 10)

    [(name, content)] = server.packages.items()
    [job] = server.submitted
    assert output == "a line\nthe last line\n"
    assert content == PACKAGE
    assert name.endswith(".zip")
    assert job["entrypoint"] == "python -m there '{\"x\": 1}'"
    assert job["runtime_env"] == {"working_dir": f"gcs://{name}"}


async def test_a_job_that_has_ended_is_listed_no_more(server: JobServer) -> None:
    async with opened(server) as jobs:
        await jobs.run(PACKAGE, "true", 10)

    assert server.jobs == {}


async def test_the_same_package_has_the_same_name_and_another_another(server: JobServer) -> None:
    async with opened(server) as jobs:
        await jobs.run(PACKAGE, "true", 10)
        await jobs.run(PACKAGE, "true", 10)
        await jobs.run(PACKAGE + b"1", "true", 10)

    assert sorted(server.packages.values(), key=len) == [PACKAGE, PACKAGE + b"1"]
    assert len({job["submission_id"] for job in server.submitted}) == 3


@pytest.mark.parametrize("end", ["FAILED", "STOPPED"])
async def test_a_job_that_fails_says_why_in_its_own_last_words(server: JobServer, end: str) -> None:
    server.end = end
    server.output = "first\n" * 50 + "ModuleNotFoundError: No module named 'ray'\n\n"

    async with opened(server) as jobs:
        with pytest.raises(JobFailedError, match=end) as caught:
            await jobs.run(PACKAGE, "true", 10)

    assert "No module named 'ray'" in caught.value.problem
    assert len(caught.value.problem) < 300
    assert server.jobs == {}


async def test_a_job_that_wrote_nothing_fails_with_the_words_of_ray(server: JobServer) -> None:
    server.end, server.output = "FAILED", ""

    async with opened(server) as jobs:
        with pytest.raises(JobFailedError, match="words of Ray's"):
            await jobs.run(PACKAGE, "true", 10)


async def test_a_job_that_does_not_end_is_stopped(server: JobServer) -> None:
    server.rounds = 10**9

    async with opened(server) as jobs:
        with pytest.raises(JobFailedError, match=r"within 0\.1 s"):
            await jobs.run(PACKAGE, "sleep 1000", 0.1)

    assert server.stopped == [server.submitted[0]["submission_id"]]


async def test_a_job_that_stays_on_the_list_did_its_work_all_the_same(server: JobServer) -> None:
    server.refuses_to_delete = True

    async with opened(server) as jobs:
        output = await jobs.run(PACKAGE, "true", 10)

    assert output == server.output


@pytest.mark.parametrize("call", ["logs", "jobs"])
async def test_a_call_that_fails_there_is_an_error_that_names_it(
    server: JobServer, call: str
) -> None:
    method = "POST" if call == "jobs" else "GET"
    server.refusals[method, call] = 500

    async with opened(server) as jobs:
        with pytest.raises(BadAnswerError, match=call):
            await jobs.run(PACKAGE, "true", 10)


@pytest.mark.parametrize("body", [b"{", b'{"status": "DANCING"}', json.dumps([1]).encode()])
async def test_a_status_that_no_ray_sends_is_an_error(server: JobServer, body: bytes) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.Response(body=body)
        return await server.handle(request)

    async with serve(answer) as url:
        jobs = await Jobs.open(url, token=TOKEN)
        with pytest.raises(BadAnswerError, match="as no Ray does"):
            await jobs.run(PACKAGE, "true", 10)
        await jobs.aclose()


@pytest.mark.parametrize(
    ("token", "error"), [(None, TokenMissingError), ("another", TokenRefusedError)]
)
async def test_a_cluster_with_a_token_runs_nothing_without_it(
    server: JobServer, token: str | None, error: type[Exception]
) -> None:
    async with opened(server, token) as jobs:
        with pytest.raises(error):
            await jobs.run(PACKAGE, "true", 10)

    assert (server.packages, server.submitted) == ({}, [])


async def test_nothing_is_sent_to_where_we_may_not_connect(server: JobServer) -> None:
    async with serve(server.handle) as url:
        with pytest.raises(AddressRefusedError):
            await Jobs.open(url, allowed=[ip_network("10.0.0.0/8")], token=TOKEN)
