from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from castray.models import WorkStatus
from castray.monitor.service import MonitorServer
from tests.hosts import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    ServeDetection = Callable[[Callable[[web.Request], Awaitable[web.Response]]], Awaitable[str]]

SCRIPT = str(REPOSITORY / "examples/predict_and_send.py")


@pytest.fixture
async def monitor() -> AsyncIterator[MonitorServer]:
    """A monitor for the script."""
    server = MonitorServer(port=0)
    await server.start()
    yield server
    await server.aclose()


@pytest.fixture
async def serve_detection() -> AsyncIterator[ServeDetection]:
    """Makes a server that answers the script's requests; returns its URL."""
    runners: list[web.AppRunner] = []

    async def serve(answer: Callable[[web.Request], Awaitable[web.Response]]) -> str:
        app = web.Application()
        app.router.add_post("/detect", answer)
        runners.append(web.AppRunner(app))
        await runners[-1].setup()
        await web.TCPSite(runners[-1], "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runners[-1].addresses[0][1]}/detect"

    yield serve
    for runner in runners:
        await runner.cleanup()


async def run_script(server: str, monitor: MonitorServer) -> tuple[str, str]:
    """Run one pass; returns what the script printed, and its errors."""
    url = f"http://127.0.0.1:{monitor.port}"
    options = ["--rounds", "1", "--server", server, "--monitor", url]
    script = await asyncio.create_subprocess_exec(
        *(sys.executable, SCRIPT, *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(script.communicate(), 100)
    assert script.returncode == 0, errors.decode()
    return output.decode(), errors.decode()


async def test_a_pass_lights_each_lamp_and_sends_what_the_edge_is_unsure_of(
    monitor: MonitorServer, serve_detection: ServeDetection
) -> None:
    seen: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        seen.extend((await request.json())["images"])
        return web.json_response({"predictions": [{"digit": 7, "confidence": 1.0}]})

    async def follow() -> list[WorkStatus]:
        lamps = []
        with monitor.feed.subscribe() as reports:
            while (report := await reports.get()) is not None:
                lamps.append(report.status)
        return lamps

    following = asyncio.create_task(follow())
    output, errors = await run_script(await serve_detection(answer), monitor)
    stats = monitor.feed.report().stats
    await monitor.aclose()
    lamps = await following

    assert [lamp for lamp in WorkStatus if lamp in lamps] == [
        WorkStatus.IDLE,
        WorkStatus.DETECTING,
        WorkStatus.SENDING,
    ]
    assert lamps[-1] is WorkStatus.IDLE
    assert stats is not None
    assert stats.total_processed == 25
    assert stats.inference_ms_avg is not None
    assert stats.low_confidence_count == stats.sent_to_server == len(seen) > 0
    assert all(len(image) == 64 for image in seen)
    assert f"of {len(seen)} right" in output
    assert errors == ""


@pytest.mark.parametrize("status", [200, 500])
async def test_a_server_that_does_not_answer_as_it_should_is_told_of_and_the_pass_ends(
    monitor: MonitorServer, serve_detection: ServeDetection, status: int
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text="oops")

    url = await serve_detection(answer)
    output, errors = await run_script(url, monitor)

    assert "of 0 right" in output
    assert errors.count(url) == 1
    assert url in monitor.feed.state.errors[0].message


async def test_a_server_that_is_not_there_is_told_of(monitor: MonitorServer) -> None:
    output, errors = await run_script("http://127.0.0.1:9/detect", monitor)

    assert "of 0 right" in output
    assert "refused" in errors


async def test_the_help_explains_each_option() -> None:
    script = await asyncio.create_subprocess_exec(
        *(sys.executable, SCRIPT, "--help"), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(script.communicate(), 60)

    assert script.returncode == 0
    for option in ("--server", "--monitor", "--rounds", "--deploy"):
        assert option in output.decode()


async def test_the_script_itself_needs_no_ray() -> None:
    code = f"import runpy, sys; runpy.run_path({SCRIPT!r}); print('ray' in sys.modules)"

    script = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(script.communicate(), 60)

    assert output == b"False\n"
