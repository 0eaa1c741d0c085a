"""What Ray itself says of the home cluster; for a process that belongs to it."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import ray
from ray._private.ray_constants import DASHBOARD_ADDRESS, KV_NAMESPACE_DASHBOARD
from ray.experimental.internal_kv import _internal_kv_get
from ray.util.state import list_actors, list_jobs

from castray.actors.names import DEPLOYMENT_NAME
from castray.core.events import NodeFacts, TasksObserved
from castray.models import HOME_CLUSTER, Cluster, ClusterState, LogicalResource, NodeSource

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

__all__ = ["fetch_home_cluster", "fetch_members", "fetch_tasks", "parse_task"]

MAX_LISTED = 10_000
JOB_SUPERVISOR_PREFIX = "_ray_internal_job_actor_"
SERVE_REPLICA = re.compile(r"SERVE_REPLICA::(?P<application>[^#]+)#(?P<deployment>[^#]+)#.+")
"""How Serve calls a replica's actor."""


def fetch_members() -> tuple[NodeFacts, ...]:
    """Ray's own node table."""
    return tuple(_parse_node(row) for row in ray.nodes())  # type: ignore[no-untyped-call]


def fetch_home_cluster(rows: Sequence[NodeFacts], since: datetime) -> Cluster:
    """The home cluster's record.

    Args:
        rows: Its node table.
        since: When we began to watch it.
    """
    total: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    available: dict[str, float] = ray.available_resources()  # type: ignore[no-untyped-call]
    return Cluster(
        id=HOME_CLUSTER,
        name=HOME_CLUSTER,
        source=NodeSource.HOME,
        state=ClusterState.CONNECTED,
        ray_version=ray.__version__,
        session_name=ray.get_runtime_context().get_session_name(),
        dashboard_url=_dashboard_url(),
        resources={
            name: LogicalResource(total=value, available=available.get(name, 0.0))
            for name, value in sorted(total.items())
            if not name.startswith("node:")
        },
        connected_since=since,
        node_count=sum(row.alive for row in rows),
    )


def parse_task(namespace: str | None, actor_name: str, ours: str) -> str | None:
    """What people call an actor: a replica after its deployment, a job's supervisor after the job.

    Args:
        namespace: The actor's.
        actor_name: Its name, or that of its class.
        ours: The namespace of CastRay's own actors.

    Returns:
        None for the machinery of CastRay and Serve, which is nobody's work.
    """
    if namespace == ours:
        return None
    if namespace == "serve":
        replica = SERVE_REPLICA.fullmatch(actor_name)
        if replica is None or replica["deployment"] == DEPLOYMENT_NAME:
            return None
        return f"{replica['application']}/{replica['deployment']}"
    return actor_name.replace(JOB_SUPERVISOR_PREFIX, "job ")


async def fetch_tasks(namespace: str) -> TasksObserved:
    """Which actors and jobs run where, but for CastRay's own, which live in that namespace."""
    # Without an address it may ask another cluster that this machine happens to run.
    address = ray.get_runtime_context().gcs_address
    actors, jobs = await asyncio.gather(
        asyncio.to_thread(
            list_actors,
            address=address,
            filters=[("state", "=", "ALIVE")],
            limit=MAX_LISTED,
            raise_on_missing_output=False,
        ),
        asyncio.to_thread(
            list_jobs,
            address=address,
            filters=[("status", "=", "RUNNING")],
            limit=MAX_LISTED,
            raise_on_missing_output=False,
        ),
    )
    return TasksObserved(
        actors=tuple(
            (row.node_id, name)
            for row in actors
            if row.node_id
            and (name := parse_task(row.ray_namespace, row.name or row.class_name, namespace))
        ),
        # A submitted job is there already, as the actor that supervises it.
        jobs=tuple(
            (row.driver_info.node_ip_address, f"job {row.job_id}")
            for row in jobs
            if row.driver_info is not None and row.submission_id is None
        ),
    )


def _parse_node(row: dict[str, Any]) -> NodeFacts:
    """One row of `ray.nodes()`."""
    resources = row.get("Resources") or {}
    return NodeFacts(
        node_id=row["NodeID"],
        host_name=row.get("NodeManagerHostname") or row["NodeManagerAddress"],
        address=row["NodeManagerAddress"],
        is_head="node:__internal_head__" in resources,
        alive=row["Alive"],
        death_reason=row.get("DeathReasonMessage") or "",
        labels=row.get("Labels") or {},
        resources=resources,
    )


def _dashboard_url() -> str | None:
    """The address that the head's dashboard wrote into Ray's own key-value store."""
    address = _internal_kv_get(DASHBOARD_ADDRESS.encode(), namespace=KV_NAMESPACE_DASHBOARD)
    return f"http://{address.decode()}" if address else None
