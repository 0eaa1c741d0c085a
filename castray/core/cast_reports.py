"""What an agent's report of a cast that it receives means for that cast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from castray.cast_models import CastState
from castray.core.cast_state import (
    TargetDone,
    TargetFailed,
    TargetLost,
    TargetProgressed,
    TargetStarted,
)

if TYPE_CHECKING:
    from castray.cast_models import CastProblem
    from castray.core.cast_state import CastEvent

__all__ = ["Report", "event_of", "has_ended"]


class Report(Protocol):
    """How far one receiver is."""

    @property
    def cast_id(self) -> str: ...
    @property
    def state(self) -> CastState: ...
    @property
    def path(self) -> str: ...
    @property
    def bytes_total(self) -> int | None: ...
    @property
    def bytes_done(self) -> int: ...
    @property
    def files(self) -> int: ...
    @property
    def error(self) -> str | None: ...
    @property
    def can_retry(self) -> bool: ...
    @property
    def problems(self) -> tuple[CastProblem, ...]: ...
    @property
    def problems_total(self) -> int: ...


def has_ended(report: Report) -> bool:
    """Whether that receiver does nothing any more."""
    return report.state not in (CastState.QUEUED, CastState.RUNNING, CastState.PAUSED)


def event_of(node: str, report: Report, rate_bytes_per_s: float | None) -> CastEvent | None:
    """What has happened to the target, if anything.

    Args:
        node: The target's key.
        report: What its agent said.
        rate_bytes_per_s: What was seen of its speed.
    """
    went_through = report.state in (CastState.COMPLETED, CastState.PARTIAL)
    if went_through or (report.state is CastState.FAILED and report.problems_total):
        return TargetDone(
            node,
            report.path,
            report.bytes_done if report.bytes_total is None else report.bytes_total,
            report.bytes_done,
            report.files,
            report.problems,
            report.problems_total,
        )
    if report.state is CastState.CANCELLED or (has_ended(report) and report.can_retry):
        return TargetLost(node)
    if report.state is CastState.FAILED:
        return TargetFailed(node, report.error or "The receiver gave up and did not say why.")
    if report.state is CastState.RUNNING and report.bytes_total is not None:
        return TargetProgressed(node, report.bytes_total, report.bytes_done, rate_bytes_per_s)
    return TargetStarted(node) if report.state is CastState.RUNNING else None
