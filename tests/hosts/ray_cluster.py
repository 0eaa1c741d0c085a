"""A real Ray cluster whose nodes are hosts."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
import zlib
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

from filelock import FileLock

from tests.hosts.create import CACHES, REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.hosts.host import Host
    from tests.hosts.process import HostProcess

__all__ = ["FAST_HEALTH_CHECKS", "RAYLET", "SECOND_PORTS", "Ports", "RayCluster", "bare_ray"]

FAST_HEALTH_CHECKS = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "5000",
    "RAY_health_check_failure_threshold": "3",
}
"""For a head: it calls a killed node dead after 3 s, not after 13 s.

A node that only answers late, as while it starts on a busy machine, has five times as long.
"""

RAYLET = r"raylet/raylet "
"""Command line of the process whose death is the death of a Ray node."""

OBJECT_STORE_BYTES = 80 * 2**20
"""Ray refuses less than 75 MiB."""

NODES_POLL_S = 0.2

START_S = 180.0
"""On a busy machine with several clusters; else it is a few seconds."""


class Ports(NamedTuple):
    """The ports of a head on which clusters on one host would otherwise meet."""

    gcs: int
    dashboard: int
    client: int
    agent: int

    def shifted(self, number: int) -> Ports:
        """Those of the cluster with that number on its host."""
        return Ports(*(port + number for port in self))


FIRST_PORTS = Ports(gcs=6379, dashboard=8265, client=10001, agent=52365)

# Ray gives 10002 to 19999 to workers.
SECOND_PORTS = Ports(gcs=6380, dashboard=8266, client=20001, agent=52366)


class RayCluster:
    """A Ray cluster, started by `ray start` on one host after the other; it ends with its hosts.

    The options are those of `ray start`; `ray` is that program, and `env` the environment of the
    node's processes.

    Attributes:
        head: The host of its head, where its dashboard listens on localhost.
        ports: The ports of its head.
        address: Where workers and drivers find it.

    Raises:
        CommandFailedError: The head does not start.
    """

    def __init__(
        self,
        head: Host,
        *,
        dashboard_host: str = "127.0.0.1",
        ports: Ports = FIRST_PORTS,
        temp_dir: str | None = None,
        ray: str = "ray",
        labels: Mapping[str, str] | None = None,
        resources: Mapping[str, float] | None = None,
        num_cpus: int = 1,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.head = head
        self.ports = ports
        self.address = f"{head.address}:{ports.gcs}"
        place = ["--head", f"--port={ports.gcs}", "--include-dashboard=true"]
        place += [f"--dashboard-host={dashboard_host}", f"--dashboard-port={ports.dashboard}"]
        place += [f"--ray-client-server-port={ports.client}"]
        place += [f"--dashboard-agent-listen-port={ports.agent}"]
        place += [f"--temp-dir={temp_dir}"] if temp_dir else []
        command = [ray, "start", *place, *_node_options(head, num_cpus, labels, resources)]
        self._head_process = head.start(command, env=env)
        self._head_process.wait_for_output("Ray runtime started", START_S)

    def stop_head(self) -> None:
        """End the head, and the cluster with it."""
        self._head_process.stop()

    def start_worker(
        self,
        host: Host,
        *,
        ray: str = "ray",
        labels: Mapping[str, str] | None = None,
        resources: Mapping[str, float] | None = None,
        num_cpus: int = 1,
        env: Mapping[str, str] | None = None,
    ) -> HostProcess:
        """Start a node on `host`, without waiting for it."""
        options = _node_options(host, num_cpus, labels, resources)
        return host.start([ray, "start", f"--address={self.address}", *options], env=env)

    def wait_for_nodes(self, *hosts: Host, timeout_s: float = 60) -> None:
        """Wait until exactly these hosts are alive to Ray.

        Raises:
            TimeoutError: They are not, in that time or because the head has ended.
        """
        wanted = sorted(host.address for host in hosts)
        deadline = time.monotonic() + timeout_s
        while (alive := self._fetch_alive_addresses()) != wanted:
            if time.monotonic() > deadline or not self._head_process.is_running:
                head = self._head_process.output()
                raise TimeoutError(f"alive to Ray are {alive}, not {wanted}; the head:\n{head}")
            time.sleep(NODES_POLL_S)

    def wait_for_client_server(self, timeout_s: float = 60) -> None:
        """Wait until `ray://` takes connections, which it does only after the head has started.

        Raises:
            OSError: It does not, in that time.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            with self.head.new_socket() as client:
                try:
                    client.connect((self.head.address, self.ports.client))
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                else:
                    return
            time.sleep(NODES_POLL_S)

    def _fetch_alive_addresses(self) -> list[str]:
        """Addresses of the living nodes; none while the dashboard does not answer."""
        client = http.client.HTTPConnection("127.0.0.1", self.ports.dashboard, timeout=10)
        client.sock = self.head.new_socket()
        try:
            client.sock.connect((client.host, client.port))
            client.request("GET", "/api/v0/nodes?detail=true")
            answer = json.load(client.getresponse())
        except (OSError, http.client.HTTPException, ValueError):
            return []
        finally:
            client.close()
        nodes = answer["data"]["result"]["result"] if answer["result"] else []
        return sorted(node["node_ip"] for node in nodes if node["state"] == "ALIVE")


def bare_ray(release: str = version("ray")) -> str:
    """The `ray` program of an environment that holds nothing but `ray[default]`.

    It is installed once for each Python, version of Ray and state of constraints.txt; another
    release than ours brings its own versions of everything.
    """
    constraints = REPOSITORY / "constraints.txt"
    CACHES.mkdir(parents=True, exist_ok=True)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    pinned = f"{zlib.crc32(constraints.read_bytes()):08x}"
    environment = CACHES / f"ray-{release}-python{python}-{pinned}"
    installed = environment / "installed"
    with FileLock(f"{environment}.lock"):
        if not installed.exists():
            pip = [str(environment / "bin/pip"), "install", "--quiet"]
            wanted = [f"ray[default]=={release}"]
            if release == version("ray"):
                wanted += ["--constraint", str(constraints)]
            subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
            subprocess.run([*pip, *wanted], check=True)
            installed.touch()
    return str(environment / "bin/ray")


def _node_options(
    host: Host,
    num_cpus: int,
    labels: Mapping[str, str] | None,
    resources: Mapping[str, float] | None,
) -> list[str]:
    options = [f"--node-ip-address={host.address}", f"--num-cpus={num_cpus}"]
    options += [f"--object-store-memory={OBJECT_STORE_BYTES}", "--include-log-monitor=false"]
    if labels:
        options.append("--labels=" + ",".join(f"{key}={value}" for key, value in labels.items()))
    if resources:
        options.append(f"--resources={json.dumps(resources)}")
    return [*options, "--disable-usage-stats", "--block"]
