"""A server that stands where the Jobs API of a dashboard could."""

from __future__ import annotations

from typing import Any

from aiohttp import web

__all__ = ["TOKEN", "JobServer"]

TOKEN = "the-cluster's-own"
"""Without it that server answers to nobody."""


class JobServer:
    """The Jobs API of a dashboard, as far as it is used.

    Attributes:
        end: The status with which jobs end.
        output: What they write.
        rounds: How often a job is still running when somebody asks.
        refusals: The status that a call gets instead, by its method and the end of its path.
        packages: What was uploaded, by name.
        jobs: What was submitted and is still listed, by id.
        stopped: The ids of the jobs that somebody stopped.
    """

    def __init__(self) -> None:
        self.end = "SUCCEEDED"
        self.output = "a line\nthe last line\n"
        self.rounds = 2
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
        if request.path == "/api/jobs/":
            jobs = [{"submission_id": job, "status": self.end} for job in self.jobs]
            return [*jobs, {"submission_id": None, "status": "RUNNING", "job_id": "01000000"}]
        job_id = request.path.split("/")[3]
        assert job_id in self.jobs
        if request.path.endswith("/logs"):
            return {"logs": self.output}
        if request.path.endswith("/stop"):
            self.stopped.append(job_id)
            return {"stopped": True}
        if request.method == "DELETE":
            del self.jobs[job_id]
            return {"deleted": True}
        self.rounds -= 1
        status = "RUNNING" if self.rounds >= 0 else self.end
        return {"status": status, "message": "words of Ray's", "entrypoint": "ignored"}
