"""What an inference script says to the monitor on its node.

    from castray.monitor.reporter import StatusReporter

    reporter = StatusReporter()
    with reporter.detecting("camera 2"):
        confidence = infer(frame)
    reporter.result(confidence=confidence)

No call raises and none waits: a thread of its own does the talking. While the monitor is down the
newest status and the counts are kept, and told once it is back. Needs nothing but Python.
"""

from __future__ import annotations

import atexit
import logging
import math
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, SupportsFloat

from castray.monitor.line import RefusedError, parse_line
from castray.monitor.untold import MAX_TIME_MS, Untold, parse_number, parse_text

if TYPE_CHECKING:
    from typing_extensions import Self

    from castray.monitor.line import Line

__all__ = ["StatusReporter"]

URL_VARIABLE = "CASTRAY_MONITOR_URL"
DEFAULT_URL = "http://127.0.0.1:8000"

STATUS_GAP_S = 0.02
"""A status that follows sooner waits for this, so that a tight loop costs its script little."""

COUNTS_GAP_S = 0.25
"""Counts alone are told at most this often."""

HEARTBEAT_S = 2.0
"""While not idle the status is told again this often, for a monitor that restarted meanwhile."""

MAX_RETRY_GAP_S = 1.0

logger = logging.getLogger(__name__)


class StatusReporter:
    """Reports to one monitor. `detecting`, `sending` and `idle` are calls and context managers.

    Leaving such a context brings back the status that was before it. When the reporter is closed,
    at the latest when the script ends, the status is idle.

    Args:
        url: The monitor; by default what CASTRAY_MONITOR_URL says, else http://127.0.0.1:8000.
        low_confidence_below: A result with less confidence is low, unless it says so itself.
        timeout_s: How long the thread waits for an answer of the monitor.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        low_confidence_below: float = 0.8,
        timeout_s: float = 2.0,
    ) -> None:
        self.url = url or os.environ.get(URL_VARIABLE) or DEFAULT_URL
        self._low_confidence_below = low_confidence_below
        self._timeout_s = timeout_s
        self._begin()
        self._start()
        _reporters.add(self)
        atexit.register(self.close)

    def detecting(self, task: object = None) -> _Stay:
        """Say that the script infers now, and on what."""
        return self._enter("detecting", task)

    def sending(self, task: object = None) -> _Stay:
        """Say that the script asks the server now, and what; each call counts as one request."""
        return self._enter("sending", task, requests=1)

    def idle(self, message: object = None) -> _Stay:
        """Say that the script waits, and what for."""
        return self._enter("idle", message)

    def result(
        self,
        *,
        confidence: SupportsFloat | None = None,
        inference_ms: SupportsFloat | None = None,
        low_confidence: bool | None = None,
    ) -> None:
        """Count one inference.

        Args:
            confidence: How sure the model is, 0 to 1.
            inference_ms: How long it took, in milliseconds.
            low_confidence: Whether that is too little; by default as `low_confidence_below` says.
        """
        sure, time_ms = parse_number(confidence), parse_number(inference_ms)
        if low_confidence is None:
            low = sure is not None and sure < self._low_confidence_below
        else:
            low = bool(parse_number(low_confidence))
        with self._changed:
            self._note_counts()
            self._untold.processed += 1
            self._untold.low_confidence += low
            if time_ms is not None and 0 <= time_ms <= MAX_TIME_MS:
                self._untold.inference_ms.append(time_ms)

    def error(self, message: object) -> None:
        """Tell of an error; the monitor lists the newest."""
        text = parse_text(message)
        with self._changed:
            self._note_counts()
            self._untold.errors.append(text)

    def close(self, timeout_s: float = 0.5) -> None:
        """Say idle, and tell what is untold if that takes no longer than `timeout_s`."""
        atexit.unregister(self.close)
        with self._changed:
            if self._status[0] != "idle":
                self._note_status("idle", "")
            self._closing = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self) -> None:
        """Start as one who said nothing yet; so does the child of a fork, which has no thread."""
        self._line = parse_line(self.url, self._timeout_s)
        self._changed = threading.Condition()
        self._status = ("idle", "")
        self._untold = Untold()
        self._closing = False
        self._tried_at = -math.inf
        self._retry_gap_s = 0.0
        self._problem = ""
        self._thread: threading.Thread | None = None

    def _enter(self, status: str, task: object, requests: int = 0) -> _Stay:
        text = "" if task is None else parse_text(task)
        with self._changed:
            stay = _Stay(self, self._status)
            self._note_status(status, text)
            if requests:
                self._note_counts()
                self._untold.requests += requests
        return stay

    def _return_to(self, status: str, text: str) -> None:
        with self._changed:
            self._note_status(status, text)

    def _note_status(self, status: str, text: str) -> None:
        if self._status == (status, text):
            return
        self._status = (status, text)
        if not self._untold.status:
            self._untold.status = True
            self._wake()

    def _note_counts(self) -> None:
        if not self._untold.counts:
            self._untold.counts = True
            self._wake()

    def _wake(self) -> None:
        if self._thread is None:
            self._start()
        self._changed.notify()

    def _start(self) -> None:
        if self._line is None or self._closing:
            return
        self._thread = threading.Thread(
            target=self._run, args=(self._line,), name="castray-status", daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError as error:
            logger.warning("The status is not reported, for want of a thread: %s", error)
            self._thread = None

    def _run(self, line: Line) -> None:
        closing = False
        while not closing:
            with self._changed:
                while (wait_s := self._wait_s()) is None or wait_s > 0:
                    self._changed.wait(wait_s)
                closing = self._closing
                untold, self._untold = self._untold, Untold()
                status = self._status
            if not closing or untold.status or untold.counts:
                self._tell(line, status, untold)
        line.close()

    def _wait_s(self) -> float | None:
        """How long there is nothing to tell yet; None: until something changes."""
        if self._closing:
            return 0.0
        if self._retry_gap_s:
            gap_s = self._retry_gap_s
        elif self._untold.status:
            gap_s = STATUS_GAP_S
        elif self._untold.counts:
            gap_s = COUNTS_GAP_S
        elif self._status[0] != "idle":
            gap_s = HEARTBEAT_S
        else:
            return None
        return self._tried_at + gap_s - time.monotonic()

    def _tell(self, line: Line, status: tuple[str, str], untold: Untold) -> None:
        problem, retry = "", True
        try:
            line.post(untold.body(*status))
            retry = False
        except RefusedError as error:
            problem, retry = str(error), False
        except TimeoutError:
            # It may have arrived: the counts are given up, so that nothing is counted twice.
            problem = "it does not answer in time"
        except Exception as error:  # noqa: BLE001 - whoever answers, the thread must live
            problem = str(error) or type(error).__name__
            with self._changed:
                self._untold.put_back(untold)
        if problem and not self._problem:
            logger.warning("The monitor at %s does not take the status: %s", self.url, problem)
        elif self._problem and not problem:
            logger.info("The monitor at %s takes the status again.", self.url)
            # One that hung may now read, after this report, an older one that was given up.
            with self._changed:
                self._untold.status = True
        self._problem = problem
        self._retry_gap_s = min(2 * self._retry_gap_s or 0.1, MAX_RETRY_GAP_S) if retry else 0.0
        self._tried_at = time.monotonic()


class _Stay:
    """A status that ends with a `with` block, where it is used in one."""

    __slots__ = ("_before", "_reporter")

    def __init__(self, reporter: StatusReporter, before: tuple[str, str]) -> None:
        self._reporter = reporter
        self._before = before

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._reporter._return_to(*self._before)


_reporters: weakref.WeakSet[StatusReporter] = weakref.WeakSet()


def _begin_in_child() -> None:
    for reporter in _reporters:
        reporter._begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
