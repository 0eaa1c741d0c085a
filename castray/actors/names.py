"""What CastRay's actors are called, how they are made to last, and how to reach them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from castray.models import DEFAULT_ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "AGENT_PREFIX",
    "CONNECTOR_NAME",
    "DEFAULT_NAMESPACE",
    "DEPLOYMENT_NAME",
    "REGISTRY_CONCURRENCY_GROUPS",
    "REGISTRY_NAME",
    "ActorSettings",
    "ExternalSettings",
    "TransferSettings",
    "agent_name",
    "agent_options",
    "connector_options",
    "get_handle",
    "poller_name",
    "poller_options",
    "registry_options",
]

DEFAULT_NAMESPACE = "castray"
REGISTRY_NAME = "ClusterRegistry"
CONNECTOR_NAME = "ClusterConnector"
DEPLOYMENT_NAME = "CastRay"
"""Of the API, in Ray Serve."""

POLLER_PREFIX = "StatusPoller:"
AGENT_PREFIX = "TransferAgent:"

REGISTRY_CONCURRENCY_GROUPS = {"wait": 1000}
"""Long-polls have slots of their own, so that they never delay a report or a control call."""


@dataclass(frozen=True)
class ExternalSettings:
    """What the connector needs to know; off means that nothing is looked for or watched."""

    enabled: bool = True
    auto_discover: bool = True
    timeout_s: float = 10.0
    discovery_methods: tuple[str, ...] = ("ray_status", "dashboard_scan", "temp_dir")
    first_port: int = 8265
    last_port: int = 8269
    allowed_networks: tuple[str, ...] = ()


@dataclass(frozen=True)
class TransferSettings:
    """What those who cast files need to know."""

    roots: tuple[str, ...] = (DEFAULT_ROOT,)
    first_port: int = 28900
    last_port: int = 28999
    max_casts_per_node: int = 4
    outposts: Literal["on_demand", "on_connect", "never"] = "on_demand"
    agent_idle_s: float = 600.0


@dataclass(frozen=True)
class ActorSettings:
    """What the actors need to know; plain values, so that a bare worker can read them."""

    store_path: str
    namespace: str = DEFAULT_NAMESPACE
    monitor_port: int = 8000
    monitor_poll_interval_s: float = 1.0
    monitor_timeout_s: float = 1.0
    monitor_embedded: bool = False
    external: ExternalSettings = ExternalSettings()
    transfer: TransferSettings = TransferSettings()


def poller_name(node_id: str) -> str:
    """The name of the poller of that node."""
    return POLLER_PREFIX + node_id


def agent_name(node_id: str) -> str:
    """The name of the agent of that node."""
    return AGENT_PREFIX + node_id


def get_handle(name: str = REGISTRY_NAME, namespace: str = DEFAULT_NAMESPACE) -> Any:
    """A handle to one of CastRay's actors, looked up anew.

    Raises:
        ValueError: There is no such actor now.
    """
    return ray.get_actor(name, namespace=namespace)


def registry_options(settings: ActorSettings, code_uri: str) -> dict[str, Any]:
    """How the registry is created: on the head, for good, its waiters apart from its callers."""
    return _lasting(REGISTRY_NAME, settings, code_uri) | {
        "resources": {"node:__internal_head__": 0.001},
        "max_task_retries": -1,
    }


def connector_options(settings: ActorSettings, code_uri: str) -> dict[str, Any]:
    """How the connector is created: beside the registry, for good."""
    return _lasting(CONNECTOR_NAME, settings, code_uri) | {
        "resources": {"node:__internal_head__": 0.001},
    }


def poller_options(settings: ActorSettings, node_id: str, code_uri: str) -> dict[str, Any]:
    """How a node's poller is created: pinned to its node, and with it for good."""
    return _lasting(poller_name(node_id), settings, code_uri) | {
        "scheduling_strategy": NodeAffinitySchedulingStrategy(node_id, soft=False),
    }


def agent_options(
    settings: ActorSettings, node_id: str, code_uris: Sequence[str]
) -> dict[str, Any]:
    """How a node's agent is created: pinned to its node, with all packages that it takes along."""
    return _lasting(agent_name(node_id), settings, *code_uris) | {
        "scheduling_strategy": NodeAffinitySchedulingStrategy(node_id, soft=False),
    }


def _lasting(name: str, settings: ActorSettings, *code_uris: str) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": settings.namespace,
        "lifetime": "detached",
        "get_if_exists": True,
        "max_restarts": -1,
        "num_cpus": 0,
        # CastRay's own code travels with its actors: a worker has only Ray installed.
        "runtime_env": {"py_modules": list(code_uris)},
    }
