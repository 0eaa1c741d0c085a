from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from castray.core.events import ClusterForgotten
from castray.errors import (
    AddressRefusedError,
    BadAnswerError,
    CastRayError,
    ClusterUnreachableError,
    InvalidRequestError,
    NotARayDashboardError,
    NotFoundError,
    TokenMissingError,
)
from tests.cli.given import BLUE, LOCKED, REPORT, blue_and_locked

if TYPE_CHECKING:
    import httpx

    from castray.discovery.source import DiscoveryReport
    from tests.api.memory_backend import MemoryBackend

DISCOVER = "/api/cluster/discover-external"
CONNECT = "/api/cluster/connect-external"
DISCONNECT = "/api/cluster/disconnect-external"


async def test_a_discovery_says_what_it_found_and_which_cluster_wants_a_token(
    api: httpx.AsyncClient, registry: MemoryBackend
) -> None:
    async def discover(all_nodes: bool) -> DiscoveryReport:
        registry.apply(*blue_and_locked())
        return REPORT

    registry.on_discover = discover

    english = (await api.post(DISCOVER)).json()
    chinese = (await api.post(DISCOVER, headers={"Accept-Language": "zh"})).json()

    assert english["success"] is True
    assert english["discovered_clusters"][0] == {
        "nodes": 2,
        "dashboard_url": BLUE.dashboard_url,
        "resources": {"CPU": 8.0},
    }
    assert english["message"].startswith("Found 2 external cluster(s); 1 of them connected.")
    for message in (english["message"], chinese["message"]):
        assert str(LOCKED.dashboard_url) in message
    assert "令牌" in chinese["message"]
    assert [source["name"] for source in english["sources"]] == ["dashboard_scan"]


async def test_connecting_answers_once_the_cluster_is_shown(
    api: httpx.AsyncClient, registry: MemoryBackend
) -> None:
    async def connect(address: str, name: str | None, token: str | None) -> str:
        registry.apply(*blue_and_locked())
        return BLUE.id

    registry.on_connect = connect

    answer = await api.post(CONNECT, json={"cluster_address": "127.0.0.1:8266", "token": "secret"})
    shown = await api.get(f"/api/clusters/{BLUE.id}")
    listed = (await api.get("/api/clusters")).json()["clusters"]

    assert answer.status_code == 200
    assert answer.json()["cluster"] == BLUE.id
    assert "secret" not in answer.text
    assert shown.json()["state"] == "connected"
    assert {cluster["id"] for cluster in listed} == {BLUE.id, LOCKED.id}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ClusterUnreachableError("x:1", "cannot be reached."), 502),
        (NotARayDashboardError("x:1", "is no dashboard."), 422),
        (BadAnswerError("x:1", "makes no sense."), 422),
        (TokenMissingError("x:1", "wants a token."), 422),
        (AddressRefusedError("x:1", "is refused."), 403),
        (InvalidRequestError("That is home."), 422),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_a_refused_connection_says_which_check_failed(
    api: httpx.AsyncClient, registry: MemoryBackend, error: CastRayError, status: int
) -> None:
    async def connect(address: str, name: str | None, token: str | None) -> str:
        raise error

    registry.on_connect = connect

    answer = await api.post(CONNECT, json={"cluster_address": "x:1"})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == str(error)


async def test_disconnecting_answers_once_the_cluster_is_gone(
    api: httpx.AsyncClient, registry: MemoryBackend
) -> None:
    async def disconnect(cluster: str | None, address: str | None) -> list[str]:
        if cluster != BLUE.id:
            raise NotFoundError("connected cluster", cluster or "")
        registry.apply(ClusterForgotten(BLUE.id))
        return [BLUE.id]

    registry.on_disconnect = disconnect
    registry.apply(*blue_and_locked())

    answer = await api.delete(DISCONNECT, params={"cluster": BLUE.id})
    gone = await api.get(f"/api/clusters/{BLUE.id}")
    again = await api.delete(DISCONNECT, params={"cluster": "other"})

    assert answer.json()["clusters"] == [BLUE.id]
    assert gone.status_code == 404
    assert again.status_code == 404


async def test_without_a_connected_cluster_the_reads_say_so(api: httpx.AsyncClient) -> None:
    info = (await api.get("/api/cluster/external-info")).json()
    nodes = (await api.get("/api/nodes/external")).json()

    assert info == {
        "is_connected": False,
        "external_nodes": {},
        "connected_cluster": None,
        "connected_clusters": [],
    }
    assert nodes == {"success": True, "external_nodes": [], "count": 0}
