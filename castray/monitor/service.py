"""The monitor of an edge node: what its inference script is doing, told over HTTP.

As a program (`run_monitor`), or inside another asyncio program (`MonitorServer`).
"""

from __future__ import annotations

import asyncio
import errno
import signal
import sys
import time

import aiohttp
from aiohttp import web

from castray import __version__
from castray.monitor.feed import StatusFeed
from castray.monitor.routes import build_app

__all__ = ["MonitorServer", "run_monitor"]

KEEPALIVE_TIMEOUT_S = 75.0
"""How long a connection may rest between two requests."""

SHUTDOWN_TIMEOUT_S = 1.0
"""How long requests in flight may take once the monitor ends."""


STEP_ASIDE_WITHIN_S = 3.0
STEP_ASIDE_RETRY_S = 0.05
"""How long, and how often, a monitor tries to take over the port of an embedded one."""


class MonitorServer:
    """A monitor inside an asyncio program.

    Args:
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one, and `port` then says which.
        allow_remote_updates: Whether scripts on other machines may report.
        steps_aside: Whether it leaves its port to a monitor that is started for itself.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 8000,
        *,
        allow_remote_updates: bool = False,
        steps_aside: bool = False,
    ) -> None:
        self.port = port
        self._host = host
        self.feed = StatusFeed()
        self._asked_to_step_aside = asyncio.Event()
        self._runner = web.AppRunner(
            build_app(
                self.feed,
                allow_remote_updates=allow_remote_updates,
                step_aside=self._asked_to_step_aside.set if steps_aside else None,
            ),
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

    async def wait_to_step_aside(self) -> None:
        """Wait until a monitor of its own wants the port; the embedder then closes this one."""
        await self._asked_to_step_aside.wait()


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
    await _start(server)
    shown = f"[{host}]" if ":" in host else host
    sys.stdout.write(f"CM-ZSB monitor {__version__} on http://{shown}:{server.port}\n")
    sys.stdout.flush()
    await stop.wait()
    await server.aclose()


async def _start(server: MonitorServer) -> None:
    """Listen; where CastRay itself is the monitor on that port, in its place."""
    try:
        await server.start()
    except OSError as error:
        if error.errno != errno.EADDRINUSE or not await _ask_to_step_aside(server.port):
            raise
        deadline = time.monotonic() + STEP_ASIDE_WITHIN_S
        while True:
            try:
                await server.start()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(STEP_ASIDE_RETRY_S)
            else:
                return


async def _ask_to_step_aside(port: int) -> bool:
    """Whether an embedded monitor has that port, and leaves it now."""
    url = f"http://127.0.0.1:{port}/api/step_aside"
    timeout = aiohttp.ClientTimeout(total=STEP_ASIDE_WITHIN_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, json={}, allow_redirects=False) as answer,
        ):
            return answer.status == 200
    except (aiohttp.ClientError, OSError, asyncio.TimeoutError):
        return False
