"""What the answers on a monitor's port mean: a work report, or the reason why there is none.

Monitors and CastRay share a default port, and anything else may sit on it too. So an answer counts
only when it comes from a monitor: `/api/health` names CM-ZSB, or `/api/status` has a monitor's
shape. Nothing that is sent here raises, whatever it is.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from castray.models import MonitorStats, Reason, ReasonCode, WorkReport, WorkStatus

if TYPE_CHECKING:
    from datetime import tzinfo

__all__ = [
    "MAX_TEXT_CHARS",
    "REPORTABLE",
    "Answer",
    "Health",
    "parse_health",
    "parse_status",
    "port_is_castray",
    "shorten",
    "shown_work_status",
]

MAX_TEXT_CHARS = 500
"""Longer texts from a monitor or a script are cut: they are labels on a card, not documents."""

REPORTABLE = frozenset({WorkStatus.IDLE, WorkStatus.DETECTING, WorkStatus.SENDING})
"""What a script may say it does. Only CastRay itself says unknown."""

# Every integer up to here is exact in JavaScript too; no counter of inferences is larger.
MAX_NUMBER = 2**53


class Answer(NamedTuple):
    """One HTTP answer, its body read whole and within bounds."""

    http_status: int
    body: bytes


class Health(NamedTuple):
    """Who is there, by its `/api/health`; all defaults where that says nothing we know."""

    is_monitor: bool = False
    is_castray: bool = False
    version: str | None = None
    streams: bool = False


def parse_health(answer: Answer) -> Health:
    """Read an answer of `/api/health`; whatever is not understood says nothing."""
    body = _parse_json(answer.body)
    if not isinstance(body, dict):
        return Health()
    service = body.get("service")
    version = body.get("version")
    capabilities = body.get("capabilities")
    return Health(
        is_monitor=isinstance(service, str) and "CM-ZSB" in service,
        is_castray=service == "castray",
        version=shorten(version) if isinstance(version, str) else None,
        streams=isinstance(capabilities, list) and "stream" in capabilities,
    )


def parse_status(
    answer: Answer, health: Health, *, url: str, local_timezone: tzinfo
) -> WorkReport | Reason:
    """Read an answer of `/api/status`.

    Args:
        answer: The answer.
        health: Who gave it.
        url: The base URL that was asked, for the texts.
        local_timezone: In which times without an offset are taken, as old monitors send them.
    """
    if health.is_castray:
        return port_is_castray(url)
    if answer.http_status != 200:
        return _refused(answer.http_status, health, url)
    body = _parse_json(answer.body)
    if body is None:
        return Reason(
            code=ReasonCode.MONITOR_BAD_ANSWER,
            detail=f"What {url}/api/status answers is not JSON: restart the monitor, or find out "
            "what else has its port.",
        )
    if not isinstance(body, dict):
        return _not_a_monitor(url, "its /api/status is no JSON object")
    if "total_nodes" in body and "ray_cluster" in body:
        return port_is_castray(url)
    return _parse_work(body, health, url, local_timezone)


def port_is_castray(url: str) -> Reason:
    """The reason for a port on which CastRay's own API answers."""
    return Reason(
        code=ReasonCode.PORT_IS_CASTRAY,
        detail=f"At {url} CastRay's own API answers, where this node's monitor would be. Start the "
        "monitor on another port and label the node `castray.io/monitor-port`, or set monitor.port "
        "(CASTRAY_MONITOR__PORT).",
    )


def shown_work_status(work: WorkReport, fallback: WorkStatus) -> tuple[WorkStatus, bool]:
    """The status for clients that know three lamps only, and whether somebody confirmed it."""
    if work.status is WorkStatus.UNKNOWN:
        return fallback, False
    return work.status, True


def shorten(text: str) -> str:
    """The text, cut to a label's length and free of what UTF-8 cannot carry."""
    cut = text if len(text) <= MAX_TEXT_CHARS else text[: MAX_TEXT_CHARS - 1] + "…"
    return cut.encode("utf-8", "replace").decode("utf-8")


def _parse_json(body: bytes) -> object:
    # Deep nesting ends in a RecursionError, an integer of thousands of digits in a ValueError.
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _parse_work(
    body: dict[str, Any], health: Health, url: str, local_timezone: tzinfo
) -> WorkReport | Reason:
    status = _parse_reportable(body.get("status"))
    latest, stats = body.get("latest_state"), body.get("stats")
    has_shape = status is not None and (isinstance(latest, dict) or isinstance(stats, dict))
    if not (health.is_monitor or has_shape):
        return _not_a_monitor(url, "its answers have another shape")
    if status is None:
        said = shorten(repr(body.get("status")))
        return Reason(
            code=ReasonCode.MONITOR_BAD_STATUS,
            detail=f"The monitor at {url} says its status is {said[:80]}: only idle, detecting and "
            "sending are known. Correct what the script reports.",
        )
    latest = latest if isinstance(latest, dict) else {}
    task = latest.get("current_task")
    since = _parse_time(latest.get("timestamp"), local_timezone)
    return WorkReport(
        status=status,
        since=since or _parse_time(body.get("timestamp"), local_timezone),
        current_task=shorten(task) if isinstance(task, str) and task else None,
        stats=_parse_stats(stats) if isinstance(stats, dict) else None,
    )


def _parse_reportable(value: object) -> WorkStatus | None:
    return next((status for status in REPORTABLE if status.value == value), None)


def _parse_stats(stats: dict[str, Any]) -> MonitorStats:
    counts = ("total_processed", "low_confidence_count", "sent_to_server")
    figures = {name: _parse_number(stats.get(name)) for name in MonitorStats.model_fields}
    for name in counts:
        count = figures[name]
        figures[name] = None if count is None else int(count)
    return MonitorStats.model_validate(figures)


def _parse_number(value: object) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= MAX_NUMBER:
        return value
    return None


def _parse_time(value: object, local_timezone: tzinfo) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        # Python 3.10 does not read the Z that JavaScript writes.
        parsed = datetime.fromisoformat(value.replace("Z", "+00:00"))
        aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=local_timezone)
        return aware.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def _refused(http_status: int, health: Health, url: str) -> Reason:
    if health.is_monitor or http_status >= 500:
        return Reason(
            code=ReasonCode.MONITOR_HTTP_ERROR,
            detail=f"{url}/api/status answers HTTP {http_status}: see the monitor's log.",
        )
    return _not_a_monitor(url, f"its /api/status answers HTTP {http_status}")


def _not_a_monitor(url: str, because: str) -> Reason:
    return Reason(
        code=ReasonCode.NOT_A_MONITOR,
        detail=f"What listens at {url} is no CM-ZSB monitor ({because}): give the monitor a port "
        "of its own and label the node `castray.io/monitor-port`.",
    )
