"""An inference script of an edge node: it reads digits, and sends those it is unsure of.

A small classifier reads scikit-learn's own handwritten digits as a camera would deliver them,
and a larger one on the server (server_detection.py) reads again what the small one is unsure of.
The monitor on this node is told all along what the script is doing.

    python examples/predict_and_send.py --deploy
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass
from http.client import HTTPException
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from sklearn.datasets import load_digits
from sklearn.ensemble import GradientBoostingClassifier

from castray.monitor.reporter import StatusReporter

if TYPE_CHECKING:
    from collections.abc import Iterator

TRAINING_DIGITS = 500
"""The small model knows half of what the server's model was trained on."""

FIRST_FRAME = 1000
"""The digits from here on were never seen by either model."""

UNSURE_BELOW = 0.6

FRAMES_A_PASS = 25
FRAME_INTERVAL_S = 0.1
"""The camera delivers ten frames a second for as long as a pass takes."""

UPLINK_INTERVAL_S = 0.2
"""The uplink of the node carries five frames a second."""

PAUSE_S = 3.0
MAX_WAITING = 100
SERVER_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Frame:
    """One image, and the digit that it really shows."""

    number: int
    pixels: list[float]
    digit: int


def main(arguments: list[str] | None = None) -> None:
    """Run passes until the given number is done or somebody stops it."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.rounds < 0:
        parser.error("--rounds is how many passes to run, or 0 for ever")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    deployment = _start_deployment() if options.deploy else None
    try:
        with StatusReporter(options.monitor, low_confidence_below=UNSURE_BELOW) as reporter:
            reporter.idle("training the small model")
            edge = Edge(reporter, options.server)
            for number in islice(count(1), options.rounds or None):
                edge.run_pass(number, may_send=deployment is None or deployment.poll() is not None)
                if number != options.rounds:
                    time.sleep(PAUSE_S)
    finally:
        if deployment is not None:
            deployment.terminate()


def build_parser() -> argparse.ArgumentParser:
    """The options."""
    castray = os.environ.get("CASTRAY_URL", "http://127.0.0.1:8000")
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--server", default=f"{castray}/detect", help="the server's model (%(default)s)"
    )
    parser.add_argument(
        "--monitor",
        help="this node's monitor (CASTRAY_MONITOR_URL, else http://127.0.0.1:8000)",
    )
    parser.add_argument("--rounds", type=int, default=0, help="how many passes; 0: for ever")
    parser.add_argument(
        "--deploy",
        action="store_true",
        help="first deploy the server's model onto the Ray cluster at RAY_ADDRESS",
    )
    return parser


class Edge:
    """The small model, the frames that wait for the server, and what became of both."""

    def __init__(self, reporter: StatusReporter, server: str) -> None:
        digits = load_digits()
        self._model = GradientBoostingClassifier(
            n_estimators=20, max_depth=2, learning_rate=0.2, max_features=16, random_state=0
        )
        self._model.fit(digits.data[:TRAINING_DIGITS], digits.target[:TRAINING_DIGITS])
        self._camera = _frames(digits)
        self._reporter = reporter
        self._server = server
        self._waiting: deque[Frame] = deque(maxlen=MAX_WAITING)
        self._server_answers = True

    def run_pass(self, number: int, *, may_send: bool) -> None:
        """Read the frames of one pass, then send those that wait, where that may be."""
        read_right = self._detect(number)
        unsure = len(self._waiting)
        sent, sent_right = self._send() if may_send else (0, 0)
        print(
            f"pass {number}: {FRAMES_A_PASS} digits, {read_right} read right, {unsure} unsure; "
            f"the server read {sent_right} of {sent} right",
            flush=True,
        )

    def _detect(self, number: int) -> int:
        right = 0
        with self._reporter.detecting(f"pass {number}, {FRAMES_A_PASS} digits"):
            for frame in islice(self._camera, FRAMES_A_PASS):
                began = time.perf_counter()
                probabilities = self._model.predict_proba([frame.pixels])[0]
                took_s = time.perf_counter() - began
                confidence = probabilities.max()
                self._reporter.result(confidence=confidence, inference_ms=1000 * took_s)
                right += int(self._model.classes_[probabilities.argmax()]) == frame.digit
                if confidence < UNSURE_BELOW:
                    self._waiting.append(frame)
                time.sleep(max(0.0, FRAME_INTERVAL_S - took_s))
        return right

    def _send(self) -> tuple[int, int]:
        sent = right = 0
        while self._waiting:
            frame = self._waiting[0]
            with self._reporter.sending(f"digit {frame.number}"):
                try:
                    digit = _ask(self._server, frame)
                except (OSError, HTTPException, ValueError, LookupError, TypeError) as error:
                    self._note_failure(error)
                    break
                time.sleep(UPLINK_INTERVAL_S)
            self._server_answers = True
            self._waiting.popleft()
            sent += 1
            right += digit == frame.digit
        return sent, right

    def _note_failure(self, error: Exception) -> None:
        if self._server_answers:
            text = f"{self._server} does not read digits ({error}); unsure ones wait."
            print(text, file=sys.stderr, flush=True)
            self._reporter.error(text)
        self._server_answers = False


def _frames(digits: Any) -> Iterator[Frame]:
    """What the camera sees: the digits kept for it, over and over."""
    while True:
        for number in range(FIRST_FRAME, len(digits.data)):
            yield Frame(number, digits.data[number].tolist(), int(digits.target[number]))


def _ask(server: str, frame: Frame) -> int:
    request = Request(  # noqa: S310 - the operator's own server
        server,
        json.dumps({"images": [frame.pixels]}).encode(),
        {"Content-Type": "application/json"},
    )
    with urlopen(request, timeout=SERVER_TIMEOUT_S) as answer:  # noqa: S310
        return int(json.load(answer)["predictions"][0]["digit"])


def _start_deployment() -> subprocess.Popen[bytes]:
    """Deploy in a process of its own, so that this one needs no Ray, and begins at once."""
    return subprocess.Popen([sys.executable, str(Path(__file__).with_name("server_detection.py"))])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
