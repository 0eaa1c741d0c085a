"""Nodes and clusters in the wire contract: what actors, the API and the page speak.

Here, in `cast_models` and in `changes` stands all of the contract. Everything is immutable and
says its unit in its name. A value that nobody measured is `None`, never a zero. Times are aware
datetimes. Nothing here does I/O.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, computed_field, model_validator

from castray.chinese import in_chinese

__all__ = [
    "DEFAULT_ROOT",
    "HOME_CLUSTER",
    "PRIVATE_NETWORKS",
    "Cluster",
    "ClusterState",
    "Connection",
    "ConnectionType",
    "DiscoveredCluster",
    "Gpu",
    "Load",
    "LogicalResource",
    "MonitorKind",
    "MonitorStats",
    "MonitorView",
    "Node",
    "NodeReport",
    "NodeResources",
    "NodeSource",
    "NodeState",
    "Notice",
    "NoticeType",
    "OutpostRecord",
    "Reason",
    "ReasonCode",
    "Record",
    "Snapshot",
    "ToldInBoth",
    "WorkReport",
    "WorkStatus",
]

HOME_CLUSTER = "home"
"""Id of the cluster that CastRay runs on."""

DEFAULT_ROOT = "~/castray"
"""The directory that a node shares unless told otherwise; it alone is made where it is missing."""

PRIVATE_NETWORKS = (
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
)
"""Loopback and the private ranges: where other clusters are looked for unless told otherwise."""


class Record(BaseModel):
    """An immutable record."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ToldInBoth(Record):
    """A record that is written with Chinese texts beside its English ones, and read without."""

    @model_validator(mode="before")
    @classmethod
    def _leave_out_chinese(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if key not in cls.model_computed_fields}


class WorkStatus(str, Enum):
    """What a node's inference script is doing; `UNKNOWN` when nobody said so lately."""

    IDLE = "idle"
    DETECTING = "detecting"
    SENDING = "sending"
    UNKNOWN = "unknown"


class NodeState(str, Enum):
    """Whether a node can be believed: alive and reporting, alive but silent, or dead to Ray."""

    ALIVE = "alive"
    STALE = "stale"
    DEAD = "dead"


class NodeSource(str, Enum):
    """Whose node it is."""

    HOME = "home"
    EXTERNAL = "external"


class ConnectionType(str, Enum):
    """How the node is attached to its network, as its operator declared it."""

    WIRED = "wired"
    WIRELESS = "wireless"
    UNKNOWN = "unknown"


class MonitorKind(str, Enum):
    """How a node's monitor is read."""

    STREAM = "stream"
    POLL = "poll"
    EMBEDDED = "embedded"


class ReasonCode(str, Enum):
    """Why something is unknown; the page has a sentence for each in every language."""

    NOT_REPORTED_YET = "not_reported_yet"
    NO_MONITOR = "no_monitor"
    MONITOR_TIMEOUT = "monitor_timeout"
    MONITOR_HTTP_ERROR = "monitor_http_error"
    MONITOR_BAD_ANSWER = "monitor_bad_answer"
    MONITOR_TOO_LARGE = "monitor_too_large"
    MONITOR_BAD_STATUS = "monitor_bad_status"
    NOT_A_MONITOR = "not_a_monitor"
    PORT_IS_CASTRAY = "port_is_castray"
    POLLER_FAILED = "poller_failed"
    REPORTS_STOPPED = "reports_stopped"
    NODE_DEAD = "node_dead"
    FEED_LOST = "feed_lost"
    CLUSTER_LOST = "cluster_lost"
    CLUSTER_WANTS_TOKEN = "cluster_wants_token"  # noqa: S105
    CLUSTER_UNREADABLE = "cluster_unreadable"


class Reason(Record):
    """Why something is unknown or wrong, for programs (`code`) and for people (`detail`)."""

    code: ReasonCode
    detail: str = Field(description="One English sentence: what was seen, and what to do.")


class MonitorStats(Record):
    """Inference statistics as a monitor gave them; only the first three are in every monitor."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    total_processed: int | None = None
    low_confidence_count: int | None = None
    sent_to_server: int | None = None
    inference_ms_avg: float | None = None
    inference_ms_p95: float | None = None
    low_confidence_ratio: float | None = None
    server_requests_per_min: float | None = None
    window_s: float | None = Field(None, description="The window of the four figures above.")


class WorkReport(Record):
    """A node's work status, and since when; `reason` says why it is unknown."""

    status: WorkStatus = WorkStatus.UNKNOWN
    since: datetime | None = Field(None, description="When this status began.")
    current_task: str | None = None
    stats: MonitorStats | None = None
    reason: Reason | None = None


class MonitorView(Record):
    """How a node's monitor is seen from its poller; `reachable` is None before the first try."""

    reachable: bool | None = None
    port: int | None = None
    kind: MonitorKind | None = None
    version: str | None = None
    last_seen: datetime | None = None
    error: Reason | None = None


class Gpu(Record):
    """One GPU, as NVML measured it."""

    index: int
    name: str
    utilization_percent: float | None
    memory_used_bytes: int | None
    memory_total_bytes: int | None


class Load(Record):
    """Physical load of a node at one moment, in percent (0 to 100) and bytes."""

    measured_at: datetime
    cpu_percent: float | None = None
    memory_percent: float | None = None
    memory_used_bytes: int | None = None
    memory_total_bytes: int | None = None
    disk_percent: float | None = None
    disk_used_bytes: int | None = None
    disk_total_bytes: int | None = None
    network_sent_bytes_per_s: float | None = None
    network_received_bytes_per_s: float | None = None
    gpus: tuple[Gpu, ...] = ()

    @property
    def gpu_percent(self) -> float | None:
        """Mean utilisation of the GPUs that could be read, or None where there is none."""
        known = [g.utilization_percent for g in self.gpus if g.utilization_percent is not None]
        return round(sum(known) / len(known), 1) if known else None


class NodeResources(Record):
    """What Ray says the node has to give out."""

    cpu_cores: float = 0.0
    memory_bytes: int = 0
    gpu_count: float = 0.0
    object_store_bytes: int = 0


class NodeReport(Record):
    """What a node's poller says about its node: always the whole truth of that moment."""

    node_id: str
    work: WorkReport
    monitor: MonitorView
    load: Load | None


class Node(Record):
    """One Ray node as CastRay knows it. `key` is unique over all clusters."""

    key: str = Field(description="`CLUSTER/NODE_ID`: unique, and stable while the node lives.")
    id: str = Field(description="Short id, unique among the nodes shown.")
    cluster: str
    source: NodeSource
    node_id: str = Field(description="Ray's NodeID, in hexadecimal.")
    name: str
    host_name: str
    address: str
    is_head: bool
    state: NodeState
    state_reason: Reason | None = None
    connection: ConnectionType = ConnectionType.UNKNOWN
    labels: dict[str, str] = Field(default_factory=dict)
    resources: NodeResources = NodeResources()
    work: WorkReport = WorkReport()
    monitor: MonitorView = MonitorView()
    load: Load | None = Field(None, description="None when nobody measured it lately.")
    tasks: tuple[str, ...] = Field((), description="Running Ray actors and jobs, by name.")
    last_report: datetime | None = Field(None, description="When its poller was last heard.")


class ClusterState(str, Enum):
    """Whether a cluster is only known of, watched now, or watched in vain."""

    FOUND = "found"
    CONNECTED = "connected"
    LOST = "lost"


class LogicalResource(Record):
    """Ray's own account of one resource: cores, GPUs or bytes."""

    total: float
    available: float


class Cluster(ToldInBoth):
    """One Ray cluster: the home cluster, or an external one."""

    id: str
    name: str
    source: NodeSource
    state: ClusterState
    state_reason: Reason | None = None
    ray_version: str | None = None
    session_name: str | None = None
    dashboard_url: str | None = None
    resources: dict[str, LogicalResource] = Field(default_factory=dict)
    connected_since: datetime | None = None
    last_seen: datetime | None = Field(None, description="When it last answered, if it is lost.")
    address: str | None = Field(None, description="Where it was connected, as it was given.")
    sources: tuple[str, ...] = Field((), description="What found it: discovery methods, or manual.")
    needs_token: bool = False
    node_count: int | None = Field(None, description="Its living nodes.")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def state_reason_zh(self) -> str | None:
        """The detail of `state_reason` in Chinese, where there is a text for it."""
        return in_chinese(self.state_reason.detail) if self.state_reason else None

    @property
    def key(self) -> str:
        """What it is called in the versioned state."""
        return self.id


class NoticeType(str, Enum):
    """What happened to external clusters; the values are types of `/ws` messages."""

    DISCOVERED = "external_cluster_discovered"
    CONNECTED = "external_cluster_connected"
    DISCONNECTED = "external_cluster_disconnected"


class DiscoveredCluster(Record):
    """A discovered cluster, as clients of old know it."""

    nodes: int | None
    dashboard_url: str | None
    resources: dict[str, float] = Field(default_factory=dict)


class Notice(Record):
    """Something that happened to external clusters, for people to see once."""

    key: str
    type: NoticeType
    at: datetime
    cluster: str | None = None
    cluster_address: str | None = None
    external_nodes_count: int = 0
    discovered_clusters: tuple[DiscoveredCluster, ...] = ()
    message: str
    message_zh: str


class OutpostRecord(Record):
    """What CastRay left on an external cluster, to be found again and removed."""

    key: str = Field(repr=False, description="64 hexadecimal digits; never told to that cluster.")
    url: str | None = Field(None, description="Where its warden answered last.")


class Connection(Record):
    """An external cluster that is to be watched, as the store keeps it."""

    cluster: str = Field(description="The cluster's short id.")
    session_name: str
    address: str
    dashboard_url: str
    name: str
    token: str | None = Field(None, repr=False)
    sources: tuple[str, ...] = ()
    outpost: OutpostRecord | None = None


class Snapshot(Record):
    """Everything the registry knows at one version."""

    version: str
    nodes: tuple[Node, ...]
    clusters: tuple[Cluster, ...]
