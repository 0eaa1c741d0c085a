"""Creates CastRay's actors, and takes them away again."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from ray._private.runtime_env.packaging import get_uri_for_directory, upload_package_if_needed
from ray.util import list_named_actors

import castray
from castray.actors.agent import TransferAgent
from castray.actors.connector import ClusterConnector
from castray.actors.names import (
    AGENT_PREFIX,
    CONNECTOR_NAME,
    POLLER_PREFIX,
    REGISTRY_CONCURRENCY_GROUPS,
    REGISTRY_NAME,
    ActorSettings,
    agent_options,
    connector_options,
    get_handle,
    poller_options,
    registry_options,
)
from castray.actors.poller import StatusPoller
from castray.actors.registry import ClusterRegistry
from castray.transfer.hashing import carried_package

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ensure_registry",
    "remove_actors",
    "start_agent",
    "start_poller",
    "upload_code",
    "withdraw_outposts",
]

logger = logging.getLogger(__name__)

WITHDRAW_S = 60.0
"""Where an outpost does not answer, a job is sent to end it."""

NOT_FOR_WORKERS = ["page", "**/__pycache__", "**/*.pyc"]


def ensure_registry(settings: ActorSettings) -> Any:
    """The registry's handle; it and the connector are created where they are missing.

    A registry that runs other code or other settings than ours is ended first, with all other
    actors: what it must remember is in its store.
    """
    code_uri = upload_code()
    running = _find_registry(settings.namespace)
    if running is not None and _identity(running) != (settings, code_uri):
        logger.info("CastRay's actors run other code or settings: replacing them")
        remove_actors(settings.namespace)
    # Ray takes this option nowhere else, though its types do not know it here.
    make_remote: Any = ray.remote(concurrency_groups=REGISTRY_CONCURRENCY_GROUPS)  # type: ignore[call-overload]
    registry = (
        make_remote(ClusterRegistry)
        .options(**registry_options(settings, code_uri))
        .remote(settings, code_uri, start_poller, start_agent)
    )
    connector = ray.remote(ClusterConnector).options(**connector_options(settings, code_uri))
    connector.remote(settings)
    return registry


def start_poller(settings: ActorSettings, node_id: str, monitor_port: int, code_uri: str) -> Any:
    """The handle of that node's poller, created where it is missing."""
    poller = ray.remote(StatusPoller).options(**poller_options(settings, node_id, code_uri))
    return poller.remote(settings, node_id, monitor_port)


def start_agent(settings: ActorSettings, node_id: str, code_uri: str) -> Any:
    """The handle of that node's agent, created where it is missing."""
    hashing = carried_package()
    # Uploaded for each agent anew: Ray forgets a package soon after the last one that uses it.
    carried = [] if hashing is None else [_upload(hashing)]
    options = agent_options(settings, node_id, [code_uri, *carried])
    return ray.remote(TransferAgent).options(**options).remote(settings, node_id)


def remove_actors(namespace: str) -> list[str]:
    """End every actor of CastRay's in that namespace, for good; the names of those ended."""
    names = [
        row["name"]
        for row in list_named_actors(all_namespaces=True)
        if row["namespace"] == namespace and _is_ours(row["name"])
    ]
    # The registry first: it would start the pollers again.
    names.sort(key=lambda name: name != REGISTRY_NAME)
    for name in names:
        try:
            ray.kill(get_handle(name, namespace), no_restart=True)
        except ValueError:
            logger.debug("%s ended by itself", name)
    return names


def withdraw_outposts(namespace: str) -> dict[str, str]:
    """Take away what CastRay runs on other clusters; why something stays, by the cluster's name.

    Raises:
        RayError: The connector does not do it, or not in time.
    """
    try:
        connector = get_handle(CONNECTOR_NAME, namespace)
    except ValueError:
        return {}
    left: dict[str, str] = ray.get(connector.withdraw.remote(), timeout=WITHDRAW_S)
    return left


def upload_code() -> str:
    """Put this installation's own code where every node can fetch it; its address in Ray."""
    return _upload(Path(castray.__file__).parent)


def _upload(package: Path) -> str:
    uri = get_uri_for_directory(str(package), include_gitignore=False, excludes=NOT_FOR_WORKERS)
    with tempfile.TemporaryDirectory(prefix="castray-") as scratch:
        upload_package_if_needed(
            uri,
            scratch,
            str(package),
            include_gitignore=False,
            include_parent_dir=True,
            excludes=NOT_FOR_WORKERS,
        )
    return uri


def _find_registry(namespace: str) -> Any:
    try:
        return get_handle(REGISTRY_NAME, namespace)
    except ValueError:
        return None


def _identity(registry: Any) -> Sequence[Any] | None:
    try:
        identity: Sequence[Any] = ray.get(registry.identity.remote(), timeout=10)
    except Exception:
        # An older registry may not know the call, or not be able to unpickle our records.
        logger.exception("the running registry does not say what it is")
        return None
    return tuple(identity)


def _is_ours(name: str) -> bool:
    return name in (REGISTRY_NAME, CONNECTOR_NAME) or name.startswith((POLLER_PREFIX, AGENT_PREFIX))
