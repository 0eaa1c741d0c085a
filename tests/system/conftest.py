"""CastRay on a real cluster of three hosts, which its tests share and leave as they found it."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.hosts import REPOSITORY, RayCluster, bare_ray, create_hosts
from tests.system.cast_site import CastSite, caster_on
from tests.system.client import client_on, report_status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.hosts import Host, HostProcess
    from tests.system.cast_site import Caster
    from tests.system.client import Client, NodeRecord

CONTRACT_MONITOR = Path(__file__).with_name("contract_monitor.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the shared cluster last: it takes a core from all that run beside it."""
    items.sort(key=lambda item: "edge" in getattr(item, "fixturenames", ()))


class MonitoredNode:
    """A Ray node with a monitor on its localhost.

    Args:
        host: The node's host.
        monitor_port: Where its monitor listens.
        monitor_command: What starts that.
    """

    def __init__(self, host: Host, monitor_port: int, monitor_command: list[str]) -> None:
        self.host = host
        self.monitor_port = monitor_port
        self._command = [*monitor_command, str(monitor_port)]
        self._monitor: HostProcess | None = None

    def start_monitor(self) -> None:
        """Start the monitor, and wait until it listens."""
        self._monitor = self.host.start(self._command)
        self._monitor.wait_for_output("listening|CM-ZSB monitor")

    def stop_monitor(self) -> None:
        """End the monitor."""
        assert self._monitor is not None
        self._monitor.stop()

    async def report(self, status: str, message: str = "") -> None:
        """Report as an inference script on the node does."""
        await report_status(self.host, self.monitor_port, status, message)


class Edge:
    """The cluster, and CastRay on it.

    Attributes:
        ray: The Ray cluster. It tells a dead node late, as Ray does by itself.
        head: M1; its monitor leaves port 8000 to CastRay.
        bare: M2, a worker that has only Ray, and a monitor of the field.
        worker: M3, a worker with CastRay's own monitor.
    """

    def __init__(self, hosts: list[Host]) -> None:
        head, bare, worker = hosts
        own_monitor = ["python", "-m", "castray.monitor", "--port"]
        script = str(shutil.copy(CONTRACT_MONITOR, bare.directory))
        self.head = MonitoredNode(head, 8001, own_monitor)
        self.bare = MonitoredNode(bare, 8000, [str(Path(sys.executable).resolve()), script])
        self.worker = MonitoredNode(worker, 8000, own_monitor)
        self.nodes = {"M1": self.head, "M2": self.bare, "M3": self.worker}
        bare.hide(REPOSITORY)
        self.ray = RayCluster(
            head, labels={"castray.io/name": "M1", "castray.io/monitor-port": "8001"}
        )
        self.ray.start_worker(bare, ray=bare_ray(), resources={"M2": 1, "Wireless": 1})
        self.start_worker()
        self.ray.wait_for_nodes(head, bare, worker)
        for node in self.nodes.values():
            node.start_monitor()
        head.start(["serve", "run", "castray.serve_app"]).wait_for_output("is ready at", 120)

    def start_worker(self) -> HostProcess:
        """Start the Ray node M3."""
        return self.ray.start_worker(self.worker.host, labels={"castray.io/name": "M3"})


@pytest.fixture(scope="session")
def edge(can_make_hosts: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """The cluster that the tests share; each leaves it complete."""
    with create_hosts(3, tmp_path_factory.mktemp("edge")) as hosts:
        yield Edge(hosts)


@pytest.fixture
async def castray(edge: Edge) -> AsyncIterator[Client]:
    """A client on the head, once every node is alive and idle."""
    for node in edge.nodes.values():
        await node.report("idle")
    async with client_on(edge.head.host, edge.nodes, _is_at_rest, 30) as client:
        yield client


@pytest.fixture(scope="module")
def site(
    request: pytest.FixtureRequest, can_make_hosts: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CastSite]:
    """A cluster of as many hosts as the module's HOSTS says, which its tests share."""
    with create_hosts(request.module.HOSTS, tmp_path_factory.mktemp("casts")) as hosts:
        yield CastSite(hosts)


@pytest.fixture
async def caster(site: CastSite) -> AsyncIterator[Caster]:
    """Asks for casts; afterwards nothing is left anywhere."""
    async with caster_on(site) as caster:
        yield caster


@pytest.fixture
def browser_host(edge: Edge) -> Host:
    """The host on whose localhost the browser is."""
    return edge.head.host


@pytest.fixture
def chromium(browser_host: Host, chromium: str, tmp_path: Path) -> str:
    """A chromium in that host's network."""
    script = tmp_path / "chromium"
    command = shlex.join(browser_host.in_network([chromium]))
    script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    script.chmod(0o755)
    return str(script)


def _is_at_rest(node: NodeRecord) -> bool:
    return bool(node["state"] == "alive" and node["work"]["status"] == "idle" and node["load"])
