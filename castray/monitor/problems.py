"""Errors of the monitor's HTTP API as RFC 9457 has them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pydantic import ValidationError

__all__ = ["Problem", "invalid_body", "problem_bodies"]

CONTENT_TYPE = "application/problem+json"

DETAILS = {
    404: "There is nothing at this path. This is a CM-ZSB monitor: ask for /api/status.",
    405: "This path takes another method: see the Allow header.",
    413: "The body is too large: report in smaller pieces.",
}
"""What to do about the refusals that aiohttp makes by itself."""


class Problem(web.HTTPError):
    """A refusal.

    Args:
        status: The HTTP status.
        detail: What was wrong, and what to do.
        errors: What is wrong with which field, where fields are wrong.
        allow: The methods that the path takes, where the method was wrong.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: list[dict[str, str]] | None = None,
        allow: str | None = None,
    ) -> None:
        self.status_code = status
        body: dict[str, object] = {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
        }
        if errors is not None:
            body["errors"] = errors
        super().__init__(
            headers={"Allow": allow} if allow else None,
            text=json.dumps(body, ensure_ascii=False),
            content_type=CONTENT_TYPE,
        )


def invalid_body(error: ValidationError) -> Problem:
    """The refusal of a report: 400 where it is not JSON, else 422."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    first = found[0]
    if first["type"] == "json_invalid":
        return Problem(400, f'{first["msg"]}. A report reads like {{"status": "detecting"}}.')
    errors = [
        {"loc": ".".join(map(str, item["loc"])) or "body", "msg": item["msg"]} for item in found
    ]
    detail = "; ".join(f"{item['loc']}: {item['msg']}" for item in errors[:3])
    return Problem(422, f"{detail}. Nothing was changed.", errors=errors[:20])


@web.middleware
async def problem_bodies(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Give aiohttp's own refusals the body that ours have."""
    try:
        return await handler(request)
    except Problem:
        raise
    except web.HTTPError as error:
        detail = DETAILS.get(error.status, error.reason)
        raise Problem(error.status, detail, allow=error.headers.get("Allow")) from None
