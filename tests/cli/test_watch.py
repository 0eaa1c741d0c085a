"""`castray watch`, in a terminal."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from castray.models import WorkStatus
from tests.core.given import members, reported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.api.memory_backend import MemoryBackend
    from tests.cli.conftest import RunCastray
    from tests.page.server import PageServer

DEADLINE_S = 30.0


class Terminal:
    """A terminal in which `castray watch` runs."""

    def __init__(self, process: asyncio.subprocess.Process, screen: int) -> None:
        self.process = process
        self._screen = screen
        self._written = ""
        self._news = asyncio.Event()
        asyncio.get_running_loop().add_reader(screen, self._read)

    async def until_shown(self, text: str) -> None:
        """Wait until that is shown, after whatever was waited for before.

        Raises:
            asyncio.TimeoutError: It is not.
        """
        while text not in self._written:
            await asyncio.wait_for(self._news.wait(), DEADLINE_S)
            self._news.clear()
        self._written = self._written.partition(text)[2]

    def close(self) -> None:
        """Stop reading."""
        asyncio.get_running_loop().remove_reader(self._screen)
        os.close(self._screen)

    def _read(self) -> None:
        self._written += os.read(self._screen, 65536).decode("utf-8", "replace")
        self._news.set()


@pytest.fixture
async def terminal(server: PageServer) -> AsyncIterator[Terminal]:
    """A terminal that shows what that CastRay knows."""
    screen, inner = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from castray.cli import main; main()"),
        *("watch", "--url", server.url),
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=os.environ | {"COLUMNS": "160", "LINES": "40", "TERM": "xterm"},
    )
    terminal = Terminal(process, screen)
    yield terminal
    if process.returncode is None:
        process.kill()
        await process.wait()
    terminal.close()
    os.close(inner)


async def test_every_change_is_shown_until_ctrl_c(
    terminal: Terminal, registry: MemoryBackend
) -> None:
    registry.apply(members("m1"), reported("m1", WorkStatus.DETECTING, "camera 2"))
    await terminal.until_shown("camera 2")

    registry.apply(reported("m1", WorkStatus.SENDING, "sample 7"))
    await terminal.until_shown("sending")
    await terminal.until_shown("sample 7")
    terminal.process.send_signal(signal.SIGINT)

    assert await asyncio.wait_for(terminal.process.wait(), DEADLINE_S) == 0


async def test_a_castray_that_is_away_is_waited_for(terminal: Terminal, server: PageServer) -> None:
    await terminal.until_shown("Live from")

    await server.stop()
    await terminal.until_shown("No connection")
    await server.start()

    await terminal.until_shown("Live from")


def test_without_a_terminal_it_says_what_to_use(castray: RunCastray) -> None:
    result = castray("watch")

    assert result.exit_code == 1
    assert "castray status --json" in result.output
