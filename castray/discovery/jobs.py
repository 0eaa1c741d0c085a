"""The Jobs API of one Ray dashboard: run a command there, with code that travels along."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from io import BytesIO
from typing import Annotated, Literal

from aiohttp import BytesIOPayload, JsonPayload
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from castray.discovery.dashboard_http import DashboardHttp
from castray.errors import JobFailedError

__all__ = ["SETTLE_S", "Jobs"]

CALL_S = 30.0
"""A head that starts its first job has a process to start before it answers."""

POLL_S = 0.25

MAX_TOLD_LINES = 3
MAX_TOLD_CHARS = 500
"""Of what a failed job wrote: its last words have the error."""

SETTLE_S = 3.0
"""Ray's own look at a job, once a second, is over by then."""

UNENDED = ("PENDING", "RUNNING")

JOBS = "/api/jobs/"


class Jobs(DashboardHttp):
    """The Jobs API of a Ray dashboard.

    Every method raises an `ExternalClusterError` where the dashboard does not do it.
    """

    usual_timeout_s = CALL_S

    async def run(self, package: bytes, entrypoint: str, *, owner: str, timeout_s: float) -> str:
        """Run a shell command in a directory with the content of a ZIP file; what it wrote.

        Args:
            package: The ZIP file.
            entrypoint: The command.
            owner: For whom; earlier jobs of the same owner are taken off the cluster's list.
            timeout_s: For the job, once it was submitted.

        Raises:
            JobFailedError: It failed, or did not end in time; then it was stopped.
        """
        await self.delete_ended(owner)
        job = await self._submit(await self._upload(package), entrypoint, owner)
        try:
            status = await asyncio.wait_for(self._wait_for_end(job), timeout_s)
        except asyncio.TimeoutError:
            await self.fetch(f"{JOBS}{job}/stop", bytes, method="POST")
            raise JobFailedError(
                self.url, f"did not end the job {job} within {timeout_s:g} s."
            ) from None
        output = await self.fetch(f"{JOBS}{job}/logs", _parse_logs)
        if status.status != "SUCCEEDED":
            last = " ".join(output.strip().splitlines()[-MAX_TOLD_LINES:])
            told = last[-MAX_TOLD_CHARS:] or status.message
            raise JobFailedError(self.url, f"ended the job {job} as {status.status}: {told}")
        return output

    async def delete_ended(self, owner: str) -> None:
        """Take an owner's jobs off the cluster's list, but for those that run.

        One that ended less than `SETTLE_S` ago may come back, as a failure of nobody's.
        """
        for job in await self.fetch(JOBS, LISTED.validate_json):
            is_theirs = (job.submission_id or "").startswith(f"{owner}-")
            if is_theirs and job.status not in UNENDED:
                await self.fetch(f"{JOBS}{job.submission_id}", bytes, method="DELETE")

    async def _upload(self, package: bytes) -> str:
        """Put it where every node of the cluster can fetch it; its address there."""
        name = f"castray_{hashlib.sha256(package).hexdigest()[:24]}.zip"
        body = BytesIOPayload(BytesIO(package))
        await self.fetch(f"/api/packages/gcs/{name}", bytes, method="PUT", data=body)
        return f"gcs://{name}"

    async def _submit(self, uri: str, entrypoint: str, owner: str) -> str:
        job = f"{owner}-{secrets.token_hex(8)}"
        request = {
            "submission_id": job,
            "entrypoint": entrypoint,
            "runtime_env": {"working_dir": uri},
        }
        body = JsonPayload(request)
        await self.fetch(JOBS, bytes, method="POST", data=body)
        return job

    async def _wait_for_end(self, job: str) -> _Status:
        while True:
            status = await self.fetch(f"{JOBS}{job}", _Status.model_validate_json)
            if status.status not in UNENDED:
                return status
            await asyncio.sleep(POLL_S)


class _Status(BaseModel):
    model_config = ConfigDict(extra="ignore")

    submission_id: str | None = None
    status: Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "STOPPED"]
    message: Annotated[str | None, Field(max_length=100_000)] = None


LISTED = TypeAdapter(list[_Status])


class _Logs(BaseModel):
    model_config = ConfigDict(extra="ignore")

    logs: str


def _parse_logs(body: bytes) -> str:
    return _Logs.model_validate_json(body).logs
