from __future__ import annotations

import asyncio
import json
import socket
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from castray import __version__
from castray.monitor import routes

if TYPE_CHECKING:
    import aiohttp

    from castray.monitor.service import MonitorServer
    from tests.monitor.conftest import Eventually

PROBLEM = "application/problem+json"


def url(monitor: MonitorServer, path: str) -> str:
    return f"http://127.0.0.1:{monitor.port}{path}"


async def get(http: aiohttp.ClientSession, monitor: MonitorServer, path: str) -> Any:
    async with http.get(url(monitor, path)) as answer:
        assert answer.status == 200
        return await answer.json()


async def report(http: aiohttp.ClientSession, monitor: MonitorServer, **body: Any) -> None:
    async with http.post(url(monitor, "/api/update_status"), json=body) as answer:
        assert (answer.status, await answer.json()) == (200, {"success": True})


async def refusal(
    http: aiohttp.ClientSession, monitor: MonitorServer, body: bytes, **headers: str
) -> dict[str, Any]:
    """What a report is refused with; nothing may have changed by it."""
    before = await get(http, monitor, "/api/status")
    target = url(monitor, "/api/update_status")
    headers = {"Content-Type": "application/json", **headers}
    async with http.post(target, data=body, headers=headers) as answer:
        problem: dict[str, Any] = await answer.json(content_type=PROBLEM)
        assert problem["status"] == answer.status
    assert await get(http, monitor, "/api/status") == before
    return problem


async def next_event(stream: aiohttp.ClientResponse) -> Any:
    while line := await asyncio.wait_for(stream.content.readline(), 20):
        if line.startswith(b"data: "):
            return json.loads(line[6:])
    raise EOFError


async def test_status_has_the_keys_that_the_field_parses(
    http: aiohttp.ClientSession, monitor: MonitorServer
) -> None:
    await report(http, monitor, status="sending", message="等待", task_info={"frame": 7})

    status = await get(http, monitor, "/api/status")

    assert status["status"] == status["latest_state"]["status"] == "sending"
    assert status["latest_state"]["current_task"] == "等待"
    assert status["timestamp"] == status["latest_state"]["timestamp"]
    assert datetime.fromisoformat(status["timestamp"]).tzinfo is not None
    assert status["stats"] == {
        "total_processed": 0,
        "low_confidence_count": 0,
        "sent_to_server": 1,
        "inference_ms_avg": None,
        "inference_ms_p95": None,
        "low_confidence_ratio": None,
        "server_requests_per_min": 1.0,
        "window_s": 300.0,
    }


async def test_results_come_out_as_statistics(
    http: aiohttp.ClientSession, monitor: MonitorServer
) -> None:
    results = {"processed": 4, "low_confidence": 1, "inference_ms": [10, 20, 30, 40]}
    await report(http, monitor, status="detecting", results=results)

    stats = (await get(http, monitor, "/api/status"))["stats"]

    assert stats["total_processed"] == 4
    assert stats["inference_ms_avg"] == 25
    assert stats["inference_ms_p95"] == 40
    assert stats["low_confidence_ratio"] == 0.25


async def test_health_names_the_service_and_what_it_can(
    http: aiohttp.ClientSession, monitor: MonitorServer
) -> None:
    assert await get(http, monitor, "/api/health") == {
        "status": "healthy",
        "service": "CM-ZSB监控",
        "version": __version__,
        "capabilities": ["stream"],
    }


async def test_a_node_is_told_under_the_name_that_was_asked_for(
    http: aiohttp.ClientSession, monitor: MonitorServer
) -> None:
    await report(http, monitor, status="detecting")
    status = await get(http, monitor, "/api/status")

    assert await get(http, monitor, "/api/nodes/M3/status") == {
        "node_id": "M3",
        "status": "detecting",
        "timestamp": status["timestamp"],
        "details": status["latest_state"],
    }


async def test_a_turn_to_sending_is_an_alert_and_an_error_is_listed(
    http: aiohttp.ClientSession, monitor: MonitorServer
) -> None:
    await report(http, monitor, status="sending", message="frame 7", errors=["no route to server"])

    (alert,) = (await get(http, monitor, "/api/alerts"))["alerts"]
    (error,) = (await get(http, monitor, "/api/errors"))["errors"]

    assert alert["message"] == "Sent to the server: frame 7."
    assert error["message"] == "no route to server"
    assert datetime.fromisoformat(alert["timestamp"]).tzinfo is not None


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b'{"status": "unknown"}', 422, "status: Input should be 'idle', 'detecting' or 'sending'"),
        (b'{"status": "idle", "results": {"processed": "x"}}', 422, "results.processed"),
        (b"[]", 422, "body: "),
        (b"", 400, "Invalid JSON"),
        (b"{", 400, "Invalid JSON"),
        (b"\xff\xfe", 400, "Invalid JSON"),
        (b'{"status": "idle", "task_info": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001, 400, "JSON"),
        (b'{"status": "idle", "message": "' + b"x" * 65_536 + b'"}', 413, "too large"),
    ],
)
async def test_a_bad_report_is_refused_in_words_and_changes_nothing(
    http: aiohttp.ClientSession, monitor: MonitorServer, body: bytes, status: int, says: str
) -> None:
    problem = await refusal(http, monitor, body)

    assert problem["status"] == status
    assert says in problem["detail"]
    assert ("errors" in problem) == (status == 422)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1.evil.example:8000"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
    ],
)
async def test_what_a_web_page_can_make_a_browser_send_is_refused(
    http: aiohttp.ClientSession, monitor: MonitorServer, headers: dict[str, str], status: int
) -> None:
    problem = await refusal(http, monitor, b'{"status": "sending"}', **headers)

    assert problem["status"] == status


async def test_a_page_of_this_machine_may_report(
    http: aiohttp.ClientSession, monitor: MonitorServer
) -> None:
    headers = {"Origin": "http://localhost:3000"}
    target = url(monitor, "/api/update_status")

    async with http.post(target, json={"status": "sending"}, headers=headers) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("DELETE", "/api/status", 405)]
)
async def test_aiohttps_own_refusals_have_the_same_body(
    http: aiohttp.ClientSession, monitor: MonitorServer, method: str, path: str, status: int
) -> None:
    async with http.request(method, url(monitor, path)) as answer:
        problem = await answer.json(content_type=PROBLEM)

        assert answer.status == problem["status"] == status
        assert ("Allow" in answer.headers) == (status == 405)
    assert problem["detail"]


async def test_a_report_that_never_ends_is_given_up(
    http: aiohttp.ClientSession, monitor: MonitorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "BODY_TIMEOUT_S", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", monitor.port)

    writer.write(
        b"POST /api/update_status HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 21\r\n\r\n{"
    )
    status_line = await asyncio.wait_for(reader.readline(), 20)

    assert b" 408 " in status_line
    writer.close()


async def test_the_stream_begins_with_the_status_and_tells_each_change(
    http: aiohttp.ClientSession, monitor: MonitorServer
) -> None:
    async with http.get(url(monitor, "/api/status/stream")) as stream:
        assert stream.content_type == "text/event-stream"
        told = [await next_event(stream)]
        for status in ("detecting", "sending", "idle"):
            await report(http, monitor, status=status)
            told.append(await next_event(stream))

    assert [event["status"] for event in told] == ["idle", "detecting", "sending", "idle"]
    assert told[-1] == await get(http, monitor, "/api/status")


async def test_a_stream_with_nothing_to_tell_says_that_it_lives(
    http: aiohttp.ClientSession, monitor: MonitorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "KEEP_ALIVE_S", 0.05)
    async with http.get(url(monitor, "/api/status/stream")) as stream:
        await next_event(stream)

        lines = [await asyncio.wait_for(stream.content.readline(), 20) for _ in range(4)]

    assert b": keep-alive\n" in lines


async def test_a_reader_that_takes_nothing_is_dropped_and_delays_no_other(
    http: aiohttp.ClientSession,
    monitor: MonitorServer,
    monkeypatch: pytest.MonkeyPatch,
    eventually: Eventually,
) -> None:
    monkeypatch.setattr(routes, "STALLED_READER_S", 0.2)
    stalled = socket.socket()
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.setblocking(False)
    await asyncio.get_running_loop().sock_connect(stalled, ("127.0.0.1", monitor.port))
    stalled.send(b"GET /api/status/stream HTTP/1.1\r\nHost: x\r\n\r\n")
    async with http.get(url(monitor, "/api/status/stream")) as stream:
        await next_event(stream)
        await eventually(lambda: monitor.feed.subscriber_count == 2)

        flips = 0
        while monitor.feed.subscriber_count == 2:
            flips += 1
            await report(http, monitor, status=("detecting", "idle")[flips % 2], message="界" * 500)
            assert (await next_event(stream))["status"] == ("detecting", "idle")[flips % 2]

    stalled.close()


async def test_more_streams_than_there_may_be_are_refused(
    http: aiohttp.ClientSession, monitor: MonitorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "MAX_STREAMS", 1)
    async with http.get(url(monitor, "/api/status/stream")) as stream:
        await next_event(stream)

        async with http.get(url(monitor, "/api/status/stream")) as refused:
            assert refused.status == 503
            assert "poll" in (await refused.json(content_type=PROBLEM))["detail"]
