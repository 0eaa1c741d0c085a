from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from castray.core.events import ClusterObserved
from castray.models import Cluster, ClusterState, Node, NodeSource, WorkStatus
from tests.core.given import members, node, node_facts, reported

if TYPE_CHECKING:
    import httpx

    from tests.api.conftest import ConnectApi
    from tests.api.memory_backend import MemoryBackend

LAB = Cluster(id="lab", name="lab", source=NodeSource.EXTERNAL, state=ClusterState.CONNECTED)


async def page_of(api: httpx.AsyncClient, query: str = "") -> dict[str, Any]:
    answer = await api.get(f"/api/nodes{query}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def ids_of(api: httpx.AsyncClient, query: str) -> list[str]:
    return [n["node_id"] for n in (await page_of(api, query))["nodes"]]


async def test_every_node_is_told_as_its_own_record(api: httpx.AsyncClient) -> None:
    body = await page_of(api)

    assert (body["total"], body["next_cursor"], body["version"]) == (2, None, "1.1")
    first = Node.model_validate(body["nodes"][0])
    assert (first.key, first.work.status) == ("home/m1", WorkStatus.UNKNOWN)


async def test_nodes_are_filtered_by_cluster_and_by_status(
    registry: MemoryBackend, connect: ConnectApi
) -> None:
    registry.apply(
        members("m1", "m2", node_facts("m3", alive=False)),
        reported("m2", WorkStatus.SENDING),
        ClusterObserved(LAB, (node("x1", "lab"),)),
    )
    api = await connect()

    assert await ids_of(api, "?cluster=lab") == ["x1"]
    assert await ids_of(api, "?cluster=home") == ["m1", "m2", "m3"]
    assert await ids_of(api, "?status=sending") == ["m2"]
    assert await ids_of(api, "?status=dead") == ["m3"]
    assert await ids_of(api, "?status=unknown&cluster=home") == ["m1", "m3"]
    assert await ids_of(api, "?cluster=nowhere") == []


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ("limit=0", "query.limit"),
        ("limit=many", "query.limit"),
        ("status=tired", "query.status"),
        ("cursor=%FF", "query.cursor"),
        ("cursor=abc", "query.cursor"),
    ],
)
async def test_a_question_that_makes_no_sense_is_answered_with_the_part_that_does_not(
    api: httpx.AsyncClient, query: str, location: str
) -> None:
    answer = await api.get(f"/api/nodes?{query}")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["location"].startswith(location)


@pytest.mark.parametrize("name", ["m1", "M1", "home/m1"])
async def test_one_node_is_told_by_id_name_or_key(api: httpx.AsyncClient, name: str) -> None:
    answer = await api.get(f"/api/nodes/{name}")

    assert answer.status_code == 200
    assert Node.model_validate_json(answer.content).key == "home/m1"


async def test_a_node_that_is_not_there_is_not_found(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/nodes/m9", headers={"accept-language": "zh"})

    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("没有名为 m9 的节点")


async def test_a_name_of_several_nodes_is_answered_with_their_keys(
    registry: MemoryBackend, connect: ConnectApi
) -> None:
    registry.apply(ClusterObserved(LAB, (node("x1", "lab", name="M1"),)))
    api = await connect()

    answer = await api.get("/api/nodes/M1")

    assert answer.status_code == 409
    assert answer.json()["candidates"] == ["home/m1", "lab/x1"]
    for key in answer.json()["candidates"]:
        assert (await api.get(f"/api/nodes/{key}")).json()["key"] == key


@pytest.mark.parametrize("path", ["/api/nodes", "/api/nodes/m1"])
async def test_who_holds_the_newest_is_told_so(api: httpx.AsyncClient, path: str) -> None:
    tag = (await api.get(path)).headers["etag"]

    assert (await api.get(path, headers={"if-none-match": tag})).status_code == 304
