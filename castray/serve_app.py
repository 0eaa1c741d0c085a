"""The Serve deployment: the HTTP API over actor handles.

`serve run castray.serve_app` and `serve run castray.serve_app:app` both deploy it; `deploy` does
the same from Python, on the host and port of the settings.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING, Any

from ray import serve
from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.serve import context as serve_context

from castray.actors.agent_links import AgentAddress, link_to
from castray.actors.launch import ensure_registry, remove_actors
from castray.actors.names import (
    CONNECTOR_NAME,
    DEPLOYMENT_NAME,
    ActorSettings,
    ExternalSettings,
    TransferSettings,
    get_handle,
)
from castray.actors.priority import run_as_urgently_as_others
from castray.api.app import build_app
from castray.api.auth import build_access_policy
from castray.config import load_settings
from castray.errors import RegistryUnavailableError, SettingsError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from ray.serve import Application

    from castray.cast_models import Cast, CastAction, CastPage, CastRequest
    from castray.changes import Changes
    from castray.config import Settings
    from castray.discovery.source import DiscoveryReport
    from castray.transfer.agent_link import AgentLink

__all__ = ["APPLICATION_NAME", "app", "build_application", "deploy", "shutdown"]

logger = logging.getLogger(__name__)

APPLICATION_NAME = "castray"

MAX_OPEN_REQUESTS = 100_000
"""Every open socket counts as a request in progress."""

CHANGES_TIMEOUT_S = 2.0
"""How long the registry may be silent before it is asked again: a sign of life."""


def build_application(settings: Settings) -> Application:
    """The Serve application, ready for `serve.run`; its one replica lives on the head."""

    def build() -> FastAPI:
        # Serve calls nothing but a plain function without arguments, and in the replica.
        return _build_api(settings)

    deployment: Any = serve.deployment(
        serve.ingress(build)(),
        name=DEPLOYMENT_NAME,
        num_replicas=1,
        max_ongoing_requests=MAX_OPEN_REQUESTS,
        graceful_shutdown_timeout_s=1.0,
        health_check_period_s=2.0,
        health_check_timeout_s=5.0,
        # A line in a log file for each request takes as long as to answer it.
        logging_config={"enable_access_log": False, "log_level": "WARNING"},
        ray_actor_options={"num_cpus": 0, "resources": {"node:__internal_head__": 0.001}},
    )
    application: Application = deployment.bind()
    return application


def deploy(settings: Settings) -> str:
    """Start CastRay on the Ray cluster that this process is connected to.

    Returns:
        The address where the API answers, such as `http://127.0.0.1:8000`. Where Serve runs
        already, that is Serve's own host and port.
    """
    web = settings.web_server
    serve.start(proxy_location="HeadOnly", http_options={"host": web.host, "port": web.port})
    serve.run(build_application(settings), name=APPLICATION_NAME, route_prefix="/")
    host, port = _http_address()
    return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"


def shutdown(namespace: str) -> list[str]:
    """Remove CastRay from the cluster; the names of the actors that were ended."""
    for name, application in serve.status().applications.items():
        # `serve run` gives the application a name of its own.
        if DEPLOYMENT_NAME in application.deployments:
            serve.delete(name)
    return remove_actors(namespace)


class _ActorBackend:
    """The API's backend over the registry's handle, which is looked up anew when it breaks."""

    def __init__(self, settings: ActorSettings) -> None:
        self._settings = settings
        self._registry = ensure_registry(settings)

    async def next_changes(self, since: str | None) -> Changes:
        try:
            changes: Changes = await asyncio.wait_for(
                self._registry.changes.remote(since, CHANGES_TIMEOUT_S), 2 * CHANGES_TIMEOUT_S
            )
        except (RayError, asyncio.TimeoutError) as error:
            if isinstance(error, RayActorError):
                await asyncio.to_thread(self._look_up_again)
            raise RegistryUnavailableError from error
        return changes

    async def discover(self, *, all_nodes: bool) -> DiscoveryReport:
        report: DiscoveryReport = await self._connector("discover", all_nodes)
        return report

    async def connect(self, address: str, name: str | None, token: str | None) -> str:
        cluster: str = await self._connector("connect", address, name, token)
        return cluster

    async def disconnect(self, cluster: str | None, address: str | None) -> list[str]:
        clusters: list[str] = await self._connector("disconnect", cluster, address)
        return clusters

    async def start_cast(self, request: CastRequest) -> Cast:
        cast: Cast = await self._ask("start_cast", request)
        return cast

    async def cast(self, cast_id: str) -> Cast:
        cast: Cast = await self._ask("cast", cast_id)
        return cast

    async def casts(self, limit: int, cursor: str | None) -> CastPage:
        page: CastPage = await self._ask("casts", limit, cursor)
        return page

    async def steer_cast(self, cast_id: str, action: CastAction) -> Cast:
        cast: Cast = await self._ask("steer_cast", cast_id, action)
        return cast

    async def agent(self, node: str) -> AgentLink:
        address: AgentAddress = await self._ask("agent_of", node)
        return link_to(address, self._settings.namespace)

    async def _ask(self, method: str, *arguments: Any) -> Any:
        try:
            return await _call(self._registry, method, *arguments)
        except RegistryUnavailableError:
            await asyncio.to_thread(self._look_up_again)
            raise

    async def _connector(self, method: str, *arguments: Any) -> Any:
        try:
            connector = await asyncio.to_thread(
                get_handle, CONNECTOR_NAME, self._settings.namespace
            )
        except ValueError as error:
            raise RegistryUnavailableError from error
        return await _call(connector, method, *arguments)

    def _look_up_again(self) -> None:
        try:
            self._registry = get_handle(namespace=self._settings.namespace)
        except ValueError:
            self._registry = ensure_registry(self._settings)


async def _call(actor: Any, method: str, *arguments: Any) -> Any:
    try:
        return await getattr(actor, method).remote(*arguments)
    except RayTaskError as error:
        # What the actor raised is what the caller is to be told.
        raise error.cause from error
    except RayError as error:
        raise RegistryUnavailableError from error


def _build_api(settings: Settings) -> FastAPI:
    """Runs in the replica: the API, bound to the registry of this cluster."""
    run_as_urgently_as_others()
    host, _ = _http_address()
    backend = _ActorBackend(_actor_settings(settings))
    return build_app(backend, settings, build_access_policy(settings, bound_host=host))


def _actor_settings(settings: Settings) -> ActorSettings:
    return ActorSettings(
        store_path=settings.store.path,
        namespace=settings.ray_cluster.namespace,
        monitor_port=settings.monitor.port,
        monitor_poll_interval_s=settings.monitor.poll_interval_s,
        monitor_timeout_s=settings.monitor.timeout_s,
        monitor_embedded=settings.monitor.embedded,
        external=_external_settings(settings),
        transfer=_transfer_settings(settings),
    )


def _external_settings(settings: Settings) -> ExternalSettings:
    external = settings.external_cluster
    first_port, last_port = external.port_scan_range
    return ExternalSettings(
        enabled=external.enabled,
        auto_discover=external.auto_discover and settings.ray_cluster.external_discovery,
        timeout_s=external.connection_timeout,
        discovery_methods=external.discovery_methods,
        first_port=first_port,
        last_port=last_port,
        allowed_networks=tuple(map(str, external.allowed_networks)),
    )


def _transfer_settings(settings: Settings) -> TransferSettings:
    transfer = settings.transfer
    first_port, last_port = transfer.port_range
    return TransferSettings(
        roots=transfer.roots,
        first_port=first_port,
        last_port=last_port,
        max_casts_per_node=transfer.max_casts_per_node,
        outposts=transfer.outposts,
        agent_idle_s=transfer.agent_idle_s,
    )


def _http_address() -> tuple[str, int]:
    """Where Serve listens on this cluster, whoever started it."""
    client: Any = serve_context._get_global_client()
    return client.http_config.host, client.http_config.port


def _load_or_exit() -> Settings:
    try:
        return load_settings()
    except SettingsError as error:
        sys.exit(f"castray: {error}")


app = build_application(_load_or_exit())
