"""Typed client of the dashboard of one Ray cluster.

Whoever runs that dashboard is not trusted: an answer is bounded in size and time, no redirect is
followed, connections go only to addresses that were checked, and every fault is one error of
`castray.errors` that says what was seen.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import aiohttp
from pydantic import ValidationError

from castray.core.clusters import DEFAULT_ALLOWED_NETWORKS
from castray.core.external_nodes import ClusterReading
from castray.discovery.address import CheckedAddresses, fetch_endpoint, parse_address
from castray.discovery.answers import (
    parse_actors,
    parse_authentication_mode,
    parse_jobs,
    parse_nodes,
    parse_resources,
    parse_usage,
    parse_version,
    rename_resources,
)
from castray.errors import (
    AnswerTooLargeError,
    BadAnswerError,
    ClusterRedirectsError,
    ClusterTooSlowError,
    ClusterUnreachableError,
    ExternalClusterError,
    NotARayDashboardError,
    TokenMissingError,
    TokenRefusedError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from ipaddress import IPv4Network, IPv6Network

    from castray.core.external_nodes import NodeReading
    from castray.discovery.address import ClusterAddress, Endpoint
    from castray.discovery.answers import NodeUsage, Version
    from castray.models import LogicalResource

__all__ = ["Dashboard"]

TIMEOUT_S = 3.0
"""For one whole answer: a lost cluster shows within this and one interval of the watch."""

MAX_BODY_BYTES = 8 * 2**20
"""A node takes 15 to 30 KB of the largest answer."""

MAX_PROBLEM_LENGTH = 300
"""What is wrong in an answer may quote it."""

MAX_CONNECTIONS = 6
"""One for each part of a reading: none waits for another."""

LIST_LIMIT = 10_000
"""The most rows that Ray's state API gives; unasked, it gives 100."""

VERSION = "/api/version"
AUTHENTICATION_MODE = "/api/authentication_mode"
NODES = f"/api/v0/nodes?detail=true&limit={LIST_LIMIT}"
USAGE = "/nodes?view=summary&nocache=1"
"""Without `nocache` it may be minutes old."""
RESOURCES = "/api/cluster_status"
JOBS = "/api/jobs/"
ACTORS = (
    f"/api/v0/actors?detail=true&limit={LIST_LIMIT}"
    "&filter_keys=state&filter_predicates=%3D&filter_values=ALIVE"
)

T = TypeVar("T")


class Dashboard:
    """One Ray dashboard, made by `open` and closed by `aclose`.

    Every `fetch_` raises an `ExternalClusterError` when it cannot be read.
    """

    def __init__(
        self, address: ClusterAddress, endpoint: Endpoint, token: str | None, timeout_s: float
    ) -> None:
        self.url = address.dashboard_url
        self._timeout_s = timeout_s
        headers = {"Accept-Encoding": "identity"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=MAX_CONNECTIONS, resolver=CheckedAddresses(endpoint), use_dns_cache=False
            ),
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            # A body is taken as it comes: a few packed kilobytes can be gigabytes.
            auto_decompress=False,
        )

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        allowed: Sequence[IPv4Network | IPv6Network] = DEFAULT_ALLOWED_NETWORKS,
        token: str | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> Dashboard:
        """The dashboard at a URL or `host:port`; nothing is asked of it yet.

        Args:
            url: Its address.
            allowed: The networks that we may connect to.
            token: The cluster's token, if it wants one.
            timeout_s: For one whole answer.

        Raises:
            InvalidRequestError: That is no address.
            ExternalClusterError: The host has no address, or none that we may connect to.
        """
        address = parse_address(url)
        endpoint = await fetch_endpoint(address.host, address.port, allowed)
        return cls(address, endpoint, token, timeout_s)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._http.close()

    async def fetch_version(self) -> Version:
        """Which Ray runs there, and which cluster it is."""
        try:
            return await self._fetch(VERSION, parse_version, NotARayDashboardError)
        except (TokenMissingError, TokenRefusedError):
            # Other services want passwords too: only Ray says its mode to who has none.
            await self.fetch_authentication_mode()
            raise

    async def fetch_authentication_mode(self) -> str:
        """`token` or `disabled`; readable without a token."""
        try:
            return await self._fetch(
                AUTHENTICATION_MODE, parse_authentication_mode, NotARayDashboardError
            )
        except (TokenMissingError, TokenRefusedError):
            raise NotARayDashboardError(
                self.url, "wants a password, but not as Ray does; give a Ray dashboard's address."
            ) from None

    async def fetch_nodes(self) -> tuple[NodeReading, ...]:
        """All nodes that the cluster knows, dead ones too, without usage and tasks."""
        return await self._fetch(NODES, parse_nodes)

    async def fetch_usage(self) -> dict[str, NodeUsage]:
        """What each node measured last, by NodeID."""
        return await self._fetch(USAGE, parse_usage)

    async def fetch_jobs(self) -> dict[str, tuple[str, ...]]:
        """The names of the running jobs, by the NodeID of their driver."""
        return await self._fetch(JOBS, parse_jobs)

    async def fetch_actors(self) -> dict[str, tuple[str, ...]]:
        """The names of the living actors, by NodeID."""
        return await self._fetch(ACTORS, parse_actors)

    async def fetch_resources(self) -> dict[str, LogicalResource]:
        """Ray's account of the cluster's resources, by the dashboard's names of them."""
        return await self._fetch(RESOURCES, parse_resources)

    async def fetch_reading(self) -> ClusterReading:
        """Everything that a watch wants to know; only version and nodes must be readable."""
        version, nodes, usage, jobs, actors, resources = await asyncio.gather(
            _outcome(self.fetch_version()),
            _outcome(self.fetch_nodes()),
            _outcome(self.fetch_usage()),
            _outcome(self.fetch_jobs()),
            _outcome(self.fetch_actors()),
            _outcome(self.fetch_resources()),
        )
        if isinstance(version, ExternalClusterError):
            raise version
        if isinstance(nodes, ExternalClusterError):
            raise nodes
        names = {name for n in nodes for name in n.facts.resources if ":" not in name}
        others = (usage, jobs, actors, resources)
        return ClusterReading(
            session_name=version.session_name,
            ray_version=version.ray_version,
            nodes=tuple(
                _completed(node, _known(usage), _known(jobs), _known(actors)) for node in nodes
            ),
            resources=rename_resources(_known(resources), names),
            faults=tuple(str(fault) for fault in others if isinstance(fault, ExternalClusterError)),
        )

    async def _fetch(
        self,
        path: str,
        parse: Callable[[bytes], T],
        mismatch: type[ExternalClusterError] = BadAnswerError,
    ) -> T:
        """What `parse` makes of an answer; `mismatch` is raised for what Ray would never answer."""
        status, body = await self._fetch_body(path)
        if status == 401:
            raise TokenMissingError(self.url, "wants a token; connect with the cluster's own.")
        if status == 403:
            raise TokenRefusedError(self.url, "refuses this token; connect with the cluster's own.")
        if 300 <= status < 400:
            raise ClusterRedirectsError(
                self.url, "answers with a redirect; give the address that it leads to."
            )
        if status >= 500:
            raise BadAnswerError(self.url, f"fails to answer {path}, with status {status}.")
        if status != 200:
            raise mismatch(self.url, f"answers {path} with status {status}, as no Ray does.")
        try:
            return parse(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            problem = f"answers {path} as no Ray does: {where} {first['msg']}"
            raise mismatch(self.url, f"{problem[:MAX_PROBLEM_LENGTH]}.") from None

    async def _fetch_body(self, path: str) -> tuple[int, bytes]:
        try:
            async with self._http.get(self.url + path, allow_redirects=False) as response:
                body = bytearray()
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > MAX_BODY_BYTES:
                        raise AnswerTooLargeError(
                            self.url, f"answers {path} with more than {MAX_BODY_BYTES} bytes."
                        )
                return response.status, bytes(body)
        except asyncio.TimeoutError:
            raise ClusterTooSlowError(
                self.url, f"gave no whole answer within {self._timeout_s:g} s."
            ) from None
        except aiohttp.ClientConnectionError as error:
            raise ClusterUnreachableError(
                self.url, f"cannot be reached ({_cause(error)}); make sure that the cluster runs."
            ) from None
        except aiohttp.ClientPayloadError:
            raise BadAnswerError(self.url, f"broke off its answer to {path}.") from None
        except aiohttp.ClientError:
            raise NotARayDashboardError(
                self.url, "does not speak HTTP; give the address of a Ray dashboard."
            ) from None


async def _outcome(fetch: Awaitable[T]) -> T | ExternalClusterError:
    try:
        return await fetch
    except ExternalClusterError as error:
        return error


def _known(answer: dict[str, T] | ExternalClusterError) -> dict[str, T]:
    return {} if isinstance(answer, ExternalClusterError) else answer


def _completed(
    node: NodeReading,
    usage: Mapping[str, NodeUsage],
    jobs: Mapping[str, tuple[str, ...]],
    actors: Mapping[str, tuple[str, ...]],
) -> NodeReading:
    node_id = node.facts.node_id
    node = replace(node, tasks=jobs.get(node_id, ()) + actors.get(node_id, ()))
    measured = usage.get(node_id)
    if measured is None:
        return node
    facts = replace(node.facts, host_name=measured.host_name or node.facts.host_name)
    return replace(node, facts=facts, load=measured.load())


def _cause(error: aiohttp.ClientConnectionError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
