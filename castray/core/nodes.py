"""A node as CastRay knows it, from what Ray knows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from castray.models import (
    HOME_CLUSTER,
    ConnectionType,
    Node,
    NodeResources,
    NodeSource,
    NodeState,
    Reason,
    ReasonCode,
    WorkReport,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from castray.core.events import NodeFacts

__all__ = [
    "CONNECTION_LABEL",
    "MONITOR_PORT_LABEL",
    "NAME_LABEL",
    "connection_type",
    "dead_node",
    "facts_name",
    "monitor_port",
    "new_node",
    "node_key",
    "node_name",
    "node_resources",
    "without_measurements",
]

NAME_LABEL = "castray.io/name"
CONNECTION_LABEL = "castray.io/connection"
MONITOR_PORT_LABEL = "castray.io/monitor-port"

STANDARD_RESOURCES = frozenset({"CPU", "GPU", "TPU", "memory", "object_store_memory"})
CONNECTION_RESOURCES = {"Wired": ConnectionType.WIRED, "Wireless": ConnectionType.WIRELESS}


def node_key(cluster: str, node_id: str) -> str:
    """The key of a node, unique over all clusters."""
    return f"{cluster}/{node_id}"


def node_name(labels: Mapping[str, str], resources: Mapping[str, float], host_name: str) -> str:
    """The node's name: its label, else its first custom resource, else its host name.

    Ray does not keep the order in which resources were given, so "first" is alphabetical.
    """
    if labels.get(NAME_LABEL):
        return labels[NAME_LABEL]
    custom = sorted(
        name
        for name in resources
        if ":" not in name and name not in STANDARD_RESOURCES and name not in CONNECTION_RESOURCES
    )
    return custom[0] if custom else host_name


def facts_name(facts: NodeFacts) -> str:
    """The name of the node of that row."""
    return node_name(facts.labels, facts.resources, facts.host_name)


def connection_type(labels: Mapping[str, str], resources: Mapping[str, float]) -> ConnectionType:
    """How the node is attached, by its custom resource or its label; unknown if neither says."""
    for resource, connection in CONNECTION_RESOURCES.items():
        if resource in resources:
            return connection
    declared = labels.get(CONNECTION_LABEL, "").lower()
    return next((c for c in ConnectionType if c.value == declared), ConnectionType.UNKNOWN)


def monitor_port(labels: Mapping[str, str], default: int) -> int:
    """The port of the node's monitor: its label where that is a port, else the default."""
    declared = labels.get(MONITOR_PORT_LABEL, "")
    if declared.isdecimal() and 0 < int(declared) < 65536:
        return int(declared)
    return default


def node_resources(resources: Mapping[str, float]) -> NodeResources:
    """The standard resources of a node, from Ray's table of them (memory in bytes)."""
    return NodeResources(
        cpu_cores=resources.get("CPU", 0.0),
        memory_bytes=int(resources.get("memory", 0)),
        gpu_count=resources.get("GPU", 0.0),
        object_store_bytes=int(resources.get("object_store_memory", 0)),
    )


def new_node(facts: NodeFacts, cluster: str, short_id: str, work: WorkReport) -> Node:
    """The node of that row, alive, of which nothing was measured yet."""
    return Node(
        key=node_key(cluster, facts.node_id),
        id=short_id,
        cluster=cluster,
        source=NodeSource.HOME if cluster == HOME_CLUSTER else NodeSource.EXTERNAL,
        node_id=facts.node_id,
        name=facts_name(facts),
        host_name=facts.host_name,
        address=facts.address,
        is_head=facts.is_head,
        state=NodeState.ALIVE,
        connection=connection_type(facts.labels, facts.resources),
        labels=dict(facts.labels),
        resources=node_resources(facts.resources),
        work=work,
    )


def dead_node(node: Node, facts: NodeFacts) -> Node:
    """The node as a dead one, with the reason that its row gives."""
    reason = f"Ray reports this node dead: {facts.death_reason or 'no reason given'}."
    return without_measurements(
        node, NodeState.DEAD, Reason(code=ReasonCode.NODE_DEAD, detail=reason)
    )


def without_measurements(node: Node, state: NodeState, reason: Reason) -> Node:
    """The node with everything taken off that only a living poller can vouch for."""
    return node.model_copy(
        update={
            "state": state,
            "state_reason": reason,
            "work": WorkReport(reason=reason),
            "monitor": node.monitor.model_copy(update={"reachable": None, "error": reason}),
            "load": None,
            "tasks": (),
        }
    )
