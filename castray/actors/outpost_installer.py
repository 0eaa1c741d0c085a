"""Has jobs run on a connected cluster that install an outpost there, or remove it."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from castray.actors.outpost_package import build_package, entrypoint
from castray.discovery.jobs import SETTLE_S, Jobs
from castray.errors import ExternalClusterError, JobFailedError
from castray.transfer.keyed_http import digest_key
from castray.transfer.outpost_link import OutpostSettings, OutpostView, outpost_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from ipaddress import IPv4Network, IPv6Network

    from castray.actors.names import ActorSettings
    from castray.models import Connection, OutpostRecord

__all__ = ["OutpostInstaller"]

logger = logging.getLogger(__name__)

IDLE_S = 24 * 3600.0
"""An outpost that CastRay has not asked for anything for so long leaves by itself."""

JOB_S = 120.0
"""To start a process on each node of a busy cluster, each after our code has come."""


class OutpostInstaller:
    """Every method raises an ExternalClusterError where the cluster does not do it.

    Args:
        settings: What the actors were started with.
        allowed: The networks that we may connect to.
    """

    def __init__(
        self, settings: ActorSettings, allowed: Sequence[IPv4Network | IPv6Network]
    ) -> None:
        self._settings = settings
        self._allowed = allowed
        self._job_ended_at = -SETTLE_S

    async def settings(self, record: OutpostRecord) -> OutpostSettings:
        """What the outpost is installed with now; all that is told of its key is the digest."""
        transfer = self._settings.transfer
        package = await asyncio.to_thread(build_package)
        return OutpostSettings(
            key_digest=digest_key(record.key),
            code=package.digest,
            roots=transfer.roots,
            first_port=transfer.first_port,
            last_port=transfer.last_port,
            monitor_port=self._settings.monitor_port,
            monitor_poll_interval_s=self._settings.monitor_poll_interval_s,
            monitor_timeout_s=self._settings.monitor_timeout_s,
            idle_s=IDLE_S,
        )

    async def install(self, connection: Connection, record: OutpostRecord) -> OutpostView:
        """Have the outpost be there; one that is there already, and the same, stays."""
        output = await self._run("ensure", connection, record)
        last = (output.strip().splitlines() or [""])[-1]
        try:
            return OutpostView.model_validate_json(last)
        except ValueError:
            raise JobFailedError(
                connection.dashboard_url,
                f"ran the job that installs an outpost, but it ended with {last[:200]!r}.",
            ) from None

    async def remove(self, connection: Connection, record: OutpostRecord) -> None:
        """End the outpost, whether or not it answers."""
        await self._run("remove", connection, record)

    async def tidy(self, connection: Connection, record: OutpostRecord) -> None:
        """Take our jobs off the cluster's list; where that fails they stay there, ended."""
        await asyncio.sleep(max(0.0, self._job_ended_at + SETTLE_S - time.monotonic()))
        try:
            async with self._open_jobs(connection) as jobs:
                await jobs.delete_ended(outpost_name(digest_key(record.key)))
        except ExternalClusterError as error:
            logger.info("a job of ours stays on a list: %s", error)

    async def _run(self, verb: str, connection: Connection, record: OutpostRecord) -> str:
        settings = await self.settings(record)
        try:
            async with self._open_jobs(connection) as jobs:
                return await jobs.run(
                    build_package().content,
                    entrypoint(verb, settings),
                    owner=outpost_name(settings.key_digest),
                    timeout_s=JOB_S,
                )
        finally:
            self._job_ended_at = time.monotonic()

    @asynccontextmanager
    async def _open_jobs(self, connection: Connection) -> AsyncIterator[Jobs]:
        jobs = await Jobs.open(
            connection.dashboard_url, allowed=self._allowed, token=connection.token
        )
        try:
            yield jobs
        finally:
            await jobs.aclose()
