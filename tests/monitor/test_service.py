from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from castray.monitor.__main__ import build_parser
from castray.monitor.service import MonitorServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    import aiohttp

COMMAND = [sys.executable, "-m", "castray.monitor"]


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


async def test_an_embedded_monitor_leaves_its_port_to_one_that_is_started_for_itself(
    http: aiohttp.ClientSession,
) -> None:
    embedded = MonitorServer(port=0, steps_aside=True)
    await embedded.start()
    command = [*COMMAND, "--host", "127.0.0.1", "--port", str(embedded.port)]
    program = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    try:
        await asyncio.wait_for(embedded.wait_to_step_aside(), 30)
        await embedded.aclose()
        assert program.stdout is not None
        line = await asyncio.wait_for(program.stdout.readline(), 30)
    finally:
        program.terminate()
        await program.wait()

    assert f"127.0.0.1:{embedded.port}" in line.decode()


async def test_a_monitor_that_runs_for_itself_keeps_its_port(
    monitor: MonitorServer, http: aiohttp.ClientSession
) -> None:
    target = f"http://127.0.0.1:{monitor.port}/api/step_aside"

    async with http.post(target, json={}) as answer:
        problem = await answer.json()

    assert answer.status == 409
    assert "stop it" in problem["detail"]


async def test_closing_ends_streams_and_frees_the_port(
    http: aiohttp.ClientSession,
) -> None:
    first = MonitorServer(port=0)
    await first.start()
    async with http.get(f"http://127.0.0.1:{first.port}/api/status/stream") as stream:
        await stream.content.readline()

        await first.aclose()
        await first.aclose()

        await asyncio.wait_for(stream.content.read(), 20)
    second = MonitorServer(port=first.port)
    await second.start()
    await second.aclose()


async def test_starting_on_a_taken_port_raises_and_leaves_nothing_running(taken_port: int) -> None:
    server = MonitorServer(port=taken_port)
    tasks = asyncio.all_tasks()

    with pytest.raises(OSError, match="in use"):
        await server.start()

    assert asyncio.all_tasks() == tasks


def test_the_program_says_where_it_is_and_ends_on_a_signal() -> None:
    with subprocess.Popen(
        [*COMMAND, "--host", "127.0.0.1", "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        line = program.stdout.readline()

        program.send_signal(signal.SIGTERM)

        assert program.wait(30) == 0
    assert "CM-ZSB monitor" in line
    assert "http://127.0.0.1:" in line


def test_the_program_says_in_one_line_that_the_port_is_taken(taken_port: int) -> None:
    program = subprocess.run(
        [*COMMAND, "--port", str(taken_port)], capture_output=True, text=True, check=False
    )

    assert program.returncode == 1
    assert program.stderr.count("\n") == 1
    assert f"port {taken_port}" in program.stderr
    assert "--port" in program.stderr


def test_the_program_needs_no_ray_and_no_cli() -> None:
    heavy = "{'ray', 'click', 'rich', 'fastapi', 'pydantic_settings', 'psutil'}"
    code = f"import sys, castray.monitor.__main__; print({heavy} & set(sys.modules))"

    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert answer.stdout == "set()\n"


def test_the_options_are_those_of_the_field() -> None:
    options = vars(build_parser().parse_args([]))

    assert options == {"host": "0.0.0.0", "port": 8000, "allow_remote_updates": False}
