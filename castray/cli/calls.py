"""Calls of a running CastRay about clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from castray.cli.client import call
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
    return await call(target, "GET", "/api/clusters", ClusterList)


async def discover(target: Target, *, all_nodes: bool) -> Discovered:
    """Have CastRay look for clusters, and connect to those that let it in."""
    params = {"all_nodes": str(all_nodes).lower()}
    return await call(
        target,
        "POST",
        "/api/cluster/discover-external",
        Discovered,
        params=params,
    )


async def connect(target: Target, address: str, name: str | None, token: str | None) -> Connected:
    """Have CastRay connect to the cluster at that address."""
    body = {"cluster_address": address, "name": name, "token": token}
    return await call(target, "POST", "/api/cluster/connect-external", Connected, body=body)


async def disconnect(target: Target, params: Mapping[str, str]) -> Disconnected:
    """Have CastRay disconnect the cluster that the parameters name, or all."""
    path = "/api/cluster/disconnect-external"
    return await call(target, "DELETE", path, Disconnected, params=params)
