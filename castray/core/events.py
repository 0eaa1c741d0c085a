"""What the registry is told: Ray's membership, reports, other clusters, casts, the clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from castray.cast_models import Cast
    from castray.models import Cluster, Node, NodeReport, Notice

__all__ = [
    "CastChanged",
    "ClusterForgotten",
    "ClusterObserved",
    "ClustersFound",
    "Event",
    "MembershipObserved",
    "NodeFacts",
    "NodeReported",
    "Noticed",
    "PollerFailed",
    "TasksObserved",
    "TimePassed",
]


@dataclass(frozen=True)
class NodeFacts:
    """One row of Ray's own node table."""

    node_id: str
    host_name: str
    address: str
    is_head: bool
    alive: bool
    death_reason: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class MembershipObserved:
    """Ray's whole node table of the home cluster."""

    nodes: tuple[NodeFacts, ...]


@dataclass(frozen=True)
class NodeReported:
    """A poller spoke."""

    report: NodeReport


@dataclass(frozen=True)
class PollerFailed:
    """A node's poller could not be started, and why."""

    node_id: str
    detail: str


@dataclass(frozen=True)
class TasksObserved:
    """What runs on the home cluster: names of actors by NodeID, and of jobs by node address."""

    actors: tuple[tuple[str, str], ...] = ()
    jobs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ClusterObserved:
    """What is now known of a cluster; `nodes` are all that an external one has."""

    cluster: Cluster
    nodes: tuple[Node, ...] | None = None


@dataclass(frozen=True)
class ClustersFound:
    """What the newest discovery found and nobody is connected to: all of it."""

    clusters: tuple[Cluster, ...]


@dataclass(frozen=True)
class ClusterForgotten:
    """An external cluster was disconnected."""

    cluster_id: str


@dataclass(frozen=True)
class Noticed:
    """Something that people are to be told once."""

    notice: Notice


@dataclass(frozen=True)
class CastChanged:
    """A cast is new, or something of it is different."""

    cast: Cast


@dataclass(frozen=True)
class TimePassed:
    """Nothing but the clock: this is when silence turns into staleness."""


Event = (
    MembershipObserved
    | NodeReported
    | PollerFailed
    | TasksObserved
    | ClusterObserved
    | ClustersFound
    | ClusterForgotten
    | Noticed
    | CastChanged
    | TimePassed
)
