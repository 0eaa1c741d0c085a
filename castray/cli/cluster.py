"""The Ray cluster that CastRay goes to: which one, connecting to it, putting CastRay on and off."""

from __future__ import annotations

import contextlib
import logging
import socket
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from castray.core.nodes import monitor_port

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from castray.config import RayClusterSettings, Settings

__all__ = [
    "Deployed",
    "allow_token",
    "choose_address",
    "connected",
    "deploy_castray",
    "find_addresses",
    "head_is_here",
    "reaches",
    "remove_castray",
    "serve_runs",
    "withdraw_outposts",
]

CONNECT_TIMEOUT_S = 3.0
MAX_ERROR_CHARS = 400
SERVE_CONTROLLER = ("SERVE_CONTROLLER_ACTOR", "serve")
HEAD_RESOURCE = "node:__internal_head__"


class Deployed(NamedTuple):
    """What is known once CastRay is on a cluster."""

    url: str
    dashboard_url: str | None
    monitor_port: int | None
    """Of the node that this process is on; None where it is on none of the cluster's."""
    log_directory: str | None
    """Of the Ray session on this machine."""


def find_addresses() -> frozenset[str]:
    """The GCS addresses of all Ray clusters that have a node on this machine.

    What a container runs can be seen from outside, but often not be reached: it does not count.
    """
    from ray._private.services import find_gcs_addresses

    found = find_gcs_addresses()  # type: ignore[no-untyped-call]
    return frozenset(address for address in found if reaches(address))


def choose_address(settings: RayClusterSettings, found: Collection[str]) -> str | None:
    """The address of the cluster to use, or None where one is to be started here.

    Args:
        settings: What is wanted.
        found: The addresses of the clusters on this machine.

    Raises:
        click.ClickException: It cannot be told which one, or there is none and none may be made.
    """
    if settings.address == "local":
        return None
    if settings.address != "auto":
        return settings.address
    if len(found) > 1:
        raise click.ClickException(
            f"Several Ray clusters run on this machine ({', '.join(sorted(found))}): choose one "
            "with --address, or start another with --address local."
        )
    if not found and not settings.fallback_to_local:
        raise click.ClickException(
            "No Ray cluster runs on this machine, and ray_cluster.fallback_to_local is false: "
            "start one with `ray start --head`, or name one with --address."
        )
    return next(iter(found), None)


def reaches(address: str) -> bool:
    """Whether anything takes connections at that address."""
    host, _, port = address.rpartition("/")[2].rpartition(":")
    with contextlib.suppress(OSError):
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_TIMEOUT_S).close()
        return True
    return False


def allow_token() -> None:
    """Use Ray's token where this user has one, as `ray start` does, so that both always agree."""
    from ray._private.authentication.authentication_token_setup import (
        maybe_enable_token_auth_if_token_available,
    )

    maybe_enable_token_auth_if_token_available(warn_if_disabled=False)


@contextlib.contextmanager
def connected(address: str, namespace: str, *, carries_code: bool) -> Iterator[Any]:
    """Be a driver of the cluster at that address; gives what `ray.init` returned.

    Args:
        address: Of the GCS, or `ray://…`.
        namespace: Where CastRay's actors are.
        carries_code: Whether our code goes along, for a cluster that may not have it.

    Raises:
        click.ClickException: Nobody is there, or it is no cluster that we can work with.
    """
    if not reaches(address):
        raise click.ClickException(
            f"No Ray cluster answers at {address}: check the address, and that Ray runs there "
            "(`ray status --address ADDRESS`)."
        )
    import ray
    import ray.serve

    allow_token()
    # What Serve tells at every start and end, we tell better.
    logging.getLogger(ray.serve.__name__).setLevel(logging.ERROR)
    package = str(Path(__file__).parent.parent)
    try:
        context = ray.init(
            address,
            namespace=namespace,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"py_modules": [package]} if carries_code else None,
        )
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise click.ClickException(
            f"Cannot work with the Ray cluster at {address}: {_in_short(error)}"
        ) from error
    try:
        yield context
    finally:
        ray.shutdown()


def deploy_castray(settings: Settings, context: Any) -> Deployed:
    """Put CastRay on the cluster that this process is connected to.

    Raises:
        click.ClickException: Serve refuses it.
    """
    import ray

    from castray.serve_app import deploy

    try:
        url = deploy(settings)
    except (RuntimeError, ValueError, TimeoutError, ray.exceptions.RayError) as error:
        raise click.ClickException(
            f"Ray Serve does not take CastRay: {_replica_error() or _in_short(error)}"
        ) from error
    dashboard = context.dashboard_url
    # A client of `ray://` has no session here.
    session = getattr(context, "address_info", {}).get("session_dir")
    return Deployed(
        url=url,
        dashboard_url=f"http://{dashboard}" if dashboard else None,
        monitor_port=_own_monitor_port(settings.monitor.port),
        log_directory=f"{session}/logs" if session else None,
    )


def remove_castray(namespace: str, *, serve_is_ours: bool) -> list[str]:
    """Take CastRay off the cluster that this process is connected to.

    Args:
        namespace: Where its actors are.
        serve_is_ours: Whether Serve runs because of CastRay: then it ends too, once it is empty.

    Returns:
        The names of the actors that were ended.
    """
    from ray import serve

    from castray.serve_app import shutdown

    ended = shutdown(namespace)
    if serve_is_ours and serve_runs() and not serve.status().applications:
        serve.shutdown()  # type: ignore[no-untyped-call]
    return ended


def withdraw_outposts(namespace: str) -> list[str]:
    """Take away what CastRay runs on other clusters; what stays there, in sentences."""
    import ray

    from castray.actors import launch

    try:
        left = launch.withdraw_outposts(namespace)
    except ray.exceptions.RayError as error:
        return [f"Outposts on other clusters may stay for a day: {_in_short(error)}"]
    return [
        f"The outpost on {name} stays, and leaves by itself within a day: {why}"
        for name, why in left.items()
    ]


def serve_runs() -> bool:
    """Whether Serve runs on the cluster that this process is connected to."""
    import ray

    name, namespace = SERVE_CONTROLLER
    try:
        ray.get_actor(name, namespace=namespace)
    except ValueError:
        return False
    return True


def head_is_here() -> bool:
    """Whether this process is connected through the head node, and that is this machine."""
    row = _own_node()
    return row is not None and HEAD_RESOURCE in row["Resources"]


def _own_node() -> dict[str, Any] | None:
    """Ray's row of the node that this process is on; a client of `ray://` is on none."""
    import ray
    from ray.util.client import ray as client

    if client.is_connected():  # type: ignore[no-untyped-call]
        return None
    node_id = ray.get_runtime_context().get_node_id()
    rows = ray.nodes()  # type: ignore[no-untyped-call]
    return next((row for row in rows if row["NodeID"] == node_id), None)


def _own_monitor_port(default: int) -> int | None:
    row = _own_node()
    return None if row is None else monitor_port(row.get("Labels") or {}, default)


def _replica_error() -> str | None:
    """The error that CastRay's replica met, where it did: the last line of its trace."""
    from ray import serve

    from castray.serve_app import APPLICATION_NAME

    application = serve.status().applications.get(APPLICATION_NAME)
    for deployment in application.deployments.values() if application else ():
        lines = deployment.message.strip().splitlines()
        if lines:
            return lines[-1].strip()
    return None


def _in_short(error: Exception) -> str:
    # Ray's errors begin with what happened, and go on for pages.
    return textwrap.shorten(str(error), MAX_ERROR_CHARS, placeholder=" …") or repr(error)
