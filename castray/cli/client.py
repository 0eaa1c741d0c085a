"""Asks a running CastRay over HTTP, so that it works from any machine."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import aiohttp
import click
from pydantic import BaseModel, ValidationError

from castray.api.auth import is_loopback_host
from castray.api.token_file import DEFAULT_TOKEN_FILE, read_or_create_token
from castray.models import Node

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from castray.config import Settings

__all__ = [
    "NoAnswerError",
    "Target",
    "call",
    "check_answer",
    "fetch_nodes",
    "find_target",
    "refusal",
    "told_in_words",
    "unknown_answer",
]

TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10)
"""In seconds: a discovery on many machines, or a look at a large tree, takes its time."""

BUSY_STATUSES = (502, 503, 504)
"""What a proxy answers, or CastRay itself, while a part of it is coming back."""

AnswerT = TypeVar("AnswerT", bound=BaseModel)


class NoAnswerError(click.ClickException):
    """Nobody answers now; the same call may succeed later."""


class Target(NamedTuple):
    """Which CastRay, and who asks it."""

    url: str
    token: str | None

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


class _NodePage(BaseModel):
    next_cursor: str | None
    nodes: tuple[Node, ...]


def find_target(settings: Settings, url: str | None) -> Target:
    """Where to ask, and with which token: that of the settings, else of this machine's file.

    Args:
        settings: Say where CastRay is when `url` does not.
        url: Such as `http://10.0.0.1:8000`.

    Raises:
        SettingsError: The token file cannot be used.
        click.ClickException: The URL is none.
    """
    web, auth = settings.web_server, settings.auth
    host = "127.0.0.1" if web.host == "0.0.0.0" else web.host
    base = url or f"http://{host}:{web.port}"
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.ClickException(f"{base!r} is no URL: write it like http://10.0.0.1:8000.")
    secret = auth.token or auth.viewer_token
    if secret is not None:
        return Target(base.rstrip("/"), secret.get_secret_value())
    file = (auth.token_file or DEFAULT_TOKEN_FILE).expanduser()
    # This machine's token is nobody else's business.
    is_ours = url is None or is_loopback_host(parts.hostname)
    token = read_or_create_token(file)[0] if is_ours and file.exists() else None
    return Target(base.rstrip("/"), token)


async def fetch_nodes(target: Target) -> list[Node]:
    """Every node that CastRay knows, in the order of their keys.

    Raises:
        click.ClickException: Nobody answers, or not what we ask for.
    """
    page = await call(target, "GET", "/api/nodes", _NodePage)
    nodes = [*page.nodes]
    while page.next_cursor is not None:
        params = {"cursor": page.next_cursor}
        page = await call(target, "GET", "/api/nodes", _NodePage, params=params)
        nodes += page.nodes
    return nodes


async def call(
    target: Target,
    method: str,
    path: str,
    shape: type[AnswerT],
    *,
    params: Mapping[str, str] | None = None,
    body: object = None,
) -> AnswerT:
    """Ask once.

    Args:
        target: Which CastRay.
        method: Such as `GET`.
        path: From the slash on.
        shape: What the answer is.
        params: Of the query.
        body: What is sent as JSON.

    Raises:
        NoAnswerError: Nobody answers now.
        click.ClickException: CastRay refuses, or its answer has another shape.
    """
    with told_in_words(target):
        async with (
            aiohttp.ClientSession(headers=target.headers, timeout=TIMEOUT) as session,
            session.request(
                method, f"{target.url}{path}", params=params, json=body, allow_redirects=False
            ) as response,
        ):
            await check_answer(target, response)
            return shape.model_validate_json(await response.read())


@contextmanager
def told_in_words(target: Target) -> Iterator[None]:
    """Failures of requests in this block become what this program says of them.

    Raises:
        NoAnswerError: Nobody answers now.
        click.ClickException: CastRay refuses, or its answer has another shape.
    """
    try:
        yield
    except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
        raise refusal(target, error) from None
    except ValidationError:
        raise unknown_answer(target) from None


async def check_answer(target: Target, response: aiohttp.ClientResponse) -> None:
    """Return where CastRay does what it was asked.

    Raises:
        NoAnswerError: It cannot now.
        click.ClickException: It says what is wrong; about its token, what to do about it here.
    """
    if 200 <= response.status < 300:
        return
    if response.status != 401 and response.content_type == "application/problem+json":
        problem: dict[str, Any] = await response.json(content_type=None)
        kind = NoAnswerError if response.status in BUSY_STATUSES else click.ClickException
        raise kind(str(problem.get("detail")))
    raise refusal(
        target,
        aiohttp.ClientResponseError(
            response.request_info, response.history, status=response.status
        ),
    )


def refusal(target: Target, error: Exception) -> click.ClickException:
    """Why a request failed, and what to do."""
    status = getattr(error, "status", None)
    if status == 401:
        return click.ClickException(
            f"{target.url} wants {'another' if target.token else 'a'} token: give it with --token "
            "or CASTRAY_AUTH__TOKEN."
        )
    if status:
        kind = NoAnswerError if status in BUSY_STATUSES else click.ClickException
        return kind(f"{target.url} answers HTTP {status}: make sure that CastRay is there (--url).")
    cause = "no answer in time" if isinstance(error, asyncio.TimeoutError) else "no connection"
    return NoAnswerError(
        f"Nothing answers at {target.url} ({cause}): start CastRay with `castray up`, or say where "
        "it is with --url."
    )


def unknown_answer(target: Target) -> click.ClickException:
    """What to do where the answers have another shape than ours."""
    return click.ClickException(
        f"{target.url} answers in a way that this version does not know: install the version of "
        "CastRay here that runs there."
    )
