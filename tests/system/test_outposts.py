"""Outposts on a real cluster of another release of Ray, on hosts that have nothing of ours."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from castray.cast_models import IfExists
from castray.errors import PeerError
from castray.transfer.agent_link import OfferOrder, ReceiveOrder
from castray.transfer.hashing import choose_algorithm
from castray.transfer.http_link import HttpAgentLink
from castray.transfer.peer import PeerAddress
from tests.hosts import (
    REPOSITORY,
    SECOND_PORTS,
    CommandFailedError,
    RayCluster,
    bare_ray,
    create_hosts,
)
from tests.system.cast_site import Station
from tests.system.cast_tree import ENTRIES, facts_of, write_tree
from tests.system.client import Client, report_status, wait_until
from tests.system.conftest import CONTRACT_MONITOR
from tests.system.foreign import EVERY_RAY_PROCESS, LOCKED_TOKEN, ask, connect, settled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from castray.transfer.agent_link import AgentFacts, ReceiverReport
    from tests.hosts import Host

pytestmark = pytest.mark.timeout(600)

RELEASE = "2.52.1"

START_S = 180.0

INSTALLED_WITHIN_S = 90.0

DISCONNECT = "/api/cluster/disconnect-external"

OUTPOST = r"^ray::Outpost"

MEMORY_BYTES = 150_000_000
"""The most that an agent may take, whatever it sends and receives."""

ASK = """
import json, sys, ray
from castray.actors.names import get_handle
ray.init(address=sys.argv[1], namespace="castray", log_to_driver=False)
connector = get_handle("ClusterConnector")
address = ray.get(connector.outpost_agent.remote(*sys.argv[2:]))
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
        self.serve()

    def serve(self) -> None:
        """Put CastRay on the home cluster."""
        serve = ["serve", "run", "--address", f"{self.home.address}:6379", "castray.serve_app"]
        self.home.start(serve).wait_for_output("is ready at", START_S)

    @property
    def hosts(self) -> tuple[Host, Host]:
        return self.head, self.worker

    def start_worker(self) -> None:
        """Start the Ray node L2."""
        self.ray.start_worker(self.worker, ray=bare_ray(RELEASE), resources={"L2": 1})

    def start_locked(self) -> None:
        """Start a third cluster, which wants a token, on the machine of the first."""
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": LOCKED_TOKEN}
        RayCluster(self.home, ports=SECOND_PORTS, resources={"locked": 1}, env=token)

    async def agent(self, cluster: str, node_id: str) -> HttpAgentLink:
        """The agent of an external node, as CastRay hands it out."""
        command = ["python", "-c", ASK, f"{self.home.address}:6379", cluster, node_id]
        output = await asyncio.to_thread(self.home.run, command, timeout_s=INSTALLED_WITHIN_S)
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
    # The test before told its outpost to end; Ray ends processes a moment later.
    await wait_until(lambda: processes_of(lab), lambda left: left == [], 20)
    return cluster


async def test_an_outpost_is_installed_when_it_is_needed_and_nothing_of_it_stays(
    lab: Lab, castray: Client, cluster: str
) -> None:
    before = await ports_of(lab)
    nodes = await castray.fetch_nodes()

    link = await lab.agent(cluster, nodes["L2"]["node_id"])
    facts = await link.facts()
    meanwhile = await ports_of(lab)
    status, _ = await ask(castray, "DELETE", DISCONNECT)

    assert facts.algorithms == ("blake3", "sha256")
    assert facts.roots == ("/tmp/home/castray",)
    assert link.url.startswith(f"http://{lab.worker.address}:289")
    assert all(more > less for more, less in zip(meanwhile, before, strict=True))
    assert status == 200
    await wait_until(lambda: processes_of(lab), lambda left: left == [], 20)
    await wait_until(lambda: ports_of(lab), lambda ports: ports == before, 20)
    assert await fetch_actors(lab) == []
    assert await fetch_jobs(lab) == []


async def test_nobody_reads_the_key_on_the_other_cluster(
    lab: Lab, castray: Client, cluster: str
) -> None:
    nodes = await castray.fetch_nodes()

    link = await lab.agent(cluster, nodes["L1"]["node_id"])

    told = json.dumps([await fetch_actors(lab), await fetch_jobs(lab), nodes])
    told += "".join(host.run(["ps", "axeww"]) for host in lab.hosts)
    found = [
        host.run(["sh", "-c", f"grep -rlF {link.key} /tmp/ray /tmp/home /dev/shm || true"]).strip()
        for host in lab.hosts
    ]
    assert link.key not in told
    assert found == ["", ""]


async def test_work_is_seen_that_only_its_own_node_can_see(
    lab: Lab, castray: Client, cluster: str
) -> None:
    before = await castray.wait_for_node(
        "L2", lambda node: node["work"]["reason"]["code"] != "not_reported_yet", 20
    )
    await lab.agent(cluster, before["node_id"])

    seen = []
    for status in ("detecting", "sending", "idle"):
        for host in lab.hosts:
            await report_status(host, 8000, status, f"on {host.name}")
        seen += [await castray.wait_for_status(name, status) for name in ("L1", "L2")]

    assert before["work"]["reason"]["code"] == "no_monitor"
    assert {node["work"]["current_task"] for node in seen} == {"on h2", "on h3"}
    assert all(node["monitor"]["reachable"] for node in seen)
    assert all(node["load"]["memory_total_bytes"] > 0 for node in seen)
    first = (await castray.fetch_nodes())["L2"]["load"]["measured_at"]
    await castray.wait_for_node("L2", lambda node: node["load"]["measured_at"] != first, 3)


async def test_a_restarted_connector_finds_the_same_outpost_again(
    lab: Lab, castray: Client, cluster: str
) -> None:
    node_id = (await castray.fetch_nodes())["L2"]["node_id"]
    link = await lab.agent(cluster, node_id)
    before = await link.facts()

    lab.home.kill("^ray::ClusterConnector")
    await report_status(lab.worker, 8000, "sending")
    await castray.wait_for_status("L2", "sending", 20)
    again = await lab.agent(cluster, node_id)

    assert again == link
    assert await again.facts() == before
    await report_status(lab.worker, 8000, "idle")


async def test_what_is_killed_there_comes_back_by_itself(
    lab: Lab, castray: Client, cluster: str
) -> None:
    node_id = (await castray.fetch_nodes())["L2"]["node_id"]
    link = await lab.agent(cluster, node_id)
    before = await link.facts()

    lab.worker.kill("^ray::OutpostAgent")
    lab.head.kill("^ray::OutpostWarden")
    after = await wait_until(lambda: agent_facts(lab, cluster, node_id), bool, 60)

    assert after is not None
    assert after.incarnation != before.incarnation
    assert len(lab.worker.pids(OUTPOST)) == 1


async def test_a_node_that_joins_has_an_agent_and_one_that_went_has_none(
    lab: Lab, castray: Client, cluster: str
) -> None:
    first = (await castray.fetch_nodes())["L2"]["node_id"]
    await lab.agent(cluster, first)

    lab.worker.kill(EVERY_RAY_PROCESS)
    await castray.wait_for_node("L2", lambda node: bool(node["state"] == "dead"), 60)
    lab.start_worker()
    second = await castray.wait_for_node("L2", lambda node: node["node_id"] != first, 90)
    await lab.agent(cluster, second["node_id"])
    await report_status(lab.worker, 8000, "detecting")

    await castray.wait_for_status("L2", "detecting", 20)
    assert len(lab.worker.pids(OUTPOST)) == 1
    await report_status(lab.worker, 8000, "idle")


async def test_a_file_goes_from_one_outpost_agent_to_another(
    lab: Lab, castray: Client, cluster: str
) -> None:
    nodes = await castray.fetch_nodes()
    source, target = [await lab.agent(cluster, nodes[name]["node_id"]) for name in ("L1", "L2")]
    size = 64 << 20
    make_file(lab.head, "起点.bin", size)
    algorithm = choose_algorithm([(await link.facts()).algorithms for link in (source, target)])
    secret = secrets.token_hex(32)

    offered = await source.offer(
        OfferOrder(
            cast_id="c1", secret=secret, path="起点.bin", algorithm=algorithm, is_chained=True
        )
    )
    port = (await source.facts()).port
    peer = PeerAddress("L1", lab.head.address, port, is_source=True)
    await target.receive(
        ReceiveOrder(
            cast_id="c1",
            secret=secret,
            me="L2",
            destination="there/",
            if_exists=IfExists.FAIL,
            peers=(peer,),
        )
    )
    [report] = await wait_until(
        lambda: reports_of(target), lambda found: found[0].state != "running", 60
    )

    assert offered.bytes_total == size
    assert (report.state, report.error, report.bytes_done) == ("completed", None, size)
    assert sum_of(lab.worker, "there/起点.bin") == sum_of(lab.head, "起点.bin")


async def test_everything_is_cast_to_another_cluster_and_back(
    lab: Lab, castray: Client, cluster: str
) -> None:
    stations = [Station(host, host.name) for host in (lab.home, *lab.hosts)]
    home, *others = stations
    write_tree(home.root / "tree 树")
    sent = facts_of(home.root / "tree 树")

    away = await cast(castray, "home", "tree 树", "in/", ["L1", "L2"])
    there = [facts_of(station.root / "in" / "tree 树") for station in others]
    home.clear()
    back = await cast(castray, "L2", "in/tree 树", "back/", ["home"])
    returned = facts_of(home.root / "back" / "tree 树")
    memory = [memory_of(pid) for pid in await processes_of(lab)]
    for station in stations:
        station.clear()

    assert (away["state"], back["state"]) == ("completed", "completed"), [away, back]
    assert len(sent) == ENTRIES
    assert there == [sent, sent]
    assert returned == sent
    assert max(memory) <= MEMORY_BYTES


async def test_a_cluster_with_a_token_on_our_own_machine_has_its_outpost_beside_ours(
    lab: Lab, castray: Client
) -> None:
    lab.start_locked()
    locked = await connect(castray, "127.0.0.1:8266", token=LOCKED_TOKEN)
    node = await castray.wait_for_node("locked", lambda node: bool(node["load"]), 20)

    link = await lab.agent(locked, node["node_id"])
    facts = await link.facts()
    status, _ = await ask(castray, "DELETE", DISCONNECT)

    assert facts.algorithms == ("blake3", "sha256")
    assert status == 200
    await wait_until(lambda: pids(lab.home), lambda left: left == [], 20)


async def cast(
    castray: Client, source: str, path: str, destination: str, targets: list[str]
) -> dict[str, Any]:
    """Cast something, and wait for the end."""
    request = {
        "source": {"node": source, "path": path},
        "destination": destination,
        "targets": targets,
    }
    status, begun = await ask(castray, "POST", "/api/casts", request)
    assert status == 202, begun
    ended: dict[str, Any] = await wait_until(
        lambda: castray.fetch(f"/api/casts/{begun['id']}"),
        lambda now: now["ended"] is not None,
        INSTALLED_WITHIN_S,
    )
    return ended


async def test_taking_castray_off_takes_its_outpost_off_and_forgets_no_cluster(lab: Lab) -> None:
    """The last test: it takes CastRay from those before it."""
    async with lab.home.http() as http:
        client = Client(http, "http://localhost:8000")
        cluster = await connect(client, f"{lab.head.address}:8265")
        await settled(client, cluster, "connected", 20)
        await lab.agent(cluster, (await client.fetch_nodes())["L2"]["node_id"])

        down = ["castray", "down", "--address", f"{lab.home.address}:6379"]
        said = await asyncio.to_thread(lab.home.run, down, timeout_s=INSTALLED_WITHIN_S)

        assert "CastRay was removed" in said
        await wait_until(lambda: processes_of(lab), lambda left: left == [], 20)
        assert await fetch_actors(lab) == []
        assert await fetch_jobs(lab) == []

        await asyncio.to_thread(lab.serve)
        await settled(client, cluster, "connected", 60)
        assert await processes_of(lab) == []


def make_file(host: Host, path: str, size_bytes: int) -> None:
    """Put a file with bytes of no pattern beneath the host's root."""
    place = "/tmp/home/castray"
    script = f'mkdir -p {place}; head -c {size_bytes} /dev/urandom > "{place}/{path}"'
    host.run(["sh", "-c", script])


def memory_of(pid: int) -> int:
    return int(psutil.Process(pid).memory_full_info().pss)


def sum_of(host: Host, path: str) -> str:
    return host.run(["sha256sum", f"/tmp/home/castray/{path}"]).split()[0]


async def pids(host: Host) -> list[int]:
    return host.pids(OUTPOST)


async def agent_facts(lab: Lab, cluster: str, node_id: str) -> AgentFacts | None:
    """What an agent is, or None while it does not answer."""
    try:
        return await (await lab.agent(cluster, node_id)).facts()
    except (PeerError, CommandFailedError):
        return None


async def reports_of(link: HttpAgentLink) -> tuple[ReceiverReport, ...]:
    return (await link.reports(-1, 0)).receivers


async def ports_of(lab: Lab) -> list[set[int]]:
    """Where something of each host listens, of the ports that ours take."""
    return await asyncio.to_thread(lambda: [listening(host) for host in lab.hosts])


async def processes_of(lab: Lab) -> list[int]:
    """The processes of an outpost."""
    return [pid for host in lab.hosts for pid in host.pids(OUTPOST)]


def listening(host: Host) -> set[int]:
    """The TCP ports between 28900 and 28999 on which something of the host listens."""
    rows = host.run(["cat", "/proc/net/tcp"]).splitlines()[1:]
    ports = [int(row.split()[1].rpartition(":")[2], 16) for row in rows if row.split()[3] == "0A"]
    return {port for port in ports if 28900 <= port <= 28999}


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
