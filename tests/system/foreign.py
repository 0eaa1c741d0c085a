"""Ray clusters of other people, around a home cluster with CastRay on it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.hosts import SECOND_PORTS, RayCluster
from tests.system.client import wait_until

if TYPE_CHECKING:
    from tests.hosts import Host
    from tests.system.client import Client

__all__ = ["LOCKED_TOKEN", "Cluster", "Foreign", "ask", "connect", "fetch_cluster", "settled"]

LOCKED_TOKEN = "a-token-of-more-than-32-characters-42"

Cluster = dict[str, Any]

START_S = 180.0
"""Six Ray clusters start on one machine."""

EVERY_RAY_PROCESS = r"gcs_server|raylet|ray::|dashboard|default_worker|ray/_private|bin/ray"


class Foreign:
    """Home and three foreign clusters on one host, and two clusters of two hosts each.

    Attributes:
        home: The host with CastRay, and the foreign ones `blue`, `green` (in a directory of its
            own) and `locked` (wants a token) on the three ports after home's.
        north: A cluster with a monitor on each of its two hosts.
        south: Another, on which a test may do its worst; `start_south` brings a new one.
    """

    def __init__(self, hosts: list[Host]) -> None:
        self.home, *self.north_hosts = hosts[:3]
        self.south_hosts = hosts[3:]
        RayCluster(self.home, labels={"castray.io/name": "home"})
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": LOCKED_TOKEN}
        ports = SECOND_PORTS
        RayCluster(self.home, ports=ports, resources={"blue": 1})
        RayCluster(self.home, ports=ports.shifted(1), resources={"green": 1}, temp_dir="/tmp/own")
        RayCluster(self.home, ports=ports.shifted(2), resources={"locked": 1}, env=token)
        self._start_strangers(ports.shifted(3).dashboard)
        self.north = self._start(self.north_hosts, "north")
        self.south = self.start_south()
        for host in [*self.north_hosts, *self.south_hosts]:
            host.start(["python", "-m", "castray.monitor"]).wait_for_output("CM-ZSB monitor")
        serve = ["serve", "run", "--address", f"{self.home.address}:6379", "castray.serve_app"]
        self.home.start(serve).wait_for_output("is ready at", START_S)

    def start_south(self) -> RayCluster:
        """A new cluster where the last one was."""
        return self._start(self.south_hosts, "south")

    def kill_south(self) -> None:
        """End it as a power cut does."""
        for host in self.south_hosts:
            host.kill(EVERY_RAY_PROCESS)

    def _start(self, hosts: list[Host], name: str) -> RayCluster:
        first, second = hosts
        cluster = RayCluster(first, dashboard_host="0.0.0.0", resources={f"{name}-head": 1})
        cluster.start_worker(second, resources={f"{name}-worker": 1})
        cluster.wait_for_nodes(*hosts, timeout_s=START_S)
        return cluster

    def _start_strangers(self, port: int) -> None:
        """A session that ended, and another service on a port where dashboards are looked for."""
        dead = "/tmp/ray/session_2020-01-01_00-00-00_000000_7"
        self.home.run(["mkdir", "-p", f"{dead}/logs", f"{dead}/sockets"])
        python = str(Path(sys.executable).resolve())
        server = ["-m", "http.server", "--bind", "127.0.0.1", str(port)]
        self.home.start([python, *server]).wait_for_output("Serving")


async def ask(client: Client, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """The status and the JSON of an answer."""
    async with client.http.request(method, f"{client.url}{path}", json=body) as answer:
        return answer.status, await answer.json(content_type=None)


async def connect(client: Client, address: str, **more: str) -> str:
    """Connect to a cluster; its id."""
    body = {"cluster_address": address, **more}
    status, answer = await ask(client, "POST", "/api/cluster/connect-external", body)
    assert status == 200, answer
    return str(answer["cluster"])


async def fetch_cluster(client: Client, cluster: str) -> Cluster:
    """One cluster as it stands now."""
    record: Cluster = await client.fetch(f"/api/clusters/{cluster}")
    return record


async def settled(client: Client, cluster: str, state: str, within_s: float) -> Cluster:
    """Wait until a cluster is in that state."""

    async def fetch() -> Cluster:
        return await fetch_cluster(client, cluster)

    return await wait_until(fetch, lambda record: bool(record["state"] == state), within_s)
