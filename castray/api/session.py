"""Logging in and out: the page keeps a cookie, never the token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from castray.api.access import role_of
from castray.api.auth import SESSION_COOKIE
from castray.api.messages import preferred_language
from castray.api.problems import PROBLEM_RESPONSES, ProblemResponse, problem

if TYPE_CHECKING:
    from castray.api.auth import AccessPolicy

__all__ = ["LoginRequest", "Session", "session_router"]

SESSION_AGE_S = 30 * 24 * 3600
MAX_TOKEN_CHARS = 1024


class LoginRequest(BaseModel):
    """What the login page sends."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(min_length=1, max_length=MAX_TOKEN_CHARS)


class Session(BaseModel):
    """Who is asking; `open`: nobody is asked for a token here."""

    authenticated: bool
    role: Literal["admin", "viewer", "open"]


def session_router(policy: AccessPolicy) -> APIRouter:
    """`/api/login`, `/api/logout` and `/api/session`."""
    router = APIRouter(tags=["session"], responses=PROBLEM_RESPONSES)

    @router.post("/api/login", status_code=204)
    async def login(request: Request, body: LoginRequest) -> Response:
        """Exchange a token for a session cookie."""
        value = policy.session_value(body.token)
        if value is None:
            wrong = problem("wrong-token", 401, preferred_language(request.headers))
            return ProblemResponse(wrong, {"WWW-Authenticate": "Bearer"})
        response = Response(status_code=204)
        response.set_cookie(
            SESSION_COOKIE,
            value,
            max_age=SESSION_AGE_S,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return response

    @router.post("/api/logout", status_code=204)
    async def logout() -> Response:
        """Forget the session cookie."""
        response = Response(status_code=204)
        response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
        return response

    @router.get("/api/session")
    async def session(request: Request) -> Session:
        """What this caller may do."""
        role = role_of(request)
        return Session(authenticated=role != "open", role=role)

    return router
