"""The home side of an outpost: installs it, finds it again, follows it, and removes it."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import secrets
import time
from typing import TYPE_CHECKING

from castray.actors.agent_links import AgentAddress
from castray.actors.outpost_installer import OutpostInstaller
from castray.core.clusters import refusal
from castray.discovery.address import host_and_port
from castray.errors import (
    CastRayError,
    ExternalClusterError,
    InvalidRequestError,
    JobFailedError,
    NotFoundError,
    PeerError,
)
from castray.models import OutpostRecord
from castray.transfer.http_link import HttpAgentLink
from castray.transfer.outpost_link import OutpostLink, OutpostMember, OutpostView

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from ipaddress import IPv4Network, IPv6Network

    from castray.actors.names import ActorSettings
    from castray.discovery.cluster_watch import ClusterWatch
    from castray.models import Connection

__all__ = ["Outpost"]

logger = logging.getLogger(__name__)

FOLLOW_INTERVAL_S = 5.0
"""A node that joins the other cluster has its agent known here within this."""

LONGEST_RETRY_S = 60.0

FRESH_S = 2.0
"""For so long an answer of the warden is taken for granted."""

LOOK_S = 2.0
START_S = 15.0
"""How long to wait for an agent that should be there, and for one that is only starting."""


class Outpost:
    """The outpost on one connected cluster, or the place where one could be.

    Args:
        watch: Of the cluster; it is told of the agents, and its connection has the key.
        settings: What the actors were started with.
        allowed: The networks that we may connect to, whatever the cluster says of its nodes.
        store: Keeps a connection that has changed.
    """

    def __init__(
        self,
        watch: ClusterWatch,
        settings: ActorSettings,
        allowed: Sequence[IPv4Network | IPv6Network],
        store: Callable[[Connection], Awaitable[None]],
    ) -> None:
        self._watch = watch
        self._when = settings.transfer.outposts
        self._installer = OutpostInstaller(settings, allowed)
        self._allowed = allowed
        self._store = store
        self._problems: dict[str, str] = {}
        self._seen_at = 0.0
        self._changing = asyncio.Lock()
        self._is_closed = False

    async def run(self) -> None:
        """Follow it while it is there, or is to be, until cancelled."""
        retry_s = FOLLOW_INTERVAL_S
        while True:
            try:
                if self._is_wanted():
                    await self._ensure(LOOK_S)
            except CastRayError as error:
                cluster = self._watch.connection.cluster
                logger.warning("the outpost on %s cannot be reached: %s", cluster, error)
                retry_s = min(2 * retry_s, LONGEST_RETRY_S)
            else:
                retry_s = FOLLOW_INTERVAL_S
            await asyncio.sleep(retry_s)

    async def agent(self, node_id: str) -> AgentAddress:
        """Where the agent of that node answers; the outpost is installed where there is none.

        Raises:
            InvalidRequestError: The settings forbid that.
            NotFoundError: The cluster has no such living node, or is not connected any more.
            PeerError: The outpost cannot be installed now, or that agent does not start.
        """
        if self._when == "never":
            raise InvalidRequestError(
                "Files of other clusters need an outpost there, which the settings forbid: set "
                "transfer.outposts (CASTRAY_TRANSFER__OUTPOSTS) to on_demand."
            )
        try:
            link = await self._link(node_id)
        except ExternalClusterError as error:
            raise PeerError(f"the outpost on {self._watch.connection.name}", str(error)) from error
        return AgentAddress(url=link.url, key=link.key)

    def close(self) -> None:
        """Store nothing more of it; it stays where it is."""
        self._is_closed = True

    async def remove(self) -> str | None:
        """Take it away for good; why that cannot be done, or None where it is gone."""
        self.close()
        async with self._changing:
            record = self._watch.connection.outpost
            self._watch.outpost = {}
            if record is None:
                return None
            try:
                await OutpostLink(record.url or "", record.key).end()
            except PeerError as error:
                logger.info("the outpost does not end itself (%s): a job has to", error)
                try:
                    await self._installer.remove(self._watch.connection, record)
                except ExternalClusterError as problem:
                    return str(problem)
            await self._installer.tidy(self._watch.connection, record)
        return None

    def _is_wanted(self) -> bool:
        has_one = self._watch.connection.outpost is not None
        return self._when == "on_connect" or (has_one and self._when != "never")

    async def _link(self, node_id: str) -> HttpAgentLink:
        links = self._watch.outpost
        if node_id not in links or time.monotonic() - self._seen_at > FRESH_S:
            links = await self._ensure(LOOK_S)
        if node_id not in links:
            links = await self._ensure(START_S)
        if node_id not in links:
            raise self._absence(node_id)
        return links[node_id]

    async def _ensure(self, wait_s: float) -> dict[str, HttpAgentLink]:
        """The agents that answer, by NodeID; the watch knows them then, too."""
        async with self._changing:
            if self._is_closed:
                raise NotFoundError("connected cluster", self._watch.connection.cluster)
            record = await self._record()
            view = await self._fetch_view(record, wait_s)
            # One that an older CastRay left, or one with other settings, is replaced by the job.
            if view is None or view.settings != await self._installer.settings(record):
                view = await self._installer.install(self._watch.connection, record)
            return await self._take(view, record)

    async def _record(self) -> OutpostRecord:
        """Ours of that outpost; a new one is stored before anything is installed."""
        connection = self._watch.connection
        if connection.outpost is None:
            return await self._keep(connection, OutpostRecord(key=secrets.token_hex(32)))
        return connection.outpost

    async def _keep(self, connection: Connection, record: OutpostRecord) -> OutpostRecord:
        kept = connection.model_copy(update={"outpost": record})
        await self._store(kept)
        self._watch.connection = kept
        return record

    async def _fetch_view(self, record: OutpostRecord, wait_s: float) -> OutpostView | None:
        if record.url is None:
            return None
        try:
            return await OutpostLink(record.url, record.key).view(wait_s)
        except PeerError as error:
            logger.info("the outpost is looked for by a job: %s", error)
            return None

    async def _take(self, view: OutpostView, record: OutpostRecord) -> dict[str, HttpAgentLink]:
        connection = self._watch.connection
        if connection.outpost != record or self._is_closed:
            raise NotFoundError("connected cluster", connection.cluster)
        url = self._checked_url(view.host, view.port)
        if url != record.url:
            await self._keep(connection, record.model_copy(update={"url": url}))
        links: dict[str, HttpAgentLink] = {}
        self._problems = {}
        for member in view.members:
            try:
                links[member.node_id] = HttpAgentLink(self._url_of(member), record.key)
            except JobFailedError as error:
                self._problems[member.node_id] = error.problem
        self._seen_at, self._watch.outpost = time.monotonic(), links
        return links

    def _url_of(self, member: OutpostMember) -> str:
        if member.host is None or member.port is None:
            raise JobFailedError(member.node_id, member.problem or "does not say where it answers")
        return self._checked_url(member.host, member.port)

    def _checked_url(self, host: str, port: int) -> str:
        """The URL of a part of the outpost; our key goes only where we may connect to.

        Raises:
            JobFailedError: That is no place for us.
        """
        where = host_and_port(host, port)
        try:
            why = refusal(ipaddress.ip_address(host), self._allowed)
        except ValueError:
            why = "is no address."
        if why is not None:
            raise JobFailedError(where, why)
        return f"http://{where}"

    def _absence(self, node_id: str) -> CastRayError:
        problem = self._problems.get(node_id)
        if problem is None:
            return NotFoundError("node", node_id)
        return JobFailedError(
            self._watch.connection.dashboard_url,
            f"runs our outpost, but not its agent on node {node_id}, which {problem}.",
        )
