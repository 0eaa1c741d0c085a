"""The HTTP API of a monitor."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web
from pydantic import ValidationError

from castray import __version__
from castray.monitor.feed import StatusFeed
from castray.monitor.guard import refuse_strangers, refuse_web_pages
from castray.monitor.problems import Problem, invalid_body, problem_bodies
from castray.monitor.state import StatusUpdate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from castray.models import WorkReport
    from castray.monitor.state import LogEntry

__all__ = ["SERVICE_NAME", "build_app"]

SERVICE_NAME = "CM-ZSB监控"

MAX_BODY_BYTES = 64 * 1024

BODY_TIMEOUT_S = 5.0
"""A report that takes longer to arrive is given up."""

KEEP_ALIVE_S = 1.0
"""A stream with nothing to tell says that it lives; readers take three silent seconds as lost."""

STALLED_READER_S = 5.0
"""A stream whose reader takes nothing for so long is closed."""

MAX_STREAMS = 64

FEED = web.AppKey("feed", StatusFeed)
ALLOW_REMOTE_UPDATES = web.AppKey("allow_remote_updates", bool)
STEP_ASIDE: web.AppKey[Callable[[], None] | None] = web.AppKey("step_aside")

logger = logging.getLogger(__name__)


def build_app(
    feed: StatusFeed,
    *,
    allow_remote_updates: bool = False,
    step_aside: Callable[[], None] | None = None,
) -> web.Application:
    """The monitor's HTTP API over that feed, which it keeps running.

    Args:
        feed: The state, with those who wait for its changes.
        allow_remote_updates: Whether scripts on other machines may report.
        step_aside: Called when a monitor of its own wants the port of this embedded one.
    """
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[problem_bodies])
    app[FEED] = feed
    app[ALLOW_REMOTE_UPDATES] = allow_remote_updates
    app[STEP_ASIDE] = step_aside
    app.router.add_get("/api/status", _get_status)
    app.router.add_get("/api/status/stream", _stream_status, allow_head=False)
    app.router.add_post("/api/update_status", _update_status)
    app.router.add_post("/api/step_aside", _step_aside)
    app.router.add_get("/api/health", _get_health)
    app.router.add_get("/api/nodes/{node_id}/status", _get_node_status)
    app.router.add_get("/api/alerts", _get_alerts)
    app.router.add_get("/api/errors", _get_errors)
    app.cleanup_ctx.append(_running_feed)
    app.on_shutdown.append(_close_feed)
    return app


async def _running_feed(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(app[FEED].run())
    task.add_done_callback(_log_failure)
    yield
    task.cancel()
    await asyncio.wait([task])


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("Statistics are no longer told and statuses never expire.", exc_info=error)


async def _close_feed(app: web.Application) -> None:
    app[FEED].close()


async def _get_status(request: web.Request) -> web.Response:
    return _json(_status_body(request.app[FEED].report()))


async def _stream_status(request: web.Request) -> web.StreamResponse:
    feed = request.app[FEED]
    if feed.subscriber_count >= MAX_STREAMS:
        raise Problem(503, f"{MAX_STREAMS} streams are open already: close one, or poll.")
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store"}
    )
    with feed.subscribe() as reports, suppress(ConnectionResetError):
        await response.prepare(request)
        while event := await _next_event(reports):
            try:
                await asyncio.wait_for(response.write(event), STALLED_READER_S)
            except asyncio.TimeoutError:
                if request.transport is not None:
                    request.transport.abort()
                break
    return response


async def _next_event(reports: asyncio.Queue[WorkReport | None]) -> bytes:
    try:
        report = await asyncio.wait_for(reports.get(), KEEP_ALIVE_S)
    except asyncio.TimeoutError:
        return b": keep-alive\n\n"
    return f"data: {_dump(_status_body(report))}\n\n".encode() if report else b""


async def _update_status(request: web.Request) -> web.Response:
    if not request.app[ALLOW_REMOTE_UPDATES]:
        refuse_strangers(request)
    refuse_web_pages(request)
    try:
        body = await asyncio.wait_for(request.read(), BODY_TIMEOUT_S)
    except asyncio.TimeoutError:
        raise Problem(408, f"The body did not arrive within {BODY_TIMEOUT_S:g} s.") from None
    try:
        update = StatusUpdate.model_validate_json(body)
    except ValidationError as error:
        raise invalid_body(error) from None
    request.app[FEED].apply(update)
    return _json({"success": True})


async def _step_aside(request: web.Request) -> web.Response:
    refuse_strangers(request)
    refuse_web_pages(request)
    step_aside = request.app[STEP_ASIDE]
    if step_aside is None:
        raise Problem(409, "This monitor was started for itself: stop it to free its port.")
    step_aside()
    return _json({"success": True})


async def _get_health(_: web.Request) -> web.Response:
    return _json(
        {
            "status": "healthy",
            "service": SERVICE_NAME,
            "version": __version__,
            "capabilities": ["stream"],
        }
    )


async def _get_node_status(request: web.Request) -> web.Response:
    status = _status_body(request.app[FEED].report())
    return _json(
        {
            "node_id": request.match_info["node_id"],
            "status": status["status"],
            "timestamp": status["timestamp"],
            "details": status["latest_state"],
        }
    )


async def _get_alerts(request: web.Request) -> web.Response:
    return _json({"alerts": _log_body(request.app[FEED].state.alerts)})


async def _get_errors(request: web.Request) -> web.Response:
    return _json({"errors": _log_body(request.app[FEED].state.errors)})


def _status_body(report: WorkReport) -> dict[str, object]:
    status = report.status.value
    since = report.since.isoformat() if report.since else None
    return {
        "status": status,
        "timestamp": since,
        "latest_state": {"status": status, "timestamp": since, "current_task": report.current_task},
        "stats": report.stats.model_dump() if report.stats else {},
    }


def _log_body(entries: Iterable[LogEntry]) -> list[dict[str, str]]:
    return [{"timestamp": at.isoformat(), "message": message} for at, message in entries]


def _json(body: object) -> web.Response:
    return web.json_response(body, dumps=_dump)


def _dump(body: object) -> str:
    return json.dumps(body, ensure_ascii=False)
