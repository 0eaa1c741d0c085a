"""Outposts on a real cluster of another release of Ray, on hosts that have nothing of ours."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from castray.models import IfExists
from castray.transfer.agent_link import OfferOrder, ReceiveOrder
from castray.transfer.hashing import choose_algorithm
from castray.transfer.http_link import HttpAgentLink
from castray.transfer.peer import PeerAddress
from tests.hosts import REPOSITORY, RayCluster, bare_ray, create_hosts
from tests.system.client import Client, report_status, wait_until
from tests.system.conftest import CONTRACT_MONITOR
from tests.system.foreign import ask, connect, fetch_cluster, settled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.hosts import Host

pytestmark = pytest.mark.timeout(600)

RELEASE = "2.52.1"

START_S = 180.0

INSTALLED_WITHIN_S = 90.0

DISCONNECT = "/api/cluster/disconnect-external"

OUTPOST = r"^ray::Outpost"

ASK = """
import json, sys, ray
from castray.actors.names import get_handle
ray.init(address="auto", namespace="castray", log_to_driver=False)
connector = get_handle("ClusterConnector")
address = ray.get(connector.outpost_agent.remote(*sys.argv[1:]))
print("ADDRESS", json.dumps([address.url, address.key]))
"""


class Lab:
    """A home cluster of one host, and an older cluster of two hosts that never had our code.

    Attributes:
        home: The host with CastRay.
        head: The head of the other cluster.
        worker: Its worker.
    """

    def __init__(self, hosts: list[Host]) -> None:
        self.home, self.head, self.worker = hosts
        ray = bare_ray(RELEASE)
        script = str(shutil.copy(CONTRACT_MONITOR, self.home.directory))
        python = str(Path(sys.executable).resolve())
        for host in (self.head, self.worker):
            host.hide(REPOSITORY)
            host.start([python, script, "8000"]).wait_for_output("listening")
        RayCluster(self.home, labels={"castray.io/name": "home"})
        self.ray = RayCluster(self.head, dashboard_host="0.0.0.0", ray=ray, resources={"L1": 1})
        self.start_worker()
        self.ray.wait_for_nodes(self.head, self.worker, timeout_s=START_S)
        serve = ["serve", "run", "--address", f"{self.home.address}:6379", "castray.serve_app"]
        self.home.start(serve).wait_for_output("is ready at", START_S)

    @property
    def hosts(self) -> tuple[Host, Host]:
        return self.head, self.worker

    def start_worker(self) -> None:
        """Start the Ray node L2."""
        self.ray.start_worker(self.worker, ray=bare_ray(RELEASE), resources={"L2": 1})

    def agent(self, cluster: str, node_id: str) -> HttpAgentLink:
        """The agent of an external node, as CastRay hands it out."""
        command = ["python", "-c", ASK, cluster, node_id]
        output = self.home.run(command, timeout_s=INSTALLED_WITHIN_S)
        url, key = json.loads(output.rpartition("ADDRESS ")[2])
        return HttpAgentLink(url, key)


@pytest.fixture(scope="module")
def lab(can_make_hosts: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The clusters that the tests share; each leaves them disconnected."""
    with create_hosts(3, tmp_path_factory.mktemp("lab")) as hosts:
        yield Lab(hosts)


@pytest.fixture
async def castray(lab: Lab) -> AsyncIterator[Client]:
    """A client on the home cluster's head, when nothing external is connected."""
    async with lab.home.http() as http:
        client = Client(http, "http://localhost:8000")
        await wait_until(lambda: ask(client, "DELETE", DISCONNECT), lambda a: a[0] == 200, 60)
        yield client
        await ask(client, "DELETE", DISCONNECT)


@pytest.fixture
async def cluster(lab: Lab, castray: Client) -> str:
    """The other cluster, connected; there is no outpost on it yet."""
    cluster = await connect(castray, f"{lab.head.address}:8265")
    await settled(castray, cluster, "connected", 20)
    assert all(host.pids(OUTPOST) == [] for host in lab.hosts)
    return cluster


async def test_an_outpost_is_installed_when_it_is_needed_and_nothing_of_it_stays(
    lab: Lab, castray: Client, cluster: str
) -> None:
    before = {host: listening(host) for host in lab.hosts}
    nodes = await castray.fetch_nodes()

    link = lab.agent(cluster, nodes["L2"]["node_id"])
    facts = await link.facts()
    with_outpost = {host: listening(host) for host in lab.hosts}
    status, _ = await ask(castray, "DELETE", DISCONNECT)

    assert facts.algorithms == ("blake3", "sha256")
    assert facts.roots == ("/tmp/home/castray",)
    assert link.url.startswith(f"http://{lab.worker.address}:289")
    assert all(with_outpost[host] > before[host] for host in lab.hosts)
    assert status == 200
    await wait_until(
        lambda: left_behind(lab), lambda left: left == [], 20
    )
    await wait_until(
        lambda: in_thread(lambda: {host: listening(host) for host in lab.hosts}),
        lambda ports: ports == before,
        20,
    )
    assert await fetch_actors(lab) == []
    assert await fetch_jobs(lab) == []


def listening(host: Host) -> set[int]:
    """The TCP ports between 28900 and 28999 on which something of the host listens."""
    rows = host.run(["cat", "/proc/net/tcp"]).splitlines()[1:]
    ports = [int(row.split()[1].rpartition(":")[2], 16) for row in rows if row.split()[3] == "0A"]
    return {port for port in ports if 28900 <= port <= 28999}


async def left_behind(lab: Lab) -> list[int]:
    return [pid for host in lab.hosts for pid in host.pids(OUTPOST)]


async def in_thread(work: Any) -> Any:
    return await asyncio.to_thread(work)


async def fetch_actors(lab: Lab) -> list[dict[str, Any]]:
    """The living actors of the other cluster."""
    path = "/api/v0/actors?detail=true&filter_keys=state&filter_predicates=%3D&filter_values=ALIVE"
    async with lab.home.http() as http, http.get(f"http://{lab.head.address}:8265{path}") as answer:
        return list((await answer.json())["data"]["result"]["result"])


async def fetch_jobs(lab: Lab) -> list[dict[str, Any]]:
    """The jobs that somebody submitted to the other cluster and that it still lists."""
    url = f"http://{lab.head.address}:8265/api/jobs/"
    async with lab.home.http() as http, http.get(url) as answer:
        return [job for job in await answer.json() if job["submission_id"]]
