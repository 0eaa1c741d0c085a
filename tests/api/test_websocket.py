from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from castray.api.auth import AccessPolicy
from castray.api.websocket import MAX_MESSAGE_CHARS
from castray.changes import Changes
from castray.core.ray_dashboard import ClusterStatus
from castray.models import WorkStatus
from tests.core.given import reported
from tests.page.server import PageServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from websockets.asyncio.client import ClientConnection

    from tests.api.memory_backend import MemoryBackend


@pytest.fixture
def access() -> AccessPolicy:
    return AccessPolicy()


@pytest.fixture
async def url(registry: MemoryBackend, access: AccessPolicy) -> AsyncIterator[str]:
    server = PageServer(registry, access)
    await server.start()
    yield server.url.replace("http://", "ws://") + "/ws"
    await server.stop()


async def next_of(socket: ClientConnection, *types: str) -> dict[str, Any]:
    """The next message of one of these types."""
    while True:
        message: dict[str, Any] = json.loads(await socket.recv())
        if message["type"] in types:
            return message


async def said_error(socket: ClientConnection, text: str | bytes) -> dict[str, Any]:
    await socket.send(text)
    problem: dict[str, Any] = (await next_of(socket, "error"))["data"]
    return problem


async def test_an_old_client_is_sent_the_whole_cluster_and_what_changes(
    registry: MemoryBackend, url: str
) -> None:
    async with connect(url) as socket:
        first = await next_of(socket, "cluster_status")
        registry.apply(reported("m2", WorkStatus.SENDING))
        second = await next_of(socket, "cluster_status")

    assert first["data"].keys() == {"nodes", "summary"}
    assert [n["workStatus"] for n in first["data"]["nodes"]] == ["idle", "idle"]
    status = ClusterStatus.model_validate(second["data"])
    assert [n.work_status for n in status.nodes] == ["idle", "sending"]


@pytest.mark.parametrize("query", ["", "?mode=classic", "?mode=delta"])
async def test_ping_is_answered_with_pong(url: str, query: str) -> None:
    async with connect(url + query) as socket:
        await socket.send("ping")

        while await socket.recv() != "pong":
            continue


async def test_a_snapshot_comes_first_and_then_only_what_changes(
    registry: MemoryBackend, url: str
) -> None:
    async with connect(f"{url}?mode=delta") as socket:
        snapshot = Changes.model_validate((await next_of(socket, "snapshot", "delta"))["data"])
        registry.apply(reported("m2", task="frame 7"))
        delta = Changes.model_validate((await next_of(socket, "snapshot", "delta"))["data"])

    assert (snapshot.since, snapshot.version) == (None, "1.1")
    assert [n.node_id for n in snapshot.nodes.changed] == ["m1", "m2"]
    assert (delta.since, delta.version) == ("1.1", "1.2")
    assert [n.work.current_task for n in delta.nodes.changed] == ["frame 7"]


@pytest.mark.parametrize(
    ("since", "expected"),
    [("1.1", "delta"), ("1.0", "snapshot"), ("7.1", "snapshot"), ("nonsense", "snapshot")],
)
async def test_a_client_that_returns_goes_on_where_it_was(
    url: str, since: str, expected: str
) -> None:
    async with connect(f"{url}?mode=delta&since={since}") as socket:
        assert (await next_of(socket, "snapshot", "delta"))["type"] == expected


@pytest.mark.parametrize(("version", "expected"), [("1.1", "delta"), ("9.9", "snapshot")])
async def test_a_client_that_missed_one_asks_again_from_its_version(
    registry: MemoryBackend, url: str, version: str, expected: str
) -> None:
    async with connect(f"{url}?mode=delta") as socket:
        await next_of(socket, "snapshot")
        registry.apply(reported("m2"))
        await next_of(socket, "delta")

        await socket.send(json.dumps({"type": "resume", "data": {"version": version}}))

        answer = await next_of(socket, "snapshot", "delta")
        assert (answer["type"], answer["data"]["version"]) == (expected, "1.2")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[" * MAX_MESSAGE_CHARS,
        '{"type": "dance", "data": {}}',
        '{"type": "resume"}',
        '{"type": "resume", "data": {"version": "x"}}',
        '{"type": "resume", "data": {"version": 1.1}}',
        b"bytes",
        "x" * (MAX_MESSAGE_CHARS + 1),
    ],
    ids=range(10),
)
async def test_what_is_not_understood_is_answered_and_the_socket_stays(
    registry: MemoryBackend, url: str, text: str | bytes
) -> None:
    async with connect(f"{url}?mode=delta") as socket:
        await next_of(socket, "snapshot")

        problem = await said_error(socket, text)

        assert problem["type"].startswith("urn:castray:problem:")
        assert problem["status"] in (413, 422)
        registry.apply(reported("m2"))
        await next_of(socket, "delta")


async def test_an_old_client_cannot_resume_and_is_told_so(url: str) -> None:
    async with connect(url) as socket:
        problem = await said_error(socket, '{"type": "resume", "data": {"version": "1.1"}}')

    assert "mode=delta" in problem["detail"]


async def test_errors_are_told_in_the_clients_language(url: str) -> None:
    async with connect(url, additional_headers={"Accept-Language": "zh"}) as socket:
        problem = await said_error(socket, "?")

    assert problem["title"] == "请求无效"


async def test_who_floods_is_shown_out(url: str) -> None:
    async def ping_for_ever(socket: ClientConnection) -> None:
        while True:
            await socket.send("ping")
            await socket.recv()

    async with connect(url) as socket:
        with pytest.raises(ConnectionClosed) as caught:
            await ping_for_ever(socket)

    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1008


async def test_an_unknown_mode_is_refused(url: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await connect(f"{url}?mode=fast")

    assert caught.value.response.status_code == 403


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}]
)
async def test_a_foreign_host_or_origin_gets_no_socket(url: str, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await connect(url, additional_headers=headers)

    assert caught.value.response.status_code == 403


@pytest.mark.parametrize("access", [AccessPolicy(token="full", viewer_token="look")])
async def test_a_socket_needs_a_token_where_everything_does(url: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await connect(url)
    assert caught.value.response.status_code == 401

    for token in ("full", "look"):
        async with connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as socket:
            await next_of(socket, "cluster_status")


@pytest.mark.parametrize("access", [AccessPolicy(token="full")])
async def test_the_page_opens_its_socket_with_its_cookie(url: str, access: AccessPolicy) -> None:
    cookie = {"Cookie": f"castray_session={access.session_value('full')}"}
    own = url.removeprefix("ws://").removesuffix("/ws")

    async with connect(url, origin=Origin(f"http://{own}"), additional_headers=cookie) as socket:
        await next_of(socket, "cluster_status")
    with pytest.raises(InvalidStatus):
        await connect(url, origin=Origin("https://evil.example"), additional_headers=cookie)
