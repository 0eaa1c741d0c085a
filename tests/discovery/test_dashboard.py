from __future__ import annotations

import asyncio
import gzip
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from castray.discovery.address import Endpoint, parse_address
from castray.discovery.dashboard import Dashboard
from castray.discovery.dashboard_http import MAX_BODY_BYTES
from castray.errors import (
    AddressRefusedError,
    AnswerTooLargeError,
    BadAnswerError,
    ClusterRedirectsError,
    ClusterTooSlowError,
    ClusterUnreachableError,
    ExternalClusterError,
    NotARayDashboardError,
    TokenMissingError,
    TokenRefusedError,
)
from tests.discovery.server import RecordedDashboard, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.discovery.server import Handler

VERSIONS = pytest.mark.parametrize("version", ["2.60.0", "2.52.1"])


@asynccontextmanager
async def opened(
    url: str, *, token: str | None = None, timeout_s: float = 3.0
) -> AsyncIterator[Dashboard]:
    dashboard = await Dashboard.open(url, token=token, timeout_s=timeout_s)
    try:
        yield dashboard
    finally:
        await dashboard.aclose()


async def fault_of(handler: Handler, *, timeout_s: float = 3.0) -> ExternalClusterError:
    """What a watch learns of a server like that."""
    async with serve(handler) as url, opened(url, timeout_s=timeout_s) as dashboard:
        with pytest.raises(ExternalClusterError) as caught:
            await dashboard.fetch_reading()
        assert caught.value.address == url
        return caught.value


@VERSIONS
async def test_a_reading_has_all_that_a_dashboard_knows(version: str) -> None:
    async with serve(RecordedDashboard(version).handle) as url, opened(url) as dashboard:
        reading = await dashboard.fetch_reading()

    nodes = {node.facts.address: node for node in reading.nodes}
    worker = nodes["10.0.0.2"]
    assert reading.ray_version == version
    assert reading.faults == ()
    assert reading.resources["CPU"].available == 1.5
    assert worker.facts.host_name == "edge-box"
    assert worker.load is not None
    assert "sender-2" in worker.tasks
    assert "train demo" in nodes["10.0.0.1"].tasks


async def test_usage_is_asked_for_fresh_and_lists_whole() -> None:
    recorded = RecordedDashboard()

    async with serve(recorded.handle) as url, opened(url) as dashboard:
        await dashboard.fetch_reading()

    asked = {request.path: request.query for request in recorded.requests}
    assert asked["/nodes"]["nocache"] == "1"
    assert asked["/api/v0/nodes"]["limit"] == "10000"
    assert asked["/api/v0/actors"]["limit"] == "10000"


async def test_what_is_not_vital_may_fail_and_is_told() -> None:
    recorded = RecordedDashboard()
    recorded.answers["/api/v0/actors"] = b'{"result": false}'
    recorded.answers["/nodes"] = b"not json"

    async with serve(recorded.handle) as url, opened(url) as dashboard:
        reading = await dashboard.fetch_reading()

    assert len(reading.nodes) == 2
    assert all(node.load is None for node in reading.nodes)
    assert len(reading.faults) == 2
    assert any("/api/v0/actors" in fault for fault in reading.faults)


async def test_the_token_of_a_cluster_opens_its_dashboard() -> None:
    recorded = RecordedDashboard(token="sesame")

    async with serve(recorded.handle) as url, opened(url, token="sesame") as dashboard:
        reading = await dashboard.fetch_reading()

    assert len(reading.nodes) == 2


async def test_a_missing_and_a_wrong_token_are_told_apart() -> None:
    recorded = RecordedDashboard(token="sesame")

    async with (
        serve(recorded.handle) as url,
        opened(url) as without,
        opened(url, token="open") as wrong,
    ):
        with pytest.raises(TokenMissingError, match="wants a token"):
            await without.fetch_reading()
        with pytest.raises(TokenRefusedError, match="refuses this token"):
            await wrong.fetch_reading()
        assert await without.fetch_authentication_mode() == "token"


async def test_a_service_with_a_password_is_no_ray_dashboard() -> None:
    async def locked(_: web.Request) -> web.Response:
        return web.Response(status=401)

    assert type(await fault_of(locked)) is NotARayDashboardError


@pytest.mark.parametrize("body", [b'{"hello": "world"}', b"<html>", b"", b'{"ray_version": 3}'])
async def test_a_service_of_another_kind_is_no_ray_dashboard(body: bytes) -> None:
    async def other(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    error = await fault_of(other)

    assert type(error) is NotARayDashboardError
    assert "/api/version as no Ray does" in str(error)


async def test_a_server_that_does_not_know_what_every_ray_knows_is_no_ray_dashboard() -> None:
    async def unknowing(_: web.Request) -> web.Response:
        return web.Response(status=404)

    assert type(await fault_of(unknowing)) is NotARayDashboardError


async def test_a_dashboard_whose_nodes_are_broken_json_is_a_bad_answer() -> None:
    recorded = RecordedDashboard()
    recorded.answers["/api/v0/nodes"] = b'{"data": {"result": {"resu'

    error = await fault_of(recorded.handle)

    assert type(error) is BadAnswerError
    assert "/api/v0/nodes" in str(error)


@pytest.mark.parametrize("path", ["/api/version", "/api/v0/nodes"])
async def test_a_dashboard_that_fails_is_still_one_and_says_with_which_status(path: str) -> None:
    async def failing(request: web.Request) -> web.StreamResponse:
        if request.path == path:
            return web.Response(status=500, text="Traceback")
        return await RecordedDashboard().handle(request)

    error = await fault_of(failing)

    assert type(error) is BadAnswerError
    assert "500" in str(error)


async def test_a_redirect_is_told_and_not_followed() -> None:
    asked = []

    async def elsewhere(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": "/stolen"})

    assert type(await fault_of(elsewhere)) is ClusterRedirectsError
    assert "/stolen" not in asked


async def test_a_huge_answer_is_not_read_to_its_end() -> None:
    sent = 0

    async def huge(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" " * 2**20)
            sent += 2**20
        return response

    async with serve(huge) as url, opened(url) as dashboard:
        with pytest.raises(AnswerTooLargeError):
            await dashboard.fetch_version()

    assert sent < 3 * MAX_BODY_BYTES


async def test_a_packed_answer_is_not_unpacked() -> None:
    packed = gzip.compress(b" " * (MAX_BODY_BYTES + 1))

    async def bomb(_: web.Request) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    assert type(await fault_of(bomb)) is NotARayDashboardError


async def test_one_byte_after_the_other_is_too_slow() -> None:
    async def dripping(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.02)

    error = await fault_of(dripping, timeout_s=0.3)

    assert type(error) is ClusterTooSlowError
    assert "0.3 s" in str(error)


async def test_silence_is_too_slow() -> None:
    async def silent(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    assert type(await fault_of(silent, timeout_s=0.3)) is ClusterTooSlowError


async def test_an_answer_that_breaks_off_is_a_bad_answer() -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport is not None
        request.transport.close()
        return response

    async with serve(broken) as url, opened(url) as dashboard:
        with pytest.raises(BadAnswerError, match="broke off"):
            await dashboard.fetch_nodes()


async def test_a_port_where_nobody_listens_is_unreachable() -> None:
    async with serve(RecordedDashboard().handle) as url:
        pass

    async with opened(url) as dashboard:
        with pytest.raises(ClusterUnreachableError, match="make sure that the cluster runs"):
            await dashboard.fetch_version()


async def test_a_server_of_another_protocol_is_no_ray_dashboard() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x00\x18\x04 not HTTP at all\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with opened(f"127.0.0.1:{port}") as dashboard:
            with pytest.raises(NotARayDashboardError):
                await dashboard.fetch_version()


async def test_a_name_leads_to_the_address_that_was_checked_and_is_sent_as_host() -> None:
    recorded = RecordedDashboard()
    async with serve(recorded.handle) as url:
        address = parse_address(url.replace("127.0.0.1", "ray.example"))
        endpoint = Endpoint("ray.example", address.port, ("127.0.0.1",))
        dashboard = Dashboard(address, endpoint, None, 3.0)

        await dashboard.fetch_version()
        await dashboard.aclose()

    assert recorded.requests[0].host == f"ray.example:{address.port}"


async def test_an_address_that_is_not_allowed_is_never_connected_to() -> None:
    recorded = RecordedDashboard()

    async with serve(recorded.handle) as url:
        with pytest.raises(AddressRefusedError):
            await Dashboard.open(url, allowed=[ip_network("10.0.0.0/8")])

    assert recorded.requests == []
