"""Typed client of the dashboard of one Ray cluster."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from castray.core.external_nodes import ClusterReading
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
from castray.discovery.dashboard_http import DashboardHttp
from castray.errors import (
    ExternalClusterError,
    NotARayDashboardError,
    TokenMissingError,
    TokenRefusedError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from castray.core.external_nodes import NodeReading
    from castray.discovery.answers import NodeUsage, Version
    from castray.models import LogicalResource

__all__ = ["Dashboard"]

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


class Dashboard(DashboardHttp):
    """What a Ray dashboard says of its cluster.

    Every `fetch_` raises an `ExternalClusterError` when it cannot be read.
    """

    async def fetch_version(self) -> Version:
        """Which Ray runs there, and which cluster it is."""
        try:
            return await self.fetch(VERSION, parse_version, NotARayDashboardError)
        except (TokenMissingError, TokenRefusedError):
            # Other services want passwords too: only Ray says its mode to who has none.
            await self.fetch_authentication_mode()
            raise

    async def fetch_authentication_mode(self) -> str:
        """`token` or `disabled`; readable without a token."""
        try:
            return await self.fetch(
                AUTHENTICATION_MODE, parse_authentication_mode, NotARayDashboardError
            )
        except (TokenMissingError, TokenRefusedError):
            raise NotARayDashboardError(
                self.url, "wants a password, but not as Ray does; give a Ray dashboard's address."
            ) from None

    async def fetch_nodes(self) -> tuple[NodeReading, ...]:
        """All nodes that the cluster knows, dead ones too, without usage and tasks."""
        return await self.fetch(NODES, parse_nodes)

    async def fetch_usage(self) -> dict[str, NodeUsage]:
        """What each node measured last, by NodeID."""
        return await self.fetch(USAGE, parse_usage)

    async def fetch_jobs(self) -> dict[str, tuple[str, ...]]:
        """The names of the running jobs, by the NodeID of their driver."""
        return await self.fetch(JOBS, parse_jobs)

    async def fetch_actors(self) -> dict[str, tuple[str, ...]]:
        """The names of the living actors, by NodeID."""
        return await self.fetch(ACTORS, parse_actors)

    async def fetch_resources(self) -> dict[str, LogicalResource]:
        """Ray's account of the cluster's resources, by the dashboard's names of them."""
        return await self.fetch(RESOURCES, parse_resources)

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
