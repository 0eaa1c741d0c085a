"""Looks at what is there: who has a port and answers on it, and what a Ray cluster runs."""

from __future__ import annotations

import http.client
import json
from contextlib import closing, suppress
from typing import TYPE_CHECKING, NamedTuple

import psutil

from castray.cli.cluster import allow_token, reaches
from castray.core.status import Answer, parse_health

if TYPE_CHECKING:
    from castray.core.status import Health

__all__ = [
    "ClusterVersions",
    "PortUser",
    "fetch_cluster_versions",
    "fetch_health",
    "has_monitor",
    "is_castray_ready",
    "look_at_port",
]

TIMEOUT_S = 3.0
MAX_BODY_BYTES = 64 * 1024


class ClusterVersions(NamedTuple):
    """What a Ray cluster runs; both must be the same in everything that connects to it."""

    ray: str
    python: str


class PortUser(NamedTuple):
    """Who listens on a port."""

    process: str | None
    """The name of its process; None where this user may not see it."""
    pid: int | None
    health: Health | None
    """What it says it is; None where it speaks no HTTP."""

    @property
    def is_castray(self) -> bool:
        """Whether CastRay's API answers there."""
        return self.health is not None and self.health.is_castray

    @property
    def is_monitor(self) -> bool:
        """Whether a monitor answers there."""
        return self.health is not None and self.health.is_monitor

    def __str__(self) -> str:
        what = "CastRay" if self.is_castray else "a CM-ZSB monitor" if self.is_monitor else None
        who = f"{self.process} (pid {self.pid})" if self.process else "another user's process"
        return f"{what}: {who}" if what else who


def look_at_port(port: int) -> PortUser | None:
    """Who listens on that TCP port of this machine; None where nobody does."""
    pids = [
        connection.pid
        for connection in psutil.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
    ]
    if not pids:
        return None
    pid = next(filter(None, pids), None)
    name = None
    with suppress(psutil.Error):
        name = psutil.Process(pid).name() if pid else None
    return PortUser(name, pid, fetch_health("127.0.0.1", port))


def has_monitor(port: int) -> bool:
    """Whether a monitor answers on that port of this machine."""
    health = fetch_health("127.0.0.1", port)
    return health is not None and health.is_monitor


def is_castray_ready(host: str, port: int) -> bool:
    """Whether a CastRay answers there that has heard of its registry."""
    answer = _fetch_answer(host, port)
    if answer is None or not parse_health(answer).is_castray:
        return False
    return bool(json.loads(answer.body).get("status") == "ok")


def fetch_health(host: str, port: int) -> Health | None:
    """Ask who answers there; None where nobody speaks HTTP."""
    answer = _fetch_answer(host, port)
    return None if answer is None else parse_health(answer)


def fetch_cluster_versions(address: str) -> ClusterVersions | None:
    """Ask the GCS at that address; None where it does not tell us."""
    import ray
    from ray._common.usage.usage_lib import get_cluster_metadata
    from ray._raylet import GcsClient  # type: ignore[attr-defined]

    if not reaches(address):
        return None
    allow_token()
    with suppress(RuntimeError, ConnectionError, ray.exceptions.RayError):
        found = get_cluster_metadata(GcsClient(address=address))
        return ClusterVersions(found["ray_version"], found["python_version"])
    return None


def _fetch_answer(host: str, port: int) -> Answer | None:
    with (
        suppress(OSError, http.client.HTTPException),
        closing(http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)) as connection,
    ):
        connection.request("GET", "/api/health")
        response = connection.getresponse()
        return Answer(response.status, response.read(MAX_BODY_BYTES))
    return None
