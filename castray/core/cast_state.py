"""How far a cast is, from what its receivers say: events in, a new record out.

Only a receiver's own word makes a target completed: everything verified and under its final name.
What has ended stays so, unless somebody asks for a retry; the one exception is a target that was
cancelled a moment too late and says that it has everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from castray.cast_models import CastState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from castray.cast_models import Cast, CastProblem, CastRoute, CastTarget

__all__ = [
    "ENDED",
    "CancelAsked",
    "CastEvent",
    "PauseAsked",
    "RateMeter",
    "ResumeAsked",
    "RetryAsked",
    "TargetDone",
    "TargetFailed",
    "TargetLost",
    "TargetProgressed",
    "TargetStarted",
    "TargetWaits",
    "apply_cast_event",
    "overall_state",
]

ENDED = {CastState.COMPLETED, CastState.PARTIAL, CastState.FAILED, CastState.CANCELLED}

RATE_WINDOW_S = 5.0
"""What a rate is an average over: long enough to be calm, short enough to be true."""


@dataclass(frozen=True)
class TargetWaits:
    """A target's turn has not come yet."""

    node: str
    waits_for: str


@dataclass(frozen=True)
class TargetStarted:
    """A receiver began to work, and gets its bytes that way."""

    node: str
    route: CastRoute | None = None


@dataclass(frozen=True)
class TargetProgressed:
    """A receiver has more; bytes, and bytes per second."""

    node: str
    bytes_total: int
    bytes_done: int
    rate_bytes_per_s: float | None


@dataclass(frozen=True)
class TargetDone:
    """A receiver has everything in its place, but for the files in `problems`."""

    node: str
    path: str
    bytes_total: int
    bytes_done: int
    files: int
    problems: tuple[CastProblem, ...] = ()
    problems_total: int = 0


@dataclass(frozen=True)
class TargetFailed:
    """A receiver gave up; no more of it is in place than was before."""

    node: str
    error: str


@dataclass(frozen=True)
class TargetLost:
    """A receiver's agent is gone; another one goes on from what was verified."""

    node: str


@dataclass(frozen=True)
class PauseAsked:
    """Somebody wants the cast to rest."""


@dataclass(frozen=True)
class ResumeAsked:
    """Somebody wants it to go on."""


@dataclass(frozen=True)
class CancelAsked:
    """Somebody wants it to end."""


@dataclass(frozen=True)
class RetryAsked:
    """Somebody wants what did not arrive to be tried again."""


CastEvent = (
    TargetWaits
    | TargetStarted
    | TargetProgressed
    | TargetDone
    | TargetFailed
    | TargetLost
    | PauseAsked
    | ResumeAsked
    | CancelAsked
    | RetryAsked
)


def apply_cast_event(cast: Cast, event: CastEvent, now: datetime) -> Cast:
    """The cast after an event; the same object where the event changes nothing."""
    change = _change(event)
    node = getattr(event, "node", None)
    targets = tuple(
        change(target) if node in (None, target.node) else target for target in cast.targets
    )
    if targets == cast.targets:
        return cast
    state = overall_state(target.state for target in targets)
    totals = [target.bytes_total for target in targets if target.bytes_total is not None]
    moving = [target for target in targets if target.state is CastState.RUNNING]
    rates = [target.rate_bytes_per_s for target in moving if target.rate_bytes_per_s is not None]
    times = [target.eta_s for target in moving]
    return cast.model_copy(
        update={
            "targets": targets,
            "state": state,
            "bytes_total": sum(totals) if len(totals) == len(targets) else cast.bytes_total,
            "bytes_done": sum(target.bytes_done for target in targets),
            "rate_bytes_per_s": sum(rates) if rates else None,
            "eta_s": None if not times or None in times else max(t for t in times if t is not None),
            "ended": (cast.ended or now) if state in ENDED else None,
        }
    )


def overall_state(states: Iterable[CastState]) -> CastState:
    """The state of a cast whose targets are in these states."""
    found = set(states)
    for state in (CastState.RUNNING, CastState.QUEUED, CastState.PAUSED):
        if state in found:
            return state
    if len(found) == 1:
        return found.pop()
    if found & {CastState.COMPLETED, CastState.PARTIAL}:
        return CastState.PARTIAL
    return CastState.FAILED


class RateMeter:
    """Bytes per second over the last seconds, from how many there were when."""

    def __init__(self) -> None:
        self._samples: list[tuple[float, int]] = []

    def update(self, bytes_done: int, now: float) -> float | None:
        """Take a sample, in seconds of any clock.

        Returns:
            The rate, or None before there are two samples.
        """
        self._samples.append((now, bytes_done))
        while len(self._samples) > 2 and self._samples[1][0] <= now - RATE_WINDOW_S:
            self._samples.pop(0)
        began_at, began = self._samples[0]
        elapsed_s = now - began_at
        # Fewer than before: a damaged file was thrown away.
        return max(0.0, (bytes_done - began) / elapsed_s) if elapsed_s > 0 else None


def _change(event: CastEvent) -> Callable[[CastTarget], CastTarget]:
    """What an event makes of a target that it is about."""

    def change(target: CastTarget) -> CastTarget:
        if isinstance(event, TargetDone):
            return _done(target, event)
        if isinstance(event, RetryAsked):
            return _retried(target)
        if target.state in ENDED:
            return target
        if isinstance(event, CancelAsked):
            return _resting(target, CastState.CANCELLED)
        if isinstance(event, PauseAsked):
            return _resting(target, CastState.PAUSED)
        if isinstance(event, TargetFailed):
            return _resting(target, CastState.FAILED).model_copy(update={"error": event.error})
        if target.state is CastState.PAUSED:
            return _resting(target, CastState.QUEUED) if isinstance(event, ResumeAsked) else target
        return _moving(target, event)

    return change


def _moving(target: CastTarget, event: CastEvent) -> CastTarget:
    """What becomes of a target that is queued or running."""
    if isinstance(event, TargetWaits) and target.state is CastState.QUEUED:
        return target.model_copy(update={"waits_for": event.waits_for})
    if isinstance(event, TargetLost):
        return _resting(target, CastState.QUEUED)
    if isinstance(event, TargetStarted):
        route = event.route or target.route
        return target.model_copy(
            update={"state": CastState.RUNNING, "waits_for": None, "route": route}
        )
    if isinstance(event, TargetProgressed):
        rate, left = event.rate_bytes_per_s, event.bytes_total - event.bytes_done
        return target.model_copy(
            update={
                "state": CastState.RUNNING,
                "waits_for": None,
                "bytes_total": event.bytes_total,
                "bytes_done": event.bytes_done,
                "rate_bytes_per_s": rate,
                "eta_s": round(left / rate, 1) if rate else None,
            }
        )
    return target


def _resting(target: CastTarget, state: CastState) -> CastTarget:
    """A target on which nothing moves, so that nothing is said of rates."""
    return target.model_copy(
        update={"state": state, "rate_bytes_per_s": None, "eta_s": None, "waits_for": None}
    )


def _done(target: CastTarget, event: TargetDone) -> CastTarget:
    if target.state is CastState.COMPLETED:
        return target
    state = CastState.COMPLETED
    if event.problems_total:
        state = CastState.PARTIAL if event.files else CastState.FAILED
    error = None
    if event.problems_total:
        first = event.problems[0]
        error = (
            f"{event.problems_total} of its files failed; the first: {first.path} {first.problem}"
        )
    return _resting(target, state).model_copy(
        update={
            "path": event.path,
            "bytes_total": event.bytes_total,
            "bytes_done": event.bytes_done,
            "error": error,
            "problems": event.problems,
            "problems_total": event.problems_total,
        }
    )


def _retried(target: CastTarget) -> CastTarget:
    if target.state not in ENDED - {CastState.COMPLETED}:
        return target
    cleared = {"error": None, "problems": (), "problems_total": 0}
    return _resting(target, CastState.QUEUED).model_copy(update=cleared)
