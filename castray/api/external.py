"""External clusters: find, connect, list and disconnect them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from castray.api.bodies import Body, respond
from castray.api.messages import preferred_language, sentence
from castray.api.problems import PROBLEM_RESPONSES
from castray.core.external_status import (
    ConnectedNode,
    ExternalInfo,
    ListedNode,
    render_connected_nodes,
    render_external_info,
    render_listed_nodes,
)
from castray.discovery.source import FoundCluster, SourceReport
from castray.errors import NotFoundError
from castray.models import Cluster, ClusterState, DiscoveredCluster

if TYPE_CHECKING:
    from castray.api.backend import Backend
    from castray.api.feed import ReplicaFeed
    from castray.core.replica import View

__all__ = ["external_router"]

SHOWN_WITHIN_S = 2.0
"""How long a caller waits, at the most, until this replica shows what was done."""


class Discovered(BaseModel):
    """What a discovery found. `external_nodes` are those of all connected clusters."""

    success: Literal[True] = True
    message: str
    discovered_clusters: tuple[DiscoveredCluster, ...]
    external_nodes: dict[str, ConnectedNode]
    clusters: tuple[FoundCluster, ...] = Field(description="All that is known of each.")
    sources: tuple[SourceReport, ...] = Field(description="What each way to look saw.")


class ConnectRequest(BaseModel):
    """Which cluster, and how to get in."""

    model_config = ConfigDict(extra="forbid")

    cluster_address: str = Field(
        min_length=1,
        max_length=300,
        description="`HOST:PORT` or URL of its dashboard, `ray://HOST:PORT`, or its GCS.",
        examples=["127.0.0.1:8265"],
    )
    name: str | None = Field(None, min_length=1, max_length=100, description="What to call it.")
    token: str | None = Field(None, min_length=1, max_length=1000, description="Its own token.")


class Connected(BaseModel):
    """A cluster is connected; `external_nodes` are those of all connected clusters."""

    success: Literal[True] = True
    message: str
    cluster: str
    external_nodes: dict[str, ConnectedNode]


class Disconnected(BaseModel):
    """Clusters were disconnected."""

    success: Literal[True] = True
    message: str
    clusters: tuple[str, ...]


class ListedNodes(BaseModel):
    """The nodes of all connected clusters."""

    success: Literal[True] = True
    external_nodes: tuple[ListedNode, ...]
    count: int


class ClusterList(BaseModel):
    """The home cluster and all external ones: found, connected and lost."""

    version: str
    clusters: tuple[Cluster, ...]


def external_router(backend: Backend, feed: ReplicaFeed) -> APIRouter:
    """All endpoints; `/api/nodes/external` must come before `/api/nodes/{id}`."""
    router = APIRouter(tags=["clusters"], responses=PROBLEM_RESPONSES)

    @router.post("/api/cluster/discover-external", response_model=Discovered)
    async def discover_external(
        request: Request,
        all_nodes: Annotated[
            bool, Query(description="Look on every home node's machine, not just the head's.")
        ] = False,
    ) -> Response:
        """Look for Ray clusters, and connect to those that let us in."""
        report = await backend.discover(all_nodes=all_nodes)
        sessions = {c.session_name for c in report.clusters if c.error is None}
        view = await feed.wait_for(lambda v: sessions <= _connected_sessions(v), SHOWN_WITHIN_S)
        connected = sessions & _connected_sessions(view)
        language = preferred_language(request.headers)
        message = sentence(
            "discovered", language, found=len(report.clusters), connected=len(connected)
        )
        locked = [c.dashboard_url or "" for c in report.clusters if c.needs_token]
        if locked:
            message += sentence("wants-token", language, addresses=", ".join(locked))
        answer = Discovered(
            message=message,
            discovered_clusters=tuple(
                DiscoveredCluster(
                    nodes=c.nodes, dashboard_url=c.dashboard_url, resources=c.resources
                )
                for c in report.clusters
            ),
            external_nodes=render_connected_nodes(view.nodes, view.clusters),
            clusters=report.clusters,
            sources=report.sources,
        )
        return respond(request, Body(answer.model_dump_json()))

    @router.post("/api/cluster/connect-external")
    async def connect_external(request: Request, body: ConnectRequest) -> Connected:
        """Connect to a cluster, and keep it connected through every loss and restart."""
        cluster = await backend.connect(body.cluster_address, body.name, body.token)
        view = await feed.wait_for(lambda v: cluster in _ids(v), SHOWN_WITHIN_S)
        nodes = render_connected_nodes(view.nodes, view.clusters)
        message = sentence(
            "connected",
            preferred_language(request.headers),
            address=body.cluster_address,
            count=sum(node.cluster == cluster for node in nodes.values()),
        )
        return Connected(message=message, cluster=cluster, external_nodes=nodes)

    @router.delete("/api/cluster/disconnect-external")
    async def disconnect_external(
        request: Request,
        cluster: Annotated[str | None, Query(description="Only this one, by id.")] = None,
        cluster_address: Annotated[str | None, Query(description="Only the one there.")] = None,
    ) -> Disconnected:
        """Disconnect one cluster, or all; nothing on the clusters themselves changes."""
        ended = await backend.disconnect(cluster, cluster_address)
        await feed.wait_for(lambda v: not _ids(v).intersection(ended), SHOWN_WITHIN_S)
        language = preferred_language(request.headers)
        message = sentence("disconnected", language, count=len(ended))
        return Disconnected(message=message, clusters=tuple(ended))

    @router.get("/api/cluster/external-info")
    async def external_info() -> ExternalInfo:
        """Which external clusters are connected, and their nodes."""
        view = feed.view()
        return render_external_info(view.nodes, view.clusters)

    @router.get("/api/nodes/external")
    async def external_nodes() -> ListedNodes:
        """The nodes of external clusters."""
        view = feed.view()
        nodes = render_listed_nodes(view.nodes, view.clusters)
        return ListedNodes(external_nodes=nodes, count=len(nodes))

    @router.get("/api/clusters")
    async def list_clusters() -> ClusterList:
        """Every cluster that is known: the home cluster, found, connected and lost ones."""
        view = feed.view()
        return ClusterList(version=view.version, clusters=view.clusters)

    @router.get("/api/clusters/{cluster_id}")
    async def show_cluster(cluster_id: str) -> Cluster:
        """One cluster."""
        found = [c for c in feed.view().clusters if cluster_id in (c.id, c.name)]
        if not found:
            raise NotFoundError("cluster", cluster_id)
        return found[0]

    return router


def _ids(view: View) -> set[str]:
    return {c.id for c in view.clusters if c.state is not ClusterState.FOUND}


def _connected_sessions(view: View) -> set[str | None]:
    return {c.session_name for c in view.clusters if c.state is ClusterState.CONNECTED}
