"""The server's model of the example: a Ray Serve app that reads digits the edge is unsure of.

    serve run --name detection --route-prefix /detect examples.server_detection:app
    python examples/server_detection.py        # the same, onto the cluster at RAY_ADDRESS

    curl -H 'Content-Type: application/json' -d '{"images": [[0, 3, ...64 numbers]]}' \
      http://127.0.0.1:8000/detect
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import ray
from ray import serve
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.requests import Request

APP_NAME = "detection"
ROUTE_PREFIX = "/detect"

TRAINING_DIGITS = 1000
"""The first so many of scikit-learn's digits; the example sends later ones only."""

MAX_BODY_BYTES = 1024 * 1024


class DigitModel:
    """A larger model than the edge has, trained on more data."""

    def __init__(self) -> None:
        digits = load_digits()
        self._classifier = ExtraTreesClassifier(200, random_state=0)
        self._classifier.fit(digits.data[:TRAINING_DIGITS], digits.target[:TRAINING_DIGITS])

    def predict(self, body: bytes) -> list[dict[str, float]]:
        """The digit and the confidence for each image of a request.

        Raises:
            ValueError: The body is not `{"images": [[64 numbers], ...]}`.
        """
        images = np.asarray(json.loads(body)["images"], dtype=float)
        if not np.isfinite(images).all():
            raise ValueError("a pixel is no number")
        probabilities = self._classifier.predict_proba(images)
        return [
            {"digit": int(self._classifier.classes_[row.argmax()]), "confidence": float(row.max())}
            for row in probabilities
        ]


# A replica elsewhere would bring Serve's proxy to that node, onto the port of the node's monitor.
@serve.deployment(
    ray_actor_options={"num_cpus": 0.1, "resources": {"node:__internal_head__": 0.001}}
)
class ServerDetection:
    """Answers `POST` with one prediction for each image."""

    def __init__(self) -> None:
        self._model = DigitModel()

    async def __call__(self, request: Request) -> JSONResponse:
        if int(request.headers.get("content-length", MAX_BODY_BYTES + 1)) > MAX_BODY_BYTES:
            return _problem(413, f"At most {MAX_BODY_BYTES} bytes: send fewer images at once.")
        try:
            predictions = self._model.predict(await request.body())
        except (ValueError, TypeError, KeyError, RecursionError):
            return _problem(422, 'Send {"images": [[64 numbers from 0 to 16], ...]}.')
        return JSONResponse({"predictions": predictions})


def _problem(status: int, detail: str) -> JSONResponse:
    body = {"type": "about:blank", "title": "Refused", "status": status, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")


app: Any = ServerDetection.bind()  # type: ignore[attr-defined]  # Serve made it a Deployment.


def main() -> None:
    """Deploy it onto the cluster at RAY_ADDRESS, where it stays."""
    ray.init(address=os.environ.get("RAY_ADDRESS", "auto"), log_to_driver=False)
    serve.run(app, name=APP_NAME, route_prefix=ROUTE_PREFIX)


if __name__ == "__main__":
    main()
