"""The monitor of an edge node: what its inference script is doing, told over HTTP.

As a program (`run_monitor`), or inside another asyncio program (`MonitorServer`).
"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

from aiohttp import web

from castray import __version__
from castray.monitor.feed import StatusFeed
from castray.monitor.routes import build_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from castray.models import WorkReport

__all__ = ["MonitorServer", "run_monitor"]

KEEPALIVE_TIMEOUT_S = 75.0
"""How long a connection may rest between two requests."""

SHUTDOWN_TIMEOUT_S = 1.0
"""How long requests in flight may take once the monitor ends."""


class MonitorServer:
    """A monitor inside an asyncio program.

    Args:
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one, and `port` then says which.
        allow_remote_updates: Whether scripts on other machines may report.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 8000, *, allow_remote_updates: bool = False
    ) -> None:
        self.port = port
        self._host = host
        self.feed = StatusFeed()
        self._runner = web.AppRunner(
            build_app(self.feed, allow_remote_updates=allow_remote_updates),
            access_log=None,
            keepalive_timeout=KEEPALIVE_TIMEOUT_S,
            shutdown_timeout=SHUTDOWN_TIMEOUT_S,
        )

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: The port is taken, or the address is none of this machine.
        """
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self.port).start()
        except OSError:
            await self.aclose()
            raise
        self.port = self._runner.addresses[0][1]

    async def aclose(self) -> None:
        """Stop listening and end every stream; nothing is left to do the second time."""
        await self._runner.cleanup()

    async def changes(self) -> AsyncIterator[WorkReport]:
        """The status now, then every change of it, until the monitor is closed."""
        with self.feed.subscribe() as reports:
            while (report := await reports.get()) is not None:
                yield report


def run_monitor(host: str, port: int, *, allow_remote_updates: bool = False) -> None:
    """Run a monitor until SIGINT or SIGTERM.

    Args:
        host: The address to listen on.
        port: The port to listen on.
        allow_remote_updates: Whether scripts on other machines may report.

    Raises:
        SystemExit: It cannot listen there; the text says why and what to do.
    """
    server = MonitorServer(host, port, allow_remote_updates=allow_remote_updates)
    try:
        asyncio.run(_run_until_signal(server, host))
    except OSError as error:
        raise SystemExit(
            f"The monitor cannot listen on {host} port {port} ({error.strerror or error}). Stop "
            f"what has the port (`ss -ltnp 'sport = :{port}'` shows it), or choose another with "
            "--port and label the node castray.io/monitor-port."
        ) from None


async def _run_until_signal(server: MonitorServer, host: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await server.start()
    shown = f"[{host}]" if ":" in host else host
    sys.stdout.write(f"CM-ZSB monitor {__version__} on http://{shown}:{server.port}\n")
    sys.stdout.flush()
    await stop.wait()
    await server.aclose()
