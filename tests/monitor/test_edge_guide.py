"""What the guide for edge nodes tells people to type."""

from __future__ import annotations

import asyncio
import configparser
import re
import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from castray.models import WorkStatus
from castray.monitor.__main__ import build_parser
from tests.hosts import REPOSITORY

if TYPE_CHECKING:
    from castray.monitor.service import MonitorServer

GUIDES = ["docs/edge-node.md", "docs/edge-node.zh-CN.md"]
UNIT = REPOSITORY / "deploy/systemd/cm-zsb-monitor.service"


def blocks(guide: str, language: str) -> list[str]:
    text = (REPOSITORY / guide).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


async def run(*command: str, url: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin", "CASTRAY_MONITOR_URL": url},
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, output.decode()


@pytest.mark.parametrize("guide", GUIDES)
async def test_each_curl_line_of_the_guide_works_as_typed(
    guide: str, monitor: MonitorServer
) -> None:
    lines = [line for block in blocks(guide, "bash") for line in block.splitlines()]
    curls = [line for line in lines if line.startswith("curl ")]

    url = f"http://localhost:{monitor.port}"
    for line in curls:
        typed = shlex.split(line.replace("http://localhost:8000", url))
        code, output = await run(*typed, "--silent", "--show-error", "--fail", url=url)
        assert (code, output[:1]) == (0, "{")

    assert len(curls) == 5
    assert monitor.feed.report().status is WorkStatus.DETECTING


@pytest.mark.parametrize("guide", GUIDES)
async def test_the_script_of_the_guide_reports(guide: str, monitor: MonitorServer) -> None:
    (script,) = blocks(guide, "python")

    code, _ = await run(sys.executable, "-c", script, url=f"http://127.0.0.1:{monitor.port}")

    stats = monitor.feed.report().stats
    assert code == 0
    assert stats is not None
    assert (stats.total_processed, stats.low_confidence_count) == (1, 1)


def test_the_guides_show_the_same_commands_in_both_languages() -> None:
    english, chinese = (blocks(guide, "bash") for guide in GUIDES)

    assert english == chinese


def test_the_unit_starts_the_monitor_that_the_guide_installs() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.read(UNIT)

    python, *arguments = shlex.split(unit["Service"]["ExecStart"])

    assert any(f"{python} -m castray.monitor" in block for block in blocks(GUIDES[0], "bash"))
    assert arguments[:2] == ["-m", "castray.monitor"]
    assert build_parser().parse_args(arguments[2:]).port == 8000
