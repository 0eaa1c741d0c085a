"""The OpenAPI document: from it the page's types are generated, and `/docs` is rendered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from castray.api.problems import Problem
from castray.api.session import LoginRequest
from castray.api.socket_messages import (
    ChangesMessage,
    ClusterStatusMessage,
    ErrorMessage,
    FeedMessage,
    HeartbeatMessage,
    ResumeMessage,
)
from castray.cast_models import CastRequest
from castray.models import Snapshot

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["build_document"]

SOCKET_MODELS = (
    Snapshot,
    Problem,
    ChangesMessage,
    FeedMessage,
    HeartbeatMessage,
    ErrorMessage,
    ClusterStatusMessage,
    ResumeMessage,
)
"""What OpenAPI cannot say of `/ws`: the records that go over it."""

INCOMPLETE = {model.__name__ for model in (CastRequest, LoginRequest, Problem)}
"""All other records always have all their keys, also those whose field has a default."""


def build_document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the application, with the messages of its sockets."""
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    _, definitions = models_json_schema(
        [(model, "serialization") for model in SOCKET_MODELS],
        ref_template="#/components/schemas/{model}",
    )
    schemas: dict[str, Any] = document["components"]["schemas"]
    schemas.update(definitions["$defs"])
    for name, schema in schemas.items():
        if name not in INCOMPLETE and "properties" in schema:
            schema["required"] = list(schema["properties"])
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document
