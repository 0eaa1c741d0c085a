"""Reads one monitor, whatever it is that answers: every wait and every size is bounded."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple

import aiohttp

from castray.core.status import Answer, Health, parse_health, parse_status, port_is_castray
from castray.models import MonitorKind, Reason, ReasonCode, WorkReport
from castray.monitor.sse import EventParser, OversizedEventError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ["MonitorClient", "MonitorReading"]

MAX_BODY_BYTES = 64 * 1024

STREAM_SILENCE_S = 3.0
"""A stream without a whole line for so long is lost: monitors send one each second."""

MIN_EVENT_GAP_S = 0.02
"""Changes that follow each other faster are read as one: no monitor can flood its reader."""


class MonitorReading(NamedTuple):
    """What was read of a monitor once: its report, or the reason why there is none."""

    kind: MonitorKind | None
    version: str | None
    result: WorkReport | Reason


class MonitorClient:
    """Reads the monitor at one address.

    Args:
        base_url: Where it is, such as `http://127.0.0.1:8000`.
        session: Makes the requests; the caller closes it.
        timeout_s: The most that one request may take, from connecting to its last byte.
    """

    def __init__(
        self,
        base_url: str,
        session: aiohttp.ClientSession,
        *,
        timeout_s: float = 1.0,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.last_seen: datetime | None = None
        """When the monitor last said anything that made sense, keep-alives included."""
        self._session = session
        self._timeout_s = timeout_s

    async def watch(self, poll_interval_s: float) -> AsyncGenerator[MonitorReading, None]:
        """Read for ever: each change where the monitor streams, else once each interval.

        A fault is a reading too, and comes again each interval until it is over. Close the
        generator (`contextlib.aclosing`) to close its connection.
        """
        loop = asyncio.get_running_loop()
        health: Health | Reason | None = None
        while True:
            began = loop.time()
            if health is None:
                health = await self.fetch_health()
            if isinstance(health, Reason):
                yield MonitorReading(None, None, health)
                health = None
            else:
                async with aclosing(self._read_stream(health)) as reports:
                    async for report in reports:
                        yield MonitorReading(MonitorKind.STREAM, health.version, report)
                result = await self.fetch_status(health)
                yield MonitorReading(MonitorKind.POLL, health.version, result)
                # After a fault or a lost stream, somebody else may be there.
                if isinstance(result, Reason) or health.streams:
                    health = None
            await asyncio.sleep(began + poll_interval_s - loop.time())

    async def fetch_health(self) -> Health | Reason:
        """Ask who is there."""
        answer = await self._get("/api/health")
        return answer if isinstance(answer, Reason) else parse_health(answer)

    async def fetch_status(self, health: Health) -> WorkReport | Reason:
        """Ask for the status, of whoever gave that health."""
        if health.is_castray:
            return port_is_castray(self.base_url)
        answer = await self._get("/api/status")
        if isinstance(answer, Reason):
            return answer
        return self._parse(answer, health)

    async def _read_stream(self, health: Health) -> AsyncGenerator[WorkReport, None]:
        """The reports of a stream, until it ends, falls silent or makes no sense."""
        if not health.streams or health.is_castray:
            return
        parser = EventParser(MAX_BODY_BYTES)
        # The poll that follows says what is wrong, if it still is.
        with suppress(aiohttp.ClientError, OSError, asyncio.TimeoutError, OversizedEventError):
            opening = self._open("/api/status/stream", None)
            async with await asyncio.wait_for(opening, self._timeout_s) as response:
                while events := await self._next_events(response, parser):
                    # Several at once are changes that we are late for: the last one counts.
                    report = self._parse(Answer(response.status, events[-1]), health)
                    if isinstance(report, Reason):
                        return
                    yield report
                    await asyncio.sleep(MIN_EVENT_GAP_S)

    async def _open(self, path: str, total_s: float | None) -> aiohttp.ClientResponse:
        return await self._session.get(
            f"{self.base_url}{path}",
            timeout=aiohttp.ClientTimeout(total=total_s),
            allow_redirects=False,
            # A compressed answer could be a thousand times larger than what arrives.
            headers={"Accept-Encoding": "identity"},
            auto_decompress=False,
        )

    async def _next_events(
        self, response: aiohttp.ClientResponse, parser: EventParser
    ) -> list[bytes]:
        """Wait for events; none are the end of the stream."""
        events: list[bytes] = []
        loop = asyncio.get_running_loop()
        deadline = loop.time() + STREAM_SILENCE_S
        while not events:
            chunk = await asyncio.wait_for(response.content.readany(), deadline - loop.time())
            if not chunk:
                break
            lines = parser.lines
            events = parser.feed(chunk)
            if parser.lines > lines:
                self.last_seen = datetime.now(timezone.utc)
                deadline = loop.time() + STREAM_SILENCE_S
        return events

    async def _get(self, path: str) -> Answer | Reason:
        try:
            async with await self._open(path, self._timeout_s) as response:
                body = bytearray()
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > MAX_BODY_BYTES:
                        response.close()
                        return _too_large(self.base_url)
                return Answer(response.status, bytes(body))
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            return _fault(self.base_url, error, self._timeout_s)

    def _parse(self, answer: Answer, health: Health) -> WorkReport | Reason:
        # Monitors of old send times without an offset: their host's, which is mostly this one.
        here = datetime.now().astimezone().tzinfo or timezone.utc
        result = parse_status(answer, health, url=self.base_url, local_timezone=here)
        if isinstance(result, WorkReport):
            self.last_seen = datetime.now(timezone.utc)
        return result


def _too_large(url: str) -> Reason:
    return Reason(
        code=ReasonCode.MONITOR_TOO_LARGE,
        detail=f"What listens at {url} answers more than {MAX_BODY_BYTES} bytes, which no monitor "
        "does: find out what has its port.",
    )


def _fault(url: str, error: Exception, timeout_s: float) -> Reason:
    if isinstance(error, asyncio.TimeoutError):
        return Reason(
            code=ReasonCode.MONITOR_TIMEOUT,
            detail=f"{url} did not answer whole within {timeout_s:g} s: the monitor hangs or the "
            "way to it is slow; restart it.",
        )
    if isinstance(error, aiohttp.ClientConnectorError):
        return Reason(
            code=ReasonCode.NO_MONITOR,
            detail=f"Nothing answers at {url} ({error.os_error.strerror or 'no connection'}): "
            "start a monitor there with `castray monitor`.",
        )
    return Reason(
        code=ReasonCode.MONITOR_BAD_ANSWER,
        detail=f"What listens at {url} breaks off or is no HTTP ({type(error).__name__}): restart "
        "the monitor, or find out what else has its port.",
    )
