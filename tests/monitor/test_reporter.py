from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import TYPE_CHECKING, Any

import pytest

from castray.models import MonitorStats, WorkStatus
from castray.monitor import reporter as reporter_module
from castray.monitor.reporter import StatusReporter
from castray.monitor.service import MonitorServer
from tests.hosts import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.monitor.conftest import Eventually, ServeRaw

IDLE, DETECTING, SENDING = WorkStatus.IDLE, WorkStatus.DETECTING, WorkStatus.SENDING


class Unspeakable:
    """A value that nothing can be made of."""

    def __str__(self) -> str:
        raise RuntimeError("no words")

    def __float__(self) -> float:
        raise RuntimeError("no number")


@pytest.fixture
def reporter(monitor: MonitorServer) -> Iterator[StatusReporter]:
    """A reporter to the test's monitor."""
    with StatusReporter(f"http://127.0.0.1:{monitor.port}") as reporter:
        yield reporter


def shown(monitor: MonitorServer) -> tuple[WorkStatus, str | None]:
    report = monitor.feed.report()
    return report.status, report.current_task


def stats(monitor: MonitorServer) -> MonitorStats:
    found = monitor.feed.report().stats
    assert found is not None
    return found


async def run_script(code: str, url: str) -> str:
    """Run a script that has a `reporter`; returns what it printed."""
    prelude = f"import os, sys\nfrom castray.monitor.reporter import StatusReporter\n{code}"
    script = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-c", prelude),
        stdout=asyncio.subprocess.PIPE,
        env={"CASTRAY_MONITOR_URL": url, "PATH": ""},
    )
    output, _ = await asyncio.wait_for(script.communicate(), 60)
    assert script.returncode == 0
    return output.decode()


async def test_each_status_reaches_the_monitor_with_its_task(
    monitor: MonitorServer, reporter: StatusReporter, eventually: Eventually
) -> None:
    reporter.detecting("camera 2")
    await eventually(lambda: shown(monitor) == (DETECTING, "camera 2"))

    reporter.sending("frame 7")
    await eventually(lambda: shown(monitor) == (SENDING, "frame 7"))

    reporter.idle("等待数据输入")
    await eventually(lambda: shown(monitor) == (IDLE, "等待数据输入"))


async def test_leaving_a_context_brings_back_the_status_before_it(
    monitor: MonitorServer, reporter: StatusReporter, eventually: Eventually
) -> None:
    with reporter.detecting("camera 2"):
        await eventually(lambda: shown(monitor) == (DETECTING, "camera 2"))
        with reporter.sending("frame 7"):
            await eventually(lambda: shown(monitor) == (SENDING, "frame 7"))
        await eventually(lambda: shown(monitor) == (DETECTING, "camera 2"))

    await eventually(lambda: shown(monitor) == (IDLE, None))
    assert stats(monitor).sent_to_server == 1


async def test_an_error_in_a_context_is_the_scripts_own(
    monitor: MonitorServer, reporter: StatusReporter, eventually: Eventually
) -> None:
    async def infer() -> None:
        await eventually(lambda: shown(monitor)[0] is DETECTING)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), reporter.detecting():
        await infer()

    await eventually(lambda: shown(monitor)[0] is IDLE)


async def test_results_are_counted_and_the_threshold_decides_which_are_low(
    monitor: MonitorServer, eventually: Eventually
) -> None:
    url = f"http://127.0.0.1:{monitor.port}"
    with StatusReporter(url, low_confidence_below=0.5) as reporter:
        reporter.result(confidence=0.4, inference_ms=10)
        reporter.result(confidence=0.6, inference_ms=30)
        reporter.result(confidence=0.9, low_confidence=True)
        reporter.result(confidence=0.1, low_confidence=False)
        reporter.result()

        await eventually(lambda: stats(monitor).total_processed == 5)

    assert stats(monitor).low_confidence_count == 2
    assert stats(monitor).inference_ms_avg == 20


async def test_a_turn_that_is_over_before_it_is_told_still_counts(
    monitor: MonitorServer, reporter: StatusReporter, eventually: Eventually
) -> None:
    for frame in range(50):
        with reporter.sending(f"frame {frame}"):
            pass

    await eventually(lambda: stats(monitor).sent_to_server == 50)
    assert monitor.feed.state.alerts


async def test_errors_are_listed_by_the_monitor(
    monitor: MonitorServer, reporter: StatusReporter, eventually: Eventually
) -> None:
    reporter.error(ConnectionRefusedError("the server is down"))

    await eventually(lambda: bool(monitor.feed.state.errors))
    assert monitor.feed.state.errors[0].message == "the server is down"


async def test_a_monitor_that_starts_later_is_told_the_newest_status_and_all_counts(
    eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    gone = MonitorServer(port=0)
    await gone.start()
    await gone.aclose()
    with StatusReporter(f"http://127.0.0.1:{gone.port}") as reporter:
        for frame in range(100):
            reporter.detecting(f"frame {frame}")
            reporter.result(confidence=0.1, inference_ms=5)
        await eventually(lambda: "does not take the status" in caplog.text)
        reporter.sending("frame 99")

        monitor = MonitorServer(port=gone.port)
        await monitor.start()
        await eventually(lambda: shown(monitor) == (SENDING, "frame 99"))

    assert stats(monitor).total_processed == stats(monitor).low_confidence_count == 100
    assert stats(monitor).sent_to_server == 1
    assert caplog.text.count("does not take the status") == 1
    await monitor.aclose()


async def test_a_monitor_that_restarts_learns_the_status_again(
    eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporter_module, "HEARTBEAT_S", 0.1)
    first = MonitorServer(port=0)
    await first.start()
    with StatusReporter(f"http://127.0.0.1:{first.port}") as reporter:
        reporter.detecting("camera 2")
        await eventually(lambda: shown(first)[0] is DETECTING)

        await first.aclose()
        second = MonitorServer(port=first.port)
        await second.start()

        await eventually(lambda: shown(second) == (DETECTING, "camera 2"))
    await second.aclose()


async def test_a_monitor_that_hangs_holds_up_nothing_and_counts_nothing_twice(
    serve_raw: ServeRaw, eventually: Eventually
) -> None:
    received: list[dict[str, Any]] = []

    async def hang_twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        received.append(json.loads(await reader.readexactly(length)))
        if len(received) <= 2:
            await reader.read()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    with StatusReporter(await serve_raw(hang_twice), timeout_s=0.2) as reporter:
        reporter.result()
        await eventually(lambda: len(received) == 1)
        reporter.detecting("camera 2")
        await eventually(lambda: len(received) > 2)

    assert received[2]["status"] == "detecting"
    assert sum(body["results"]["processed"] for body in received) == 1


async def test_refusals_are_logged_once(
    serve_raw: ServeRaw, eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    asked = 0

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await reader.readuntil(b"\r\n\r\n")
        asked += 1
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno: ")
        await writer.drain()

    with StatusReporter(await serve_raw(refuse)) as reporter:
        reporter.detecting()
        await eventually(lambda: asked == 1)
        reporter.sending()
        await eventually(lambda: asked == 2)

    assert caplog.text.count("HTTP 403 no:") == 1


@pytest.mark.parametrize("answer", [b"\x00\xff\r\n\r\n", b"HTTP/1.1 500 Oops\r\n\r\n", b""])
async def test_a_monitor_that_answers_nonsense_is_asked_again(
    serve_raw: ServeRaw, eventually: Eventually, answer: bytes
) -> None:
    asked = 0

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await reader.readuntil(b"\r\n\r\n")
        asked += 1
        writer.write(answer)
        await writer.drain()

    with StatusReporter(await serve_raw(converse)) as reporter:
        reporter.detecting()

        await eventually(lambda: asked >= 3)


async def test_values_of_any_kind_neither_raise_nor_stop_the_reports(
    monitor: MonitorServer, reporter: StatusReporter, eventually: Eventually
) -> None:
    values: list[Any] = [Unspeakable(), "high", [], float("nan"), float("-inf"), 10**400, -1, 1e300]
    for value in values:
        reporter.result(confidence=value, inference_ms=value, low_confidence=value)
        reporter.error(value)
        reporter.detecting(value)
    reporter.sending("\ud800" + "x" * 10_000)

    await eventually(lambda: shown(monitor)[0] is SENDING)
    assert stats(monitor).total_processed == 8
    assert (shown(monitor)[1] or "").startswith("?xxx")


@pytest.mark.parametrize("url", ["nowhere", "https://x", "http://", "http://x:99999", "http://["])
def test_an_address_that_is_none_is_logged_and_raises_nothing(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), StatusReporter(url) as reporter:
        reporter.detecting()
        reporter.result()

    assert url in caplog.text


async def test_closing_says_idle_and_tells_what_was_untold(
    monitor: MonitorServer, reporter: StatusReporter
) -> None:
    reporter.detecting("camera 2")
    reporter.result(confidence=0.9)

    await asyncio.to_thread(reporter.close, 20)
    await asyncio.to_thread(reporter.close, 20)
    reporter.detecting("after the end")

    assert shown(monitor) == (IDLE, None)
    assert stats(monitor).total_processed == 1


async def test_closing_does_not_wait_for_a_monitor_that_hangs(
    serve_raw: ServeRaw, eventually: Eventually
) -> None:
    ended = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await ended.wait()

    reporter = StatusReporter(await serve_raw(hang), timeout_s=3600)
    reporter.detecting()

    await asyncio.to_thread(reporter.close, 0.05)

    ended.set()


async def test_a_script_that_ends_without_closing_leaves_its_counts_and_idle(
    monitor: MonitorServer,
) -> None:
    code = "r = StatusReporter()\nr.detecting('camera 2')\nr.result(confidence=0.1)"

    await run_script(code, f"http://127.0.0.1:{monitor.port}")

    assert shown(monitor) == (IDLE, None)
    assert stats(monitor).low_confidence_count == 1


async def test_the_child_of_a_fork_reports_for_itself(
    monitor: MonitorServer, eventually: Eventually
) -> None:
    code = """
r = StatusReporter()
r.detecting("parent")
r.result()
pid = os.fork()
if pid == 0:
    r.result()
    r.close(20)
    os._exit(0)
os.waitpid(pid, 0)
r.close(20)
"""

    await run_script(code, f"http://127.0.0.1:{monitor.port}")

    assert stats(monitor).total_processed == 2


async def test_a_script_needs_nothing_but_python(monitor: MonitorServer) -> None:
    # -S leaves out all that is installed, so every import comes from Python itself or from here.
    code = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})\n"
    code += "from castray.monitor.reporter import StatusReporter\n"
    code += f"with StatusReporter('http://127.0.0.1:{monitor.port}') as r: r.result()"

    script = await asyncio.create_subprocess_exec(sys.executable, "-I", "-S", "-c", code)

    assert await asyncio.wait_for(script.wait(), 60) == 0
    assert stats(monitor).total_processed == 1


async def test_however_much_is_untold_no_report_is_too_large(eventually: Eventually) -> None:
    gone = MonitorServer(port=0)
    await gone.start()
    await gone.aclose()
    with StatusReporter(f"http://127.0.0.1:{gone.port}") as reporter:
        for number in range(5_000):
            reporter.result(inference_ms=number / 7)
            reporter.error("\x00" * 1_000)

        monitor = MonitorServer(port=gone.port)
        await monitor.start()
        await eventually(lambda: stats(monitor).total_processed == 5_000)

    assert monitor.feed.state.errors
    await monitor.aclose()
