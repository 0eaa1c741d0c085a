"""What a script did that its monitor was not told yet, bounded however long that lasts."""

from __future__ import annotations

import json
import math
from collections import deque
from dataclasses import dataclass, field

__all__ = ["MAX_TIME_MS", "Untold", "parse_number", "parse_text"]

VALID_S = 30.0
"""So long after its last word the monitor takes a script for killed, and its node for idle."""

MAX_TIME_MS = 86_400_000
"""The monitor refuses times that are longer than a day or negative, with all that is told."""

# What waits to be told is bounded, and always fits into one report.
MAX_TIMES = 500
MAX_ERRORS = 10
MAX_TEXT_CHARS = 500


@dataclass
class Untold:
    """What the monitor was not told yet; the counts are since it was told the last time."""

    status: bool = False
    counts: bool = False
    processed: int = 0
    low_confidence: int = 0
    requests: int = 0
    inference_ms: deque[float] = field(default_factory=lambda: deque(maxlen=MAX_TIMES))
    errors: deque[str] = field(default_factory=lambda: deque(maxlen=MAX_ERRORS))

    def put_back(self, older: Untold) -> None:
        """Add what could not be told."""
        self.status |= older.status
        self.counts |= older.counts
        self.processed += older.processed
        self.low_confidence += older.low_confidence
        self.requests += older.requests
        self.inference_ms = deque((*older.inference_ms, *self.inference_ms), MAX_TIMES)
        self.errors = deque((*older.errors, *self.errors), MAX_ERRORS)

    def body(self, status: str, text: str) -> bytes:
        """The report as `POST /api/update_status` takes it."""
        return json.dumps(
            {
                "status": status,
                **({"message": text} if text else {}),
                "valid_s": VALID_S,
                "results": {
                    "processed": self.processed,
                    "low_confidence": self.low_confidence,
                    "sent_to_server": self.requests,
                    "inference_ms": list(self.inference_ms),
                },
                "errors": list(self.errors),
            },
            ensure_ascii=False,
        ).encode()


def parse_number(value: object) -> float | None:
    """What a script gave for a number; None where it is none."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - what stands for a number may raise anything, and we must not
        return None
    return number if math.isfinite(number) else None


def parse_text(value: object) -> str:
    """What a script gave for a text, cut where the monitor would refuse it."""
    try:
        return str(value)[:MAX_TEXT_CHARS].encode("utf-8", "replace").decode()
    except Exception:  # noqa: BLE001 - as above
        return type(value).__name__
