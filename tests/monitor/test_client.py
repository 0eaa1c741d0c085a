from __future__ import annotations

import asyncio
import contextlib
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from castray.core.status import Health
from castray.models import MonitorKind, Reason, ReasonCode, WorkReport
from castray.monitor import client as client_module
from castray.monitor.client import MonitorClient, MonitorReading
from castray.monitor.service import MonitorServer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    import aiohttp

    from tests.monitor.conftest import Conversation, Eventually, ServeRaw

    Speech = Callable[[asyncio.StreamWriter], Awaitable[None]]

POLL_INTERVAL_S = 0.05
TIMEOUT_S = 0.5

MONITOR_HEALTH = {"status": "healthy", "service": "CM-ZSB监控"}
STREAMING_HEALTH = {**MONITOR_HEALTH, "version": "9", "capabilities": ["stream"]}
SENDING = {"status": "sending", "latest_state": {"current_task": "frame 7"}, "stats": {}}
SENDING_EVENT = b"data: " + json.dumps(SENDING).encode() + b"\n\n"
OK = b"HTTP/1.1 200 OK\r\n"
EVENT_STREAM = OK + b"Content-Type: text/event-stream\r\n\r\n"


def http_answer(body: object, status: str = "200 OK", *headers: str) -> bytes:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(raw)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


def answering(answers: dict[str, Any]) -> Conversation:
    """Answers each path with its bytes, its JSON or its speech, and all others with 404."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split()[1].decode()
        answer = answers.get(path, http_answer(b"", "404 Not Found"))
        if callable(answer):
            await answer(writer)
        else:
            writer.write(answer if isinstance(answer, bytes) else http_answer(answer))
            await writer.drain()

    return converse


def saying(first: bytes, again: bytes, *, every_s: float) -> Speech:
    """Says something, and then something again and again."""

    async def speak(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(every_s)

    return speak


@contextlib.asynccontextmanager
async def watching(
    url: str, http: aiohttp.ClientSession
) -> AsyncIterator[AsyncGenerator[MonitorReading, None]]:
    client = MonitorClient(url, http, timeout_s=TIMEOUT_S)
    async with aclosing(client.watch(POLL_INTERVAL_S)) as readings:
        yield readings


async def first_reading(url: str, http: aiohttp.ClientSession) -> MonitorReading:
    async with watching(url, http) as readings:
        return await asyncio.wait_for(anext(readings), 20)


async def until_status(
    readings: AsyncGenerator[MonitorReading, None], status: str
) -> MonitorReading:
    async def search() -> MonitorReading:
        async for reading in readings:
            if isinstance(reading.result, WorkReport) and reading.result.status.value == status:
                return reading
        raise AssertionError("the watch ended")

    return await asyncio.wait_for(search(), 20)


async def until_fault(readings: AsyncGenerator[MonitorReading, None]) -> Reason:
    async def search() -> Reason:
        async for reading in readings:
            if isinstance(reading.result, Reason):
                return reading.result
        raise AssertionError("the watch ended")

    return await asyncio.wait_for(search(), 20)


async def report(http: aiohttp.ClientSession, monitor: MonitorServer, status: str) -> None:
    target = f"http://127.0.0.1:{monitor.port}/api/update_status"
    async with http.post(target, json={"status": status}) as answer:
        assert answer.status == 200


async def test_a_streaming_monitor_tells_its_status_and_each_change(
    monitor: MonitorServer, http: aiohttp.ClientSession
) -> None:
    async with watching(f"http://127.0.0.1:{monitor.port}/", http) as readings:
        first = await anext(readings)
        told = [first]
        for status in ("detecting", "sending"):
            await report(http, monitor, status)
            told.append(await asyncio.wait_for(anext(readings), 20))

    assert [r.kind for r in told] == [MonitorKind.STREAM] * 3
    assert first.version is not None
    statuses = [r.result.status.value for r in told if isinstance(r.result, WorkReport)]
    assert statuses == ["idle", "detecting", "sending"]


async def test_a_monitor_that_speaks_only_the_fixed_part_is_polled(
    serve_raw: ServeRaw, http: aiohttp.ClientSession
) -> None:
    answers: dict[str, Any] = {"/api/health": MONITOR_HEALTH, "/api/status": {"status": "idle"}}
    async with watching(await serve_raw(answering(answers)), http) as readings:
        first = await asyncio.wait_for(anext(readings), 20)
        answers["/api/status"] = SENDING
        changed = await until_status(readings, "sending")

    assert first.kind is changed.kind is MonitorKind.POLL
    assert isinstance(changed.result, WorkReport)
    assert changed.result.current_task == "frame 7"


async def test_a_monitor_without_health_is_known_by_its_shape(
    serve_raw: ServeRaw, http: aiohttp.ClientSession
) -> None:
    url = await serve_raw(answering({"/api/status": SENDING}))

    reading = await first_reading(url, http)

    assert isinstance(reading.result, WorkReport)


async def test_a_monitor_that_stops_and_starts_again_is_followed(
    http: aiohttp.ClientSession,
) -> None:
    monitor = MonitorServer(port=0)
    await monitor.start()
    async with watching(f"http://127.0.0.1:{monitor.port}", http) as readings:
        await until_status(readings, "idle")

        await monitor.aclose()
        fault = await until_fault(readings)
        again = MonitorServer(port=monitor.port)
        await again.start()
        await report(http, again, "sending")
        recovered = await until_status(readings, "sending")
        await again.aclose()

    assert fault.code is ReasonCode.NO_MONITOR
    assert recovered.kind in {MonitorKind.STREAM, MonitorKind.POLL}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"/api/health": {"service": "castray"}}, ReasonCode.PORT_IS_CASTRAY),
        ({"/api/status": {"total_nodes": 1, "ray_cluster": {}}}, ReasonCode.PORT_IS_CASTRAY),
        ({"/api/status": {"ok": True}}, ReasonCode.NOT_A_MONITOR),
        ({}, ReasonCode.NOT_A_MONITOR),
        (
            {"/api/status": http_answer(b"", "302 Found", "Location: http://127.0.0.1:9/")},
            ReasonCode.NOT_A_MONITOR,
        ),
        (
            {"/api/health": MONITOR_HEALTH, "/api/status": {**SENDING, "status": "busy"}},
            ReasonCode.MONITOR_BAD_STATUS,
        ),
        (
            {"/api/status": http_answer(b"boom", "500 Internal Server Error")},
            ReasonCode.MONITOR_HTTP_ERROR,
        ),
        ({"/api/status": http_answer(b"[" * 60_000)}, ReasonCode.MONITOR_BAD_ANSWER),
        ({"/api/status": http_answer(b"\x00\xff")}, ReasonCode.MONITOR_BAD_ANSWER),
        (
            {"/api/status": http_answer(b"\x1f\x8b\x08", "200 OK", "Content-Encoding: gzip")},
            ReasonCode.MONITOR_BAD_ANSWER,
        ),
        ({"/api/status": http_answer(b"x" * 65_537)}, ReasonCode.MONITOR_TOO_LARGE),
        ({"/api/health": b"\x00\xff\x00 SSH-2.0\r\n\r\n"}, ReasonCode.MONITOR_BAD_ANSWER),
        ({"/api/health": b""}, ReasonCode.MONITOR_BAD_ANSWER),
        (
            {"/api/health": OK + b"Content-Length: 9\r\n\r\n{"},
            ReasonCode.MONITOR_BAD_ANSWER,
        ),
    ],
)
async def test_whatever_else_answers_is_a_fault_with_its_reason(
    serve_raw: ServeRaw,
    http: aiohttp.ClientSession,
    answers: dict[str, Any],
    expected: ReasonCode,
) -> None:
    url = await serve_raw(answering(answers))

    reading = await first_reading(url, http)

    assert isinstance(reading.result, Reason)
    assert reading.result.code is expected
    assert url in reading.result.detail


@pytest.mark.parametrize(
    ("speech", "expected"),
    [
        (saying(OK + b"\r\n{", b" " * 1_000_000, every_s=0), ReasonCode.MONITOR_TOO_LARGE),
        (saying(OK + b"\r\n{", b" ", every_s=0.1), ReasonCode.MONITOR_TIMEOUT),
        (saying(OK + b"Drip: ", b".", every_s=0.1), ReasonCode.MONITOR_TIMEOUT),
        (saying(b"", b"", every_s=1), ReasonCode.MONITOR_TIMEOUT),
        (saying(OK + b"Flood: ", b"." * 9999, every_s=0), ReasonCode.MONITOR_BAD_ANSWER),
    ],
    ids=["endless body", "body byte by byte", "head byte by byte", "silence", "endless head"],
)
async def test_an_answer_that_does_not_end_is_given_up(
    serve_raw: ServeRaw, http: aiohttp.ClientSession, speech: Speech, expected: ReasonCode
) -> None:
    url = await serve_raw(answering({"/api/health": speech}))

    reading = await first_reading(url, http)

    assert isinstance(reading.result, Reason)
    assert reading.result.code is expected


async def test_nobody_there_is_told_and_told_again(http: aiohttp.ClientSession) -> None:
    gone = MonitorServer(port=0)
    await gone.start()
    await gone.aclose()
    async with watching(f"http://127.0.0.1:{gone.port}", http) as readings:
        faults = [await asyncio.wait_for(anext(readings), 20) for _ in range(3)]

    assert {f.result.code for f in faults if isinstance(f.result, Reason)} == {
        ReasonCode.NO_MONITOR
    }


@pytest.mark.parametrize(
    "stream",
    [
        EVENT_STREAM + b"data: garbage\n\n",
        EVENT_STREAM + b'data: {"total_nodes": 1, "ray_cluster": {}}\n\n',
        EVENT_STREAM + b"data: " + b"x" * 70_000,
        EVENT_STREAM,
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"\x00\xff\r\n\r\n",
        b"",
    ],
)
async def test_a_stream_that_is_no_use_leaves_the_polls(
    serve_raw: ServeRaw, http: aiohttp.ClientSession, stream: bytes
) -> None:
    answers = {
        "/api/health": STREAMING_HEALTH,
        "/api/status": SENDING,
        "/api/status/stream": stream,
    }

    async with watching(await serve_raw(answering(answers)), http) as readings:
        told = [await asyncio.wait_for(anext(readings), 20) for _ in range(2)]

    assert [r.kind for r in told] == [MonitorKind.POLL] * 2
    assert all(isinstance(r.result, WorkReport) for r in told)


async def test_a_stream_that_falls_silent_is_lost_whatever_drips_from_it(
    serve_raw: ServeRaw, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "STREAM_SILENCE_S", 0.3)
    answers = {
        "/api/health": STREAMING_HEALTH,
        "/api/status": {"status": "idle"},
        "/api/status/stream": saying(EVENT_STREAM + SENDING_EVENT, b".", every_s=0.05),
    }

    async with watching(await serve_raw(answering(answers)), http) as readings:
        streamed = await until_status(readings, "sending")
        polled = await until_status(readings, "idle")

    assert (streamed.kind, polled.kind) == (MonitorKind.STREAM, MonitorKind.POLL)


async def test_keep_alives_hold_a_stream_and_show_that_the_monitor_lives(
    monitor: MonitorServer, http: aiohttp.ClientSession, eventually: Eventually
) -> None:
    client = MonitorClient(f"http://127.0.0.1:{monitor.port}", http)
    async with aclosing(client.watch(POLL_INTERVAL_S)) as readings:
        await anext(readings)
        seen_at_first = client.last_seen
        change = asyncio.ensure_future(anext(readings))

        await eventually(lambda: client.last_seen != seen_at_first)

        assert seen_at_first is not None
        assert not change.done()
        await report(http, monitor, "detecting")
        assert (await asyncio.wait_for(change, 20)).kind is MonitorKind.STREAM


async def test_a_flood_of_events_is_read_as_few(
    serve_raw: ServeRaw, http: aiohttp.ClientSession
) -> None:
    sent = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(EVENT_STREAM)
        while True:
            writer.write(SENDING_EVENT * 100)
            sent += 100
            await writer.drain()

    answers = {"/api/health": STREAMING_HEALTH, "/api/status/stream": flood}
    async with watching(await serve_raw(answering(answers)), http) as readings:
        told = [await asyncio.wait_for(anext(readings), 20) for _ in range(10)]

    assert {r.kind for r in told} == {MonitorKind.STREAM}
    assert sent > 10 * len(told)


async def test_castray_is_not_even_asked_for_its_status(http: aiohttp.ClientSession) -> None:
    client = MonitorClient("http://127.0.0.1:9", http)

    result = await client.fetch_status(Health(is_castray=True))

    assert isinstance(result, Reason)
    assert result.code is ReasonCode.PORT_IS_CASTRAY
