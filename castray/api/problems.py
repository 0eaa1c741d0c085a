"""Errors as problem documents (RFC 9457), for every way in which a request can fail."""

from __future__ import annotations

import errno
import os
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from castray.api.messages import preferred_language, sentence, title
from castray.chinese import in_chinese
from castray.errors import (
    AddressRefusedError,
    AmbiguousNameError,
    CastError,
    CastRayError,
    ClusterTooSlowError,
    ClusterUnreachableError,
    ExternalClusterError,
    InvalidRequestError,
    NotFoundError,
    PeerError,
    RegistryUnavailableError,
    SourceFileError,
    TargetFileError,
    TokenMissingError,
    TokenRefusedError,
    UnsafePathError,
)
from castray.transfer.destination import PROBLEMS as TARGET_PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

    from castray.api.messages import Language

__all__ = [
    "PROBLEM_MEDIA_TYPE",
    "PROBLEM_RESPONSES",
    "Problem",
    "ProblemField",
    "ProblemResponse",
    "describe",
    "install_handlers",
    "problem",
]

PROBLEM_MEDIA_TYPE = "application/problem+json"

PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "What was wrong, and what to do.",
        "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
"""For the document of each operation."""

RETRY_AFTER_S = 1

NOT_THERE = os.strerror(errno.ENOENT)
DISK_FULL = {TARGET_PROBLEMS[errno.ENOSPC], TARGET_PROBLEMS[errno.EDQUOT]}
"""How errors of agents say what HTTP has statuses for."""


class ProblemField(BaseModel):
    """One part of a request that is not valid."""

    model_config = ConfigDict(frozen=True)

    location: str = Field(description="Where it is, such as `query.limit` or `body.token`.")
    message: str


class Problem(BaseModel):
    """Why a request failed: `type` for programs, `detail` for people."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="`urn:castray:problem:CODE`.")
    title: str
    status: int
    detail: str
    errors: tuple[ProblemField, ...] | None = Field(None, description="Which parts, where known.")
    candidates: tuple[str, ...] | None = Field(None, description="What an ambiguous name fits.")


class ProblemResponse(JSONResponse):
    """A problem as an HTTP answer."""

    media_type = PROBLEM_MEDIA_TYPE

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(
            problem.model_dump(exclude_none=True),
            problem.status,
            {"Cache-Control": "no-store", **(headers or {})},
        )


def problem(
    code: str, status: int, language: Language, /, *, text: str | None = None, **values: Any
) -> Problem:
    """The problem of that code; `text` names its sentence where that is not the code's own."""
    more = {name: values.pop(name) for name in ("errors", "candidates") if name in values}
    return Problem(
        type=f"urn:castray:problem:{code}",
        title=title(code, language),
        status=status,
        detail=sentence(text or code, language, **values),
        **more,
    )


def describe(error: CastRayError, language: Language) -> Problem:
    """The problem that an error of ours is to a caller."""
    if isinstance(error, NotFoundError):
        return problem(
            "not-found", 404, language, text="no-such-thing", kind=error.kind, name=error.name
        )
    if isinstance(error, AmbiguousNameError):
        return problem(
            "ambiguous-name",
            409,
            language,
            kind=error.kind,
            name=error.name,
            count=len(error.keys),
            candidates=error.keys,
        )
    if isinstance(error, RegistryUnavailableError):
        return problem("registry-unavailable", 503, language)
    if isinstance(error, ExternalClusterError):
        code, status = _cluster_problem(error)
        return problem(code, status, language, text="told", reason=_told(error, language))
    if isinstance(error, CastError):
        code, status = _cast_problem(error)
        return problem(code, status, language, text="told", reason=_told(error, language))
    if isinstance(error, InvalidRequestError):
        reason = _told(error, language)
        return problem("invalid-request", 422, language, text="told", reason=reason)
    return problem("internal-error", 500, language)


def _told(error: CastRayError, language: Language) -> str:
    """An error's own text, without a full stop."""
    text = str(error).rstrip(".")
    return (in_chinese(text) if language == "zh" else None) or text


def _cluster_problem(error: ExternalClusterError) -> tuple[str, int]:
    """The code and HTTP status of what is wrong with an external cluster."""
    match error:
        case AddressRefusedError():
            return "address-refused", 403
        case ClusterUnreachableError() | ClusterTooSlowError():
            return "cluster-unreachable", 502
        case TokenMissingError() | TokenRefusedError():
            return "cluster-wants-token", 422
        case _:
            return "not-a-ray-dashboard", 422


def _cast_problem(error: CastError) -> tuple[str, int]:
    """The code and HTTP status of what is wrong with a file, or with a host of a cast."""
    match error:
        case UnsafePathError():
            return "unsafe-path", 403
        case SourceFileError():
            return "source-file", 404 if NOT_THERE in error.problem else 409
        case TargetFileError() if error.problem == TARGET_PROBLEMS[errno.EEXIST]:
            return "target-exists", 409
        case TargetFileError():
            return "target-file", 507 if error.problem in DISK_FULL else 409
        case PeerError():
            return "agent-unreachable", 502
        case _:
            return "cast-failed", 409


def install_handlers(app: FastAPI) -> None:
    """Have every failure of a request answered with a problem document."""
    app.exception_handler(HTTPException)(_on_http_exception)
    app.exception_handler(RequestValidationError)(_on_validation_error)
    app.exception_handler(CastRayError)(_on_castray_error)
    app.exception_handler(Exception)(_on_exception)


async def _on_http_exception(request: Request, error: HTTPException) -> Response:
    language = preferred_language(request.headers)
    headers = dict(error.headers or {})
    path = request.url.path
    if error.status_code == 403:
        found = problem("read-only", 403, language)
    elif error.status_code == 404:
        found = problem("not-found", 404, language, path=path)
    elif error.status_code == 405:
        allowed = headers.get("Allow") or headers.get("allow") or ""
        found = problem(
            "method-not-allowed", 405, language, path=path, method=request.method, allowed=allowed
        )
    elif error.status_code == 413:
        found = problem("body-too-large", 413, language)
    else:
        reason = str(error.detail or HTTPStatus(error.status_code).phrase).rstrip(".")
        code = "bad-request" if error.status_code == 400 else "http-error"
        found = problem(code, error.status_code, language, reason=reason)
    return ProblemResponse(found, headers)


async def _on_validation_error(request: Request, error: RequestValidationError) -> Response:
    errors = tuple(
        ProblemField(location=".".join(str(part) for part in item["loc"]), message=item["msg"])
        for item in error.errors()
    )
    language = preferred_language(request.headers)
    return ProblemResponse(problem("invalid-request", 422, language, errors=errors))


async def _on_castray_error(request: Request, error: CastRayError) -> Response:
    found = describe(error, preferred_language(request.headers))
    headers = {"Retry-After": str(RETRY_AFTER_S)} if found.status == 503 else {}
    return ProblemResponse(found, headers)


async def _on_exception(request: Request, error: Exception) -> Response:
    # The server logs the error itself; its text and its trace are not for the caller.
    return ProblemResponse(problem("internal-error", 500, preferred_language(request.headers)))
