"""External clusters, real ones: found, connected, lost and back, with home untouched."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.hosts import bare_ray, create_hosts
from tests.hosts.ray_cluster import RayCluster
from tests.system.client import Client, report_status, wait_until
from tests.system.foreign import (
    LOCKED_TOKEN,
    Foreign,
    ask,
    connect,
    fetch_cluster,
    settled,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.hosts import Host, HostProcess
    from tests.system.client import NodeRecord

pytestmark = pytest.mark.timeout(600)

FAULTY_DASHBOARD = Path(__file__).with_name("faulty_dashboard.py")
FAULTY_PORT = 8299

LOST_WITHIN_S = 5.0
BACK_WITHIN_S = 20.0
"""The longest pause between two tries is 10 s."""

MEASURED_WITHIN_S = 12.0
"""A dashboard measures its nodes every 5 s."""

RESTORED_WITHIN_S = 5.0

CONNECTS = 50

DISCOVER = "/api/cluster/discover-external"
DISCONNECT = "/api/cluster/disconnect-external"

CURL_LINES = {
    "discover": "curl -X POST http://localhost:8000/api/cluster/discover-external",
    "connect": """curl -X POST http://localhost:8000/api/cluster/connect-external \\
  -H "Content-Type: application/json" \\
  -d '{"cluster_address": "127.0.0.1:8266"}'""",
    "info": "curl http://localhost:8000/api/cluster/external-info",
    "nodes": "curl http://localhost:8000/api/nodes/external",
    "status": "curl http://localhost:8000/api/status",
    "disconnect": "curl -X DELETE http://localhost:8000/api/cluster/disconnect-external",
}
"""As the tutorial has them, but for the port that is ours there."""

BYSTANDERS = """
import os, ray
from ray import serve
from starlette.requests import Request
ray.init(address="auto", namespace="bystander", log_to_driver=False)
@ray.remote(num_cpus=0)
class Counter:
    def __init__(self): self.count = 0
    def add(self):
        self.count += 1
        return os.getpid(), self.count
@serve.deployment(ray_actor_options={"num_cpus": 0})
class Bystander:
    def __call__(self, request: Request): return str(os.getpid())
counter = Counter.options(name="counter", lifetime="detached").remote()
ray.get(counter.add.remote())
serve.run(Bystander.bind(), name="bystander", route_prefix="/bystander")
"""

COUNT = """
import ray
ray.init(address="auto", namespace="bystander", log_to_driver=False)
print("COUNT", *ray.get(ray.get_actor("counter").add.remote()))
"""


@pytest.fixture(scope="module")
def foreign(can_make_hosts: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    """The clusters that the tests share; each leaves them running."""
    with create_hosts(5, tmp_path_factory.mktemp("foreign")) as hosts:
        yield Foreign(hosts)


@pytest.fixture
async def castray(foreign: Foreign) -> AsyncIterator[Client]:
    """A client on the home cluster's head, when nothing external is connected."""
    async with foreign.home.http() as http:
        client = Client(http, "http://localhost:8000")
        await wait_until(lambda: ask(client, "DELETE", DISCONNECT), is_done, 30)
        yield client


async def test_one_discovery_finds_each_cluster_once_and_connects_those_that_it_may(
    castray: Client,
) -> None:
    status, answer = await ask(castray, "POST", DISCOVER)
    again = (await ask(castray, "POST", DISCOVER))[1]
    clusters = (await castray.fetch("/api/clusters"))["clusters"]

    assert status == 200
    found = {cluster["dashboard_url"]: cluster for cluster in answer["discovered_clusters"]}
    blue, green, locked = (f"http://127.0.0.1:{port}" for port in (8266, 8267, 8268))
    assert set(found) == {blue, green, locked}
    assert len(answer["discovered_clusters"]) == 3
    for url, name in ((blue, "blue"), (green, "green")):
        assert found[url]["nodes"] == 1
        assert found[url]["resources"]["CPU"] == 1
        assert found[url]["resources"][name] == 1
    assert found[locked]["nodes"] is None
    assert f"Connect with its token: {locked}." in answer["message"]
    [wanting] = [cluster for cluster in answer["clusters"] if cluster["needs_token"]]
    assert wanting["dashboard_url"] == locked
    assert len(answer["external_nodes"]) == 2
    assert again["external_nodes"] == answer["external_nodes"]
    assert [(c["dashboard_url"], c["state"]) for c in clusters if c["source"] == "external"] == [
        (blue, "connected"),
        (green, "connected"),
        (locked, "found"),
    ]
    assert clusters[-1]["state_reason"]["code"] == "cluster_wants_token"
    [scan] = [source for source in answer["sources"] if source["name"] == "dashboard_scan"]
    assert [rejected["address"] for rejected in scan["rejected"]] == ["http://127.0.0.1:8269"]


def test_every_curl_line_of_the_tutorial_works_as_typed(foreign: Foreign, castray: Client) -> None:
    said = {name: curl(foreign.home, line) for name, line in CURL_LINES.items()}
    all_after = curl(foreign.home, CURL_LINES["info"])

    discovered, connected_, info, nodes, status, disconnected = said.values()
    assert discovered["success"] is True
    assert discovered["message"]
    assert {"nodes", "dashboard_url", "resources"} <= discovered["discovered_clusters"][0].keys()
    for answer in (discovered, connected_):
        for node in answer["external_nodes"].values():
            assert node["address"] == foreign.home.address
            assert node["status"] == "alive"
            assert node["cluster_source"] in {"manual", "dashboard_scan", "temp_dir", "ray_status"}
    assert connected_["success"] is True
    assert info["is_connected"] is True
    assert info["connected_cluster"] == "127.0.0.1:8266"
    for node in info["external_nodes"].values():
        assert {"address", "status", "last_seen"} <= node.keys()
    assert (nodes["success"], nodes["count"]) == (True, 2)
    listed = {"id", "address", "status", "type", "cluster_source", "last_seen"}
    assert all(listed <= node.keys() for node in nodes["external_nodes"])
    assert {node["type"] for node in status["nodes"]} == {"home", "external"}
    assert disconnected["success"] is True
    assert (all_after["is_connected"], all_after["connected_cluster"]) == (False, None)


async def test_a_cluster_with_a_token_is_connected_with_it_and_never_tells_it(
    castray: Client,
) -> None:
    body = {"cluster_address": "127.0.0.1:8268", "token": "wrong"}
    refused = await ask(castray, "POST", "/api/cluster/connect-external", body)
    cluster = await connect(castray, "127.0.0.1:8268", token=LOCKED_TOKEN, name="locked")

    assert refused[0] == 422
    assert "refuses this token" in refused[1]["detail"]
    record = await settled(castray, cluster, "connected", 5)
    assert (record["name"], record["needs_token"], record["node_count"]) == ("locked", True, 1)
    for path in ("/api/clusters", "/api/nodes", "/api/status", "/api/cluster/external-info"):
        assert LOCKED_TOKEN not in str(await castray.fetch(path))


@pytest.mark.parametrize(
    "form", ["{}:8265", "http://{}:8265", "ray://{}:10001", "{}:6379", "gcs://{}:6379"]
)
async def test_every_form_of_address_leads_to_the_same_cluster(
    foreign: Foreign, castray: Client, form: str
) -> None:
    address = form.format(foreign.north_hosts[0].address)

    cluster = await connect(castray, address)

    record = await settled(castray, cluster, "connected", 5)
    assert record["dashboard_url"] == f"http://{foreign.north_hosts[0].address}:8265"
    assert record["address"] == address
    assert record["node_count"] == 2


async def test_two_clusters_stand_beside_home_measured_and_with_their_work(
    foreign: Foreign, castray: Client
) -> None:
    for cluster in (foreign.north, foreign.south):
        await connect(castray, f"{cluster.head.address}:8265")
    names = {"north-head", "north-worker", "south-head", "south-worker"}
    for name in names:
        await castray.wait_for_node(name, lambda node: node["load"] is not None, 20)
    _, worker = foreign.north_hosts

    seen = []
    for status in ("detecting", "sending", "idle"):
        await report_status(worker, 8000, status, "camera 3")
        seen.append(await castray.wait_for_status("north-worker", status))
    nodes = await castray.fetch_nodes()
    classic = await castray.fetch_dashboard_nodes()

    assert set(nodes) == {"home", *names}
    for name in names:
        assert nodes[name]["source"] == "external"
        assert nodes[name]["load"]["cpu_percent"] >= 0
        assert nodes[name]["load"]["memory_percent"] > 0
        assert nodes[name]["monitor"]["reachable"] is True
        assert classic[name]["usageKnown"] is True
        assert classic[name]["source"] == "external"
    assert {node["work"]["current_task"] for node in seen} == {"camera 3"}
    assert nodes["south-worker"]["work"]["status"] == "idle"
    assert nodes["home"]["source"] == "home"


async def test_a_cut_link_is_told_in_seconds_delays_nobody_and_heals_by_itself(
    foreign: Foreign, castray: Client
) -> None:
    south, _ = await connect_both(foreign, castray)
    before = await fetch_cluster(castray, south)

    foreign.south.head.cut()
    try:
        lost = await settled(castray, south, "lost", LOST_WITHIN_S)
        gone = (await castray.fetch_nodes())["south-head"]
        ages = await measure_ages(castray, 15)
    finally:
        foreign.south.head.heal()
    back = await settled(castray, south, "connected", BACK_WITHIN_S)

    assert lost["state_reason"]["code"] == "cluster_lost"
    assert lost["last_seen"] is not None
    assert gone["state"] == "stale"
    assert gone["load"] is None
    assert max(ages) < MEASURED_WITHIN_S
    assert back["session_name"] == before["session_name"]


async def test_a_killed_head_is_told_in_seconds_and_its_successor_is_a_new_cluster(
    foreign: Foreign, castray: Client
) -> None:
    south, _ = await connect_both(foreign, castray)

    foreign.kill_south()
    lost = await settled(castray, south, "lost", LOST_WITHIN_S)
    foreign.start_south()
    [successor] = await wait_until(
        lambda: connected_at(castray, lost["dashboard_url"]), lambda found: len(found) == 1, 30
    )
    nodes = await wait_until(
        castray.fetch_nodes, lambda nodes: "south-worker" in nodes, BACK_WITHIN_S
    )

    assert "cannot be reached" in lost["state_reason"]["detail"]
    assert successor["id"] != south
    assert successor["address"] == lost["address"]
    assert (await ask(castray, "GET", f"/api/clusters/{south}"))[0] == 404
    assert {nodes[name]["cluster"] for name in ("south-head", "south-worker")} == {successor["id"]}


@pytest.fixture
def faulty(foreign: Foreign) -> Iterator[HostProcess]:
    """A dashboard on a host of the south that misbehaves when it is told to."""
    host = foreign.south_hosts[1]
    command = [str(Path(sys.executable).resolve()), str(FAULTY_DASHBOARD)]
    process = host.start([*command, host.address, str(FAULTY_PORT)])
    process.wait_for_output("listening")
    yield process
    process.stop()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("slow", "no whole answer within"),
        ("huge", "more than"),
        ("redirects", "a redirect"),
        ("broken JSON", "as no Ray does"),
    ],
)
async def test_a_hostile_dashboard_is_told_in_seconds_and_delays_nobody(
    foreign: Foreign, castray: Client, faulty: HostProcess, fault: str, words: str
) -> None:
    north = await connect(castray, f"{foreign.north.head.address}:8265")
    url = f"http://{foreign.south_hosts[1].address}:{FAULTY_PORT}"
    cluster = await connect(castray, url)
    await settled(castray, cluster, "connected", 5)
    await castray.wait_for_node("north-worker", lambda node: node["load"] is not None, 20)

    await misbehave(castray, url, fault)
    lost = await settled(castray, cluster, "lost", LOST_WITHIN_S)
    ages = await measure_ages(castray, 5)
    await misbehave(castray, url, "")
    await settled(castray, cluster, "connected", BACK_WITHIN_S)

    assert words in lost["state_reason"]["detail"]
    assert max(ages) < MEASURED_WITHIN_S
    assert (await fetch_cluster(castray, north))["state"] == "connected"


@pytest.mark.parametrize("actor", ["ClusterConnector", "ClusterRegistry"])
async def test_a_killed_actor_comes_back_to_the_same_clusters_with_the_same_ids(
    foreign: Foreign, castray: Client, actor: str
) -> None:
    await connect_both(foreign, castray)
    await connect(castray, "127.0.0.1:8268", token=LOCKED_TOKEN)
    before = await connected(castray)
    nodes = {name: (n["id"], n["key"]) for name, n in (await castray.fetch_nodes()).items()}
    epoch, killed_at = await epoch_of(castray), datetime.now(timezone.utc)

    foreign.home.kill(f"^ray::{actor}")
    after = await wait_until(
        lambda: connected(castray), lambda seen: seen == before, RESTORED_WITHIN_S
    )
    # What was there before the kill proves nothing.
    await wait_until(
        castray.fetch_nodes,
        lambda seen: all(
            node["last_report"] and heard_at(node) > killed_at for node in seen.values()
        ),
        RESTORED_WITHIN_S + MEASURED_WITHIN_S,
    )

    assert after == before
    seen = await castray.fetch_nodes()
    assert {name: (n["id"], n["key"]) for name, n in seen.items()} == nodes
    assert (await epoch_of(castray) > epoch) == (actor == "ClusterRegistry")


async def test_what_was_disconnected_stays_so_through_restarts_until_it_is_discovered(
    foreign: Foreign, castray: Client
) -> None:
    await ask(castray, "POST", DISCOVER)
    [blue] = await connected_at(castray, "http://127.0.0.1:8266")
    [green] = await connected_at(castray, "http://127.0.0.1:8267")

    await ask(castray, "DELETE", f"{DISCONNECT}?cluster={blue['id']}")
    foreign.home.kill("^ray::ClusterRegistry")
    foreign.home.kill("^ray::ClusterConnector")
    # Only the discovery at the connector's start can tell the new registry of it.
    await settled(castray, blue["id"], "found", 30)
    others = await connected(castray)
    await ask(castray, "POST", DISCOVER)

    assert set(others) == {green["id"]}
    assert set(await connected(castray)) == {green["id"], blue["id"]}


async def test_home_is_untouched_through_fifty_connects_and_disconnects(
    foreign: Foreign, castray: Client
) -> None:
    env = {"RAY_ADDRESS": f"{foreign.home.address}:6379"}
    foreign.home.run(["python", "-c", BYSTANDERS], env=env, timeout_s=120)
    actor = counted(foreign.home, env)
    replica = await fetch_text(castray, "/bystander")
    home = (await castray.fetch_nodes())["home"]

    for _ in range(CONNECTS):
        await connect(castray, "127.0.0.1:8266")
        status, _ = await ask(castray, "DELETE", DISCONNECT)
        assert status == 200

    assert counted(foreign.home, env) == (actor[0], actor[1] + 1)
    assert await fetch_text(castray, "/bystander") == replica
    after = await castray.fetch_nodes()
    assert set(after) == {"home"}
    assert after["home"]["node_id"] == home["node_id"]


async def test_another_release_of_ray_is_observed_through_its_dashboard(
    castray: Client, foreign: Foreign, tmp_path: Path
) -> None:
    host = foreign.home
    ports = foreign.south.ports.shifted(100)
    ports = ports._replace(client=20011)
    RayCluster(host, ports=ports, ray=bare_ray("2.52.1"), resources={"older": 1})

    cluster = await connect(castray, f"127.0.0.1:{ports.dashboard}")

    node = await castray.wait_for_node("older", lambda node: node["load"] is not None, 30)
    record = await wait_until(
        lambda: fetch_cluster(castray, cluster), lambda record: "older" in record["resources"], 30
    )
    assert record["ray_version"] == "2.52.1"
    assert node["load"]["memory_percent"] > 0
    assert record["resources"]["older"]["total"] == 1


def is_done(answer: tuple[int, Any]) -> bool:
    """Whether CastRay could do it: not while an actor of its is coming back."""
    return answer[0] == 200


async def connect_both(foreign: Foreign, castray: Client) -> tuple[str, str]:
    """Connect south and north, and wait until their nodes are measured."""
    south, north = [
        await connect(castray, f"{cluster.head.address}:8265")
        for cluster in (foreign.south, foreign.north)
    ]
    for name in ("south-head", "north-head", "north-worker"):
        await castray.wait_for_node(name, lambda node: node["load"] is not None, 20)
    return south, north


async def connected(castray: Client) -> dict[str, str]:
    """The session name of each connected cluster, by its id."""
    info = await castray.fetch("/api/cluster/external-info")
    return {
        cluster: (await fetch_cluster(castray, cluster))["session_name"]
        for cluster in info["connected_clusters"]
    }


async def connected_at(castray: Client, url: str) -> list[dict[str, Any]]:
    clusters = (await castray.fetch("/api/clusters"))["clusters"]
    return [c for c in clusters if c["state"] == "connected" and c["dashboard_url"] == url]


async def measure_ages(castray: Client, for_s: float) -> list[float]:
    """How old the north's figures were, in seconds, at many moments."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + for_s
    ages = []
    while loop.time() < deadline:
        nodes = await castray.fetch_nodes()
        ages += [
            (datetime.now(timezone.utc) - heard_at(nodes[name])).total_seconds()
            for name in ("north-head", "north-worker")
        ]
        await asyncio.sleep(0.2)
    return ages


async def misbehave(castray: Client, url: str, fault: str) -> None:
    async with castray.http.post(url, data=fault.encode()) as answer:
        assert answer.status == 200


async def epoch_of(castray: Client) -> int:
    """How often the registry was started."""
    version = (await castray.fetch("/api/clusters"))["version"]
    return int(version.partition(".")[0])


def curl(host: Host, line: str) -> Any:
    """The JSON that a line gives, typed on that host."""
    output = host.run(["bash", "-c", f"{line} 2>/dev/null"])
    return json.loads(output)


async def fetch_text(castray: Client, path: str) -> str:
    async with castray.http.get(f"{castray.url}{path}", raise_for_status=True) as answer:
        return await answer.text()


def heard_at(node: NodeRecord) -> datetime:
    return datetime.fromisoformat(node["last_report"].replace("Z", "+00:00"))


def counted(host: Host, env: dict[str, str]) -> tuple[int, int]:
    """The process of the bystander's actor, and how often it was called."""
    output = host.run(["python", "-c", COUNT], env=env)
    pid, count = output.rpartition("COUNT ")[2].split()
    return int(pid), int(count)
