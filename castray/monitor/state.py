"""What a monitor knows: reports of the script in, its status out. No I/O, no clock."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from castray.core.status import shorten
from castray.models import MonitorStats, WorkReport, WorkStatus
from castray.monitor.window import InferenceWindow

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["InferenceResults", "LogEntry", "MonitorState", "StatusUpdate"]

MAX_LOG_ENTRIES = 100
"""So many alerts and so many errors are kept, the newest."""

TASK_KEYS = ("current_task", "task", "name")
"""Where a `task_info` may name the task, for a report without a `message`."""

Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Milliseconds = Annotated[float, Field(ge=0, le=86_400_000, allow_inf_nan=False)]


class InferenceResults(BaseModel):
    """What was inferred since the last report."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    processed: Count = 0
    low_confidence: Count = 0
    sent_to_server: Count = 0
    inference_ms: tuple[Milliseconds, ...] = ()

    @model_validator(mode="after")
    def _check_part(self) -> InferenceResults:
        if self.low_confidence > self.processed:
            raise ValueError("low_confidence counts some of processed, so it cannot be more")
        return self


class StatusUpdate(BaseModel):
    """The body of `POST /api/update_status`; scripts of old send the first three keys."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    status: Literal["idle", "detecting", "sending"]
    message: str | None = None
    task_info: dict[str, Any] | None = None
    results: InferenceResults | None = None
    errors: tuple[str, ...] = ()
    valid_s: Annotated[float, Field(gt=0, le=86_400)] | None = Field(
        None, description="The status falls back to idle when no report follows within this time."
    )


class LogEntry(NamedTuple):
    """One alert or error."""

    timestamp: datetime
    message: str


class MonitorState:
    """The status of one node's script, its statistics, and the newest alerts and errors.

    Args:
        now: When the monitor started; the script counts as idle since then.
    """

    def __init__(self, now: datetime) -> None:
        self._status = WorkStatus.IDLE
        self._since = now
        self._task: str | None = None
        self._expires: datetime | None = None
        self._processed = self._low_confidence = self._sent = 0
        self._window = InferenceWindow(now)
        self._alerts: deque[LogEntry] = deque(maxlen=MAX_LOG_ENTRIES)
        self._errors: deque[LogEntry] = deque(maxlen=MAX_LOG_ENTRIES)

    @property
    def alerts(self) -> tuple[LogEntry, ...]:
        """The newest alerts, the newest first."""
        return tuple(reversed(self._alerts))

    @property
    def errors(self) -> tuple[LogEntry, ...]:
        """The newest errors, the newest first."""
        return tuple(reversed(self._errors))

    def apply(self, update: StatusUpdate, now: datetime) -> bool:
        """Take in what the script reports; returns whether its status is another now."""
        status = WorkStatus(update.status)
        changed = self._enter(status, now)
        self._task = _task_name(update)
        self._expires = now + timedelta(seconds=update.valid_s) if update.valid_s else None
        self._log(self._errors, update.errors, now)
        began_sending = changed and status is WorkStatus.SENDING
        # A script of old counts nothing: each turn to sending is one request.
        results = update.results or InferenceResults(sent_to_server=int(began_sending))
        self._count(results, now)
        if began_sending or results.sent_to_server:
            self._log(self._alerts, [_alert(results.sent_to_server, self._task)], now)
        return changed

    def expire(self, now: datetime) -> bool:
        """Fall back to idle if the script promised to report and did not; whether it fell."""
        if self._expires is None or now < self._expires or self._status is WorkStatus.IDLE:
            return False
        gone = f"The script that reported {self._status.value} fell silent: it was killed or hangs."
        self._log(self._errors, [gone], now)
        self._task = None
        return self._enter(WorkStatus.IDLE, now)

    def forget(self, now: datetime) -> bool:
        """Drop what has left the window of the statistics; returns whether anything had."""
        return self._window.forget(now)

    def report(self, now: datetime) -> WorkReport:
        """Everything that `/api/status` says."""
        return WorkReport(
            status=self._status,
            since=self._since,
            current_task=self._task,
            stats=MonitorStats.model_validate(
                {
                    "total_processed": self._processed,
                    "low_confidence_count": self._low_confidence,
                    "sent_to_server": self._sent,
                    **self._window.figures(now),
                }
            ),
        )

    def _enter(self, status: WorkStatus, now: datetime) -> bool:
        if status is self._status:
            return False
        self._status, self._since = status, now
        return True

    def _count(self, results: InferenceResults, now: datetime) -> None:
        if not any((results.processed, results.sent_to_server, results.inference_ms)):
            return
        self._processed += results.processed
        self._low_confidence += results.low_confidence
        self._sent += results.sent_to_server
        self._window.add(
            now,
            processed=results.processed,
            low_confidence=results.low_confidence,
            requests=results.sent_to_server,
            times_ms=results.inference_ms,
        )

    def _log(self, log: deque[LogEntry], messages: Iterable[str], now: datetime) -> None:
        log.extend(LogEntry(timestamp=now, message=shorten(text)) for text in messages)


def _task_name(update: StatusUpdate) -> str | None:
    named = (update.task_info or {}).get
    candidates = (update.message, *(named(key) for key in TASK_KEYS))
    return next((shorten(text) for text in candidates if isinstance(text, str) and text), None)


def _alert(requests: int, task: str | None) -> str:
    times = "" if requests <= 1 else f" {requests} times"
    return f"Sent to the server{times}: {task or 'no task named'}."
