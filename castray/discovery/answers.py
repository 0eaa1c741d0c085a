"""What a Ray dashboard answers, checked, and read into the records of `castray.core`.

Only what we use is declared, the same in every Ray since 2.40, and everything else is ignored.
Every `parse_` raises pydantic's `ValidationError` for a body that is not of its shape.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Annotated

from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, TypeAdapter

from castray.core.events import NodeFacts
from castray.core.external_nodes import NodeReading
from castray.models import Gpu, Load, LogicalResource
from castray.transfer.outpost_link import OUTPOST_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "NodeUsage",
    "Version",
    "parse_actors",
    "parse_authentication_mode",
    "parse_jobs",
    "parse_nodes",
    "parse_resources",
    "parse_usage",
    "parse_version",
    "rename_resources",
]

MEBIBYTE = 2**20

INTERNAL_PREFIXES = ("_ray_internal_", OUTPOST_PREFIX)
"""Of the names of actors that Ray starts for itself, and of the namespaces of outposts."""

NodeId = Annotated[str, Field(pattern=r"^[0-9a-f]{8,128}$")]
Percent = Annotated[float, Field(ge=0, le=100)]
Amount = Annotated[float, Field(ge=0, lt=1e18)]
Milliseconds = Annotated[float, Field(ge=0, lt=1e14)]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Version(_Answer):
    """Which Ray, and which cluster: no two clusters ever have the same session name."""

    ray_version: Annotated[str, Field(min_length=1, max_length=100)]
    session_name: Annotated[str, Field(min_length=1, max_length=200)]


class NodeUsage(_Answer):
    """What a node's agent measured; nothing but the id before its first measurement."""

    node_id: Annotated[NodeId, Field(validation_alias=AliasPath("raylet", "nodeId"))]
    host_name: Annotated[
        str | None,
        Field(
            validation_alias=AliasChoices("hostname", AliasPath("raylet", "nodeManagerHostname"))
        ),
    ] = None
    now: Annotated[float, Field(gt=0, lt=1e11)] | None = None
    cpu: Percent | None = None
    mem: tuple[Amount, Amount, Percent, Amount] | None = None
    disk: dict[str, _Disk] | None = None
    network: Annotated[tuple[Amount, Amount] | None, Field(validation_alias="networkSpeed")] = None
    gpus: tuple[_Gpu, ...] | None = None

    def load(self) -> Load | None:
        """The load, measured at a moment of the node's own clock; None if it never was."""
        if self.now is None:
            return None
        total, _, percent, used = self.mem or (None, None, None, None)
        disk = (self.disk or {}).get("/")
        sent, received = self.network or (None, None)
        return Load(
            measured_at=datetime.fromtimestamp(self.now, timezone.utc),
            cpu_percent=self.cpu,
            memory_percent=percent,
            memory_used_bytes=_whole(used),
            memory_total_bytes=_whole(total),
            disk_percent=disk and disk.percent,
            disk_used_bytes=disk and int(disk.used),
            disk_total_bytes=disk and int(disk.total),
            network_sent_bytes_per_s=sent,
            network_received_bytes_per_s=received,
            gpus=tuple(gpu.record() for gpu in self.gpus or ()),
        )


class _Disk(_Answer):
    total: Amount
    used: Amount
    percent: Percent


class _Gpu(_Answer):
    index: int
    name: str
    utilization: Annotated[Percent | None, Field(validation_alias="utilizationGpu")] = None
    used_mib: Annotated[Amount | None, Field(validation_alias="memoryUsed")] = None
    total_mib: Annotated[Amount | None, Field(validation_alias="memoryTotal")] = None

    def record(self) -> Gpu:
        return Gpu(
            index=self.index,
            name=self.name,
            utilization_percent=self.utilization,
            memory_used_bytes=_whole(self.used_mib, MEBIBYTE),
            memory_total_bytes=_whole(self.total_mib, MEBIBYTE),
        )


class _Node(_Answer):
    node_id: NodeId
    node_ip: Annotated[str, Field(min_length=1, max_length=255)]
    state: str
    node_name: str | None = None
    is_head_node: bool = False
    state_message: str | None = None
    resources_total: dict[str, Amount] = {}
    labels: dict[str, str] | None = None
    start_time_ms: Milliseconds | None = None
    end_time_ms: Milliseconds | None = None


class _Actor(_Answer):
    state: str
    node_id: str | None = None
    name: str | None = None
    class_name: str | None = None
    ray_namespace: str | None = None

    @property
    def is_work(self) -> bool:
        """Whether it lives, and for somebody: neither for Ray itself nor for any CastRay."""
        names = (self.name or "", self.ray_namespace or "")
        return self.state == "ALIVE" and not any(n.startswith(INTERNAL_PREFIXES) for n in names)


class _Job(_Answer):
    status: str
    submission_id: str | None = None
    job_id: str | None = None
    driver_node_id: str | None = None
    metadata: dict[str, str] | None = None


class _AuthenticationMode(_Answer):
    authentication_mode: str


class _Nodes(_Answer):
    rows: Annotated[
        tuple[_Node, ...], Field(validation_alias=AliasPath("data", "result", "result"))
    ]


class _Actors(_Answer):
    rows: Annotated[
        tuple[_Actor, ...], Field(validation_alias=AliasPath("data", "result", "result"))
    ]


class _Summary(_Answer):
    rows: Annotated[tuple[NodeUsage, ...], Field(validation_alias=AliasPath("data", "summary"))]


class _Status(_Answer):
    """`usage` is missing where no autoscaler runs: used and total of each resource."""

    message: Annotated[str, Field(validation_alias="msg")]
    usage: Annotated[
        dict[str, tuple[Amount, Amount]] | None,
        Field(validation_alias=AliasPath("data", "clusterStatus", "loadMetricsReport", "usage")),
    ] = None


_JOBS = TypeAdapter(tuple[_Job, ...])


def parse_version(body: bytes) -> Version:
    """`/api/version`."""
    return Version.model_validate_json(body)


def parse_authentication_mode(body: bytes) -> str:
    """`/api/authentication_mode`: `token` or `disabled`, readable without a token."""
    return _AuthenticationMode.model_validate_json(body).authentication_mode


def parse_nodes(body: bytes) -> tuple[NodeReading, ...]:
    """`/api/v0/nodes?detail=true`: the nodes without their usage."""
    return tuple(
        NodeReading(
            facts=NodeFacts(
                node_id=row.node_id,
                host_name=row.node_name or row.node_ip,
                address=row.node_ip,
                is_head=row.is_head_node,
                alive=row.state == "ALIVE",
                death_reason=row.state_message or "",
                labels=row.labels or {},
                resources=row.resources_total,
            ),
            started_at=_moment(row.start_time_ms),
            ended_at=_moment(row.end_time_ms),
        )
        for row in _Nodes.model_validate_json(body).rows
    )


def parse_usage(body: bytes) -> dict[str, NodeUsage]:
    """`/nodes?view=summary`: what each node's agent measured, by NodeID."""
    return {row.node_id: row for row in _Summary.model_validate_json(body).rows}


def parse_actors(body: bytes) -> dict[str, tuple[str, ...]]:
    """`/api/v0/actors?detail=true`: names of the living actors, or their classes', by NodeID."""
    return _names_by_node(
        (row.node_id, row.name or row.class_name)
        for row in _Actors.model_validate_json(body).rows
        if row.is_work
    )


def parse_jobs(body: bytes) -> dict[str, tuple[str, ...]]:
    """`/api/jobs/`: the names of the running jobs, or their ids, by the NodeID of their driver."""
    return _names_by_node(
        (
            row.driver_node_id,
            (row.metadata or {}).get("job_name") or row.submission_id or row.job_id,
        )
        for row in _JOBS.validate_json(body)
        if row.status == "RUNNING" and not (row.submission_id or "").startswith(OUTPOST_PREFIX)
    )


def parse_resources(body: bytes) -> dict[str, LogicalResource]:
    """`/api/cluster_status`: Ray's account of its resources, by the dashboard's names of them."""
    usage = _Status.model_validate_json(body).usage or {}
    return {
        name: LogicalResource(total=total, available=max(0.0, total - used))
        for name, (used, total) in usage.items()
    }


def rename_resources(
    resources: Mapping[str, LogicalResource], names: Iterable[str]
) -> dict[str, LogicalResource]:
    """The resources by their own names: to the dashboard, `edge_two` is `edgeTwo`."""
    spelled = {_camel_case(name): name for name in names}
    return {spelled[name]: value for name, value in resources.items() if name in spelled}


def _names_by_node(pairs: Iterable[tuple[str | None, str | None]]) -> dict[str, tuple[str, ...]]:
    names: defaultdict[str, list[str]] = defaultdict(list)
    for node_id, name in pairs:
        if node_id and name:
            names[node_id].append(name)
    return {node_id: tuple(sorted(found)) for node_id, found in names.items()}


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)


def _moment(milliseconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc) if milliseconds else None


def _whole(amount: float | None, unit: int = 1) -> int | None:
    return None if amount is None else int(amount * unit)
