"""What is decided about other Ray clusters: where we may connect, ids, loss and return."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import TYPE_CHECKING

from castray.models import (
    PRIVATE_NETWORKS,
    Cluster,
    ClusterState,
    NodeSource,
    Reason,
    ReasonCode,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from ipaddress import IPv4Network, IPv6Network
    from random import Random

    from castray.core.external_nodes import ClusterReading
    from castray.errors import CastRayError
    from castray.models import Connection

__all__ = [
    "DEFAULT_ALLOWED_NETWORKS",
    "ShortIds",
    "Watch",
    "cluster_record",
    "refusal",
    "silent_cluster",
    "unread_cluster",
]

DEFAULT_ALLOWED_NETWORKS: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(text) for text in PRIVATE_NETWORKS
)

POLL_INTERVAL_S = 1.0
"""A dashboard measures its nodes every 5 s, but knows within this who joined and who left."""

FIRST_RETRY_S = 0.5
LONGEST_RETRY_S = 10.0
"""A cluster that comes back after a night is seen within this."""


class ShortIds:
    """Ids like `ray_node_001`: one for each key, never given twice, the same after a restart.

    Args:
        prefix: What an id begins with, such as `ray_node`.
        known: The keys and ids given before, as they were stored.
    """

    def __init__(self, prefix: str, known: Mapping[str, str] | None = None) -> None:
        self._prefix = prefix
        self._ids = dict(known or {})
        self._last = max((int(i.removeprefix(f"{prefix}_")) for i in self._ids.values()), default=0)

    def id_of(self, key: str) -> tuple[str, bool]:
        """The id of that key, and whether it is new and so has to be stored."""
        if key in self._ids:
            return self._ids[key], False
        self._last += 1
        self._ids[key] = f"{self._prefix}_{self._last:03}"
        return self._ids[key], True


@dataclass(frozen=True)
class Watch:
    """How a connected cluster stands now; every change is a new value.

    A watch that was only restored counts as lost until the cluster answers.
    """

    session_name: str
    connected_since: datetime | None = None
    last_answer: datetime | None = None
    failures: int = 0
    problem: str = "has not been read yet since CastRay started."

    @property
    def is_connected(self) -> bool:
        """Whether the last attempt to read it succeeded."""
        return self.last_answer is not None and not self.failures

    def answered(self, session_name: str, now: datetime) -> Watch:
        """It was read. Another session name than before means: a new cluster stands there."""
        is_same = session_name == self.session_name and self.is_connected
        return Watch(session_name, self.connected_since if is_same else now, now)

    def failed(self, error: CastRayError) -> Watch:
        """It could not be read."""
        return replace(self, failures=self.failures + 1, problem=str(error))

    def delay_s(self, rng: Random) -> float:
        """How long to wait before it is read again: longer with every failure, and never in step.

        Clusters that were lost together would otherwise all be tried at the same moments.
        """
        if not self.failures:
            return POLL_INTERVAL_S
        longest: float = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** min(self.failures - 1, 10))
        return rng.uniform(longest / 2, longest)

    def reason(self) -> Reason | None:
        """Why it is lost, and since when; None while it is connected."""
        if self.is_connected:
            return None
        seen = f" Last seen {self.last_answer:%Y-%m-%d %H:%M:%S %z}." if self.last_answer else ""
        return Reason(
            code=ReasonCode.CLUSTER_LOST,
            detail=f"{self.problem}{seen} It is tried again by itself.",
        )


def cluster_record(connection: Connection, watch: Watch, reading: ClusterReading | None) -> Cluster:
    """The record of a connected cluster; `reading` is the last one, or None before the first."""
    live = reading if watch.is_connected else None
    return Cluster(
        id=connection.cluster,
        name=connection.name,
        source=NodeSource.EXTERNAL,
        state=ClusterState.CONNECTED if watch.is_connected else ClusterState.LOST,
        state_reason=watch.reason() or (_gaps(live) if live else None),
        ray_version=reading.ray_version if reading else None,
        session_name=watch.session_name,
        dashboard_url=connection.dashboard_url,
        resources=dict(live.resources) if live else {},
        connected_since=watch.connected_since if watch.is_connected else None,
        last_seen=None if watch.is_connected else watch.last_answer,
        address=connection.address,
        sources=connection.sources,
        needs_token=connection.token is not None,
        node_count=sum(node.facts.alive for node in live.nodes) if live else None,
    )


def _gaps(reading: ClusterReading) -> Reason | None:
    """What of a connected cluster could not be read."""
    if not reading.faults:
        return None
    return Reason(
        code=ReasonCode.CLUSTER_UNREADABLE,
        detail=f"It is connected, but not all of it can be read: {' '.join(reading.faults)}",
    )


def unread_cluster(connection: Connection) -> Cluster:
    """The record of a connection that was restored, before its cluster is read again."""
    return cluster_record(connection, Watch(connection.session_name), None)


def silent_cluster(cluster: Cluster, last_heard: datetime) -> Cluster:
    """The record of a connected cluster that its watch has stopped to speak of."""
    reason = Reason(
        code=ReasonCode.CLUSTER_LOST,
        detail="CastRay's connector does not report on this cluster; it comes back by itself.",
    )
    return cluster.model_copy(
        update={
            "state": ClusterState.LOST,
            "state_reason": reason,
            "last_seen": last_heard,
            "resources": {},
            "connected_since": None,
            "node_count": None,
        }
    )


def refusal(
    address: IPv4Address | IPv6Address,
    allowed: Iterable[IPv4Network | IPv6Network] = DEFAULT_ALLOWED_NETWORKS,
) -> str | None:
    """Why we do not connect to that address, or None if we may.

    Whatever is allowed, never link-local addresses (there, clouds keep their credentials),
    multicast, or the address that stands for all.
    """
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return "is an address that CastRay never connects to; give the host's own address."
    if not any(address in network for network in allowed):
        return (
            "is in none of external_cluster.allowed_networks, so CastRay does not connect to it; "
            "add its network there if it is yours."
        )
    return None
