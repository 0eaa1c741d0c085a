"""Calls of a running CastRay about clusters, with its refusals in its own words."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
import click
from pydantic import BaseModel, ConfigDict, ValidationError

from castray.cli.client import refusal, unknown_answer
from castray.discovery.source import FoundCluster, SourceReport
from castray.models import Cluster

if TYPE_CHECKING:
    from collections.abc import Mapping

    from castray.cli.client import Target

__all__ = [
    "ClusterList",
    "Connected",
    "Disconnected",
    "Discovered",
    "connect",
    "disconnect",
    "discover",
    "fetch_clusters",
]

TIMEOUT_S = 60.0
"""A discovery on many machines takes as long as its settings say."""

AnswerT = TypeVar("AnswerT", bound="_Answer")


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ClusterList(_Answer):
    """Every cluster that CastRay knows."""

    clusters: tuple[Cluster, ...]


class Discovered(_Answer):
    """What a discovery found, and what each source saw."""

    message: str
    clusters: tuple[FoundCluster, ...]
    sources: tuple[SourceReport, ...]


class Connected(_Answer):
    """A cluster is connected."""

    message: str
    cluster: str


class Disconnected(_Answer):
    """Clusters were disconnected."""

    message: str
    clusters: tuple[str, ...]


async def fetch_clusters(target: Target) -> ClusterList:
    """Every cluster that is known.

    Raises:
        click.ClickException: Nobody answers, or refuses; so do the calls below.
    """
    return await _call(target, "GET", "/api/clusters", ClusterList)


async def discover(target: Target, *, all_nodes: bool) -> Discovered:
    """Have CastRay look for clusters, and connect to those that let it in."""
    params = {"all_nodes": str(all_nodes).lower()}
    return await _call(target, "POST", "/api/cluster/discover-external", Discovered, params=params)


async def connect(target: Target, address: str, name: str | None, token: str | None) -> Connected:
    """Have CastRay connect to the cluster at that address."""
    body = {"cluster_address": address, "name": name, "token": token}
    return await _call(target, "POST", "/api/cluster/connect-external", Connected, body=body)


async def disconnect(target: Target, params: Mapping[str, str]) -> Disconnected:
    """Have CastRay disconnect the cluster that the parameters name, or all."""
    path = "/api/cluster/disconnect-external"
    return await _call(target, "DELETE", path, Disconnected, params=params)


async def _call(
    target: Target,
    method: str,
    path: str,
    shape: type[AnswerT],
    *,
    params: Mapping[str, str] | None = None,
    body: object = None,
) -> AnswerT:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(headers=target.headers, timeout=timeout) as session,
            session.request(
                method, f"{target.url}{path}", params=params, json=body, allow_redirects=False
            ) as response,
        ):
            if response.status != 200:
                raise await _refused(target, response)
            return shape.model_validate_json(await response.read())
    except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
        raise refusal(target, error) from None
    except ValidationError:
        raise unknown_answer(target) from None


async def _refused(target: Target, response: aiohttp.ClientResponse) -> Exception:
    """What CastRay says is wrong; about its own token, what this program can do about it."""
    if response.status != 401 and response.content_type == "application/problem+json":
        problem: dict[str, Any] = await response.json(content_type=None)
        return click.ClickException(str(problem.get("detail")))
    return aiohttp.ClientResponseError(
        response.request_info, response.history, status=response.status
    )
