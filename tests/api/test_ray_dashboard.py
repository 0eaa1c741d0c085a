from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from castray.api import feed as feed_module
from castray.core.events import ClusterObserved
from castray.core.ray_dashboard import RayDashboard
from castray.models import WorkStatus
from tests.api.waiting import until
from tests.core.given import home_cluster, reported

if TYPE_CHECKING:
    import httpx

    from tests.api.conftest import ConnectApi
    from tests.api.memory_backend import MemoryBackend

URL = "/api/ray-dashboard"

NUMBER = (int, float, type(None))
TEXT_OR_NULL = (str, type(None))

FIXED_NODE_KEYS: dict[str, Any] = {
    "id": str,
    "name": str,
    "fullName": str,
    "nodeIp": str,
    "nodeId": str,
    "state": str,
    "isHeadNode": bool,
    "cpu": NUMBER,
    "memory": NUMBER,
    "gpu": NUMBER,
    "tasks": list,
    "status": str,
    "stateMessage": str,
    "connectionType": str,
    "workStatus": str,
    "workStatusTimestamp": TEXT_OR_NULL,
    "resources": dict,
}
ADDED_NODE_KEYS: dict[str, Any] = {
    "cluster": str,
    "source": str,
    "workStatusConfirmed": bool,
    "usageKnown": bool,
    "monitor": dict,
}
RESOURCE_KEYS = {"total", "used", "available", "usagePercent"}


async def dashboard(api: httpx.AsyncClient, query: str = "") -> dict[str, Any]:
    answer = await api.get(URL + query)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


async def nodes_of(api: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    return {node["nodeId"]: node for node in (await dashboard(api))["data"]["nodes"]}


async def test_the_keys_that_dashboards_rely_on_are_there_with_their_types(
    registry: MemoryBackend, api: httpx.AsyncClient
) -> None:
    home = home_cluster({"CPU": (8, 4), "memory": (100, 50)}, dashboard_url="http://10.0.0.1:8265")
    registry.apply(reported("m1"), ClusterObserved(home))
    await until(lambda: is_working(api, "m1"))

    body = await dashboard(api)

    assert body["result"] is True
    assert isinstance(body["msg"], str)
    assert isinstance(body["timestamp"], str)
    assert body["data"]["dashboardUrl"] == "http://10.0.0.1:8265"
    for node in body["data"]["nodes"]:
        for key, type_ in {**FIXED_NODE_KEYS, **ADDED_NODE_KEYS}.items():
            assert isinstance(node[key], type_), key
        assert node["resources"].keys() == {"totalCpu", "totalMemory", "totalGpu", "objectStore"}
        assert node["monitor"].keys() == {"reachable", "lastSeen", "error"}
    summary = body["data"]["summary"]
    for key in ("totalNodes", "aliveNodes", "deadNodes", "headNodes"):
        assert isinstance(summary[key], int), key
    assert summary["resources"].keys() == {"cpu", "memory", "gpu", "objectStore"}
    for name, account in summary["resources"].items():
        assert account.keys() >= RESOURCE_KEYS, name
    assert summary["resources"]["memory"].keys() >= {"totalGB", "usedGB"}
    assert summary["resources"]["objectStore"].keys() >= {"totalGB", "usedGB"}


async def is_working(api: httpx.AsyncClient, node_id: str) -> bool:
    return (await nodes_of(api))[node_id]["workStatusConfirmed"] is True


async def test_the_body_is_what_its_document_says(api: httpx.AsyncClient) -> None:
    answer = await api.get(URL)

    RayDashboard.model_validate_json(answer.content)


async def test_a_change_of_one_node_shows_there_and_nowhere_else(
    registry: MemoryBackend, api: httpx.AsyncClient
) -> None:
    before = await nodes_of(api)

    registry.apply(reported("m2", WorkStatus.SENDING, task="frame 7"))

    await until(lambda: is_working(api, "m2"))
    after = await nodes_of(api)
    assert after["m1"] == before["m1"]
    assert (after["m2"]["workStatus"], after["m2"]["tasks"]) == ("sending", ["frame 7"])


@pytest.mark.parametrize("fallback", ["idle", "unknown"])
async def test_a_node_that_nobody_heard_of_has_the_fallback_of_the_settings(
    connect: ConnectApi, fallback: str
) -> None:
    api = await connect(settings={"monitor": {"fallback_status": fallback}})

    node = (await nodes_of(api))["m1"]

    assert (node["workStatus"], node["workStatusConfirmed"]) == (fallback, False)


@pytest.mark.parametrize("query", ["", "?limit=1"])
async def test_who_holds_the_newest_is_told_so_and_nothing_else(
    registry: MemoryBackend, api: httpx.AsyncClient, query: str
) -> None:
    first = await api.get(URL + query)
    held = {"if-none-match": first.headers["etag"]}

    again = await api.get(URL + query, headers=held)

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    registry.apply(reported("m1"))
    await until(lambda: is_working(api, "m1"))
    assert (await api.get(URL + query, headers=held)).status_code == 200


async def test_without_a_page_asked_for_nothing_is_left_out(api: httpx.AsyncClient) -> None:
    whole = await dashboard(api)

    assert len(whole["data"]["nodes"]) == 2
    assert whole["data"]["nextCursor"] is None
    assert (await dashboard(api, "?t=17"))["data"] == whole["data"]


@pytest.mark.parametrize(
    ("query", "location"),
    [("limit=0", "query.limit"), ("limit=all", "query.limit"), ("cursor=abc", "query.cursor")],
)
async def test_a_page_that_makes_no_sense_is_answered_with_the_part_that_does_not(
    api: httpx.AsyncClient, query: str, location: str
) -> None:
    answer = await api.get(f"{URL}?{query}")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["location"] == location


async def test_while_the_registry_is_silent_the_answer_says_unknown(
    registry: MemoryBackend, connect: ConnectApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "FEED_LOST_AFTER_S", 0.2)
    registry.apply(reported("m1"))
    api = await connect()
    before = await api.get(URL)

    registry.take_down()

    held = {"if-none-match": before.headers["etag"]}
    await until(lambda: has_changed(api, held))
    body = await dashboard(api)
    node = body["data"]["nodes"][0]
    assert body["msg"] == "the registry is silent"
    assert (node["workStatusConfirmed"], node["cpu"], node["usageKnown"]) == (False, None, False)
    assert "registry" in node["stateMessage"]


async def has_changed(api: httpx.AsyncClient, held: dict[str, str]) -> bool:
    return (await api.get(URL, headers=held)).status_code == 200


async def test_before_anything_is_known_it_says_that_it_cannot_answer(
    registry: MemoryBackend, connect: ConnectApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "FEED_LOST_AFTER_S", 0.1)
    registry.take_down()
    api = await connect()

    answer = await api.get(URL)

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["type"] == "urn:castray:problem:registry-unavailable"
