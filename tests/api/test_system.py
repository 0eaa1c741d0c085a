from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from castray.api import feed as feed_module
from castray.core.events import ClusterObserved
from castray.core.status import Answer, parse_health
from castray.core.system_status import SystemStatus
from castray.models import Cluster, ClusterState, NodeSource
from tests.api.waiting import until
from tests.core.given import home_cluster, node

if TYPE_CHECKING:
    import httpx

    from tests.api.conftest import ConnectApi
    from tests.api.memory_backend import MemoryBackend


async def test_the_whole_system_is_told_home_and_external_together(
    registry: MemoryBackend, connect: ConnectApi
) -> None:
    lab = Cluster(id="lab", name="lab", source=NodeSource.EXTERNAL, state=ClusterState.CONNECTED)
    registry.apply(
        ClusterObserved(home_cluster({"CPU": (8, 2)})), ClusterObserved(lab, (node("x1", "lab"),))
    )
    api = await connect()

    answer = await api.get("/api/status")

    status = SystemStatus.model_validate_json(answer.content)
    assert (status.total_nodes, status.active_nodes) == (3, 3)
    assert [(n.id, n.type.value) for n in status.nodes] == [
        ("m1", "home"),
        ("m2", "home"),
        ("x1", "external"),
    ]
    assert status.ray_cluster.cluster_resources == {"CPU": 8.0}
    assert status.ray_cluster.available_resources == {"CPU": 2.0}
    assert status.external.is_connected
    assert status.uptime_s >= 0


async def test_nobody_takes_it_for_a_monitors_answer(api: httpx.AsyncClient) -> None:
    body = (await api.get("/api/status")).json()

    assert body["service"] == "castray"
    assert body.keys() & {"status", "latest_state", "stats"} == set()


async def test_the_up_time_goes_on_while_nothing_changes(api: httpx.AsyncClient) -> None:
    first = (await api.get("/api/status")).json()

    async def is_later() -> bool:
        now = (await api.get("/api/status")).json()
        return bool(now["uptime_s"] > first["uptime_s"] and now["timestamp"] == first["timestamp"])

    await until(is_later)


async def test_health_is_ok_and_names_the_service(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/health")

    assert answer.json() == {"status": "ok", "service": "castray", "reason": None}
    health = parse_health(Answer(answer.status_code, answer.content))
    assert (health.is_castray, health.is_monitor) == (True, False)


async def test_health_can_be_asked_for_its_head_alone(api: httpx.AsyncClient) -> None:
    assert (await api.head("/api/health")).status_code == 200


@pytest.mark.parametrize(
    ("language", "words"), [("en", "has not answered since"), ("zh-CN", "没有响应")]
)
async def test_health_is_degraded_with_the_reason_while_the_registry_is_silent(
    registry: MemoryBackend,
    connect: ConnectApi,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    words: str,
) -> None:
    monkeypatch.setattr(feed_module, "FEED_LOST_AFTER_S", 0.1)
    registry.take_down()
    api = await connect()

    answer = await api.get("/api/health", headers={"accept-language": language})

    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert words in answer.json()["reason"]
