"""A monitor that speaks only the fixed part of the contract, as those of old do: no stream.

python -m bench.plain_monitor --port PORT
"""

from __future__ import annotations

import argparse
from datetime import datetime, timezone

from aiohttp import web

__all__ = ["main"]

_latest: dict[str, object] = {}


def main() -> None:
    """Run it until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    app = web.Application()
    app.router.add_get("/api/health", _get_health)
    app.router.add_get("/api/status", _get_status)
    app.router.add_post("/api/update_status", _update_status)
    _remember("idle", None)
    web.run_app(app, host="127.0.0.1", port=parser.parse_args().port, print=None, access_log=None)


async def _get_health(_: web.Request) -> web.Response:
    return web.json_response({"status": "healthy", "service": "CM-ZSB监控"})


async def _get_status(_: web.Request) -> web.Response:
    stats = {"total_processed": 0, "low_confidence_count": 0, "sent_to_server": 0}
    now = datetime.now(timezone.utc).isoformat()
    return web.json_response(
        {"status": _latest["status"], "timestamp": now, "latest_state": _latest, "stats": stats}
    )


async def _update_status(request: web.Request) -> web.Response:
    body = await request.json()
    _remember(body["status"], body.get("message"))
    return web.json_response({"success": True})


def _remember(status: str, task: str | None) -> None:
    now = datetime.now(timezone.utc).isoformat()
    _latest.update(status=status, timestamp=now, current_task=task)


if __name__ == "__main__":
    main()
