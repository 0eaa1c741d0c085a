"""Asks a running CastRay over HTTP, so that it works from any machine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import click
from pydantic import BaseModel, ValidationError

from castray.api.auth import is_loopback_host
from castray.api.token_file import DEFAULT_TOKEN_FILE, read_or_create_token
from castray.models import Node

if TYPE_CHECKING:
    from castray.config import Settings

__all__ = ["Target", "fetch_nodes", "find_target", "refusal", "unknown_answer"]

TIMEOUT_S = 10.0


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
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(headers=target.headers, timeout=timeout) as session:
            page = await _fetch_page(session, target.url, {})
            nodes = [*page.nodes]
            while page.next_cursor is not None:
                page = await _fetch_page(session, target.url, {"cursor": page.next_cursor})
                nodes += page.nodes
            return nodes
    except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
        raise refusal(target, error) from None
    except ValidationError:
        raise unknown_answer(target) from None


def refusal(target: Target, error: Exception) -> click.ClickException:
    """Why a request failed, and what to do."""
    status = getattr(error, "status", None)
    if status == 401:
        return click.ClickException(
            f"{target.url} wants {'another' if target.token else 'a'} token: give it with --token "
            "or CASTRAY_AUTH__TOKEN."
        )
    if status:
        return click.ClickException(
            f"{target.url} answers HTTP {status}: make sure that CastRay is there (--url)."
        )
    cause = "no answer in time" if isinstance(error, asyncio.TimeoutError) else "no connection"
    return click.ClickException(
        f"Nothing answers at {target.url} ({cause}): start CastRay with `castray up`, or say where "
        "it is with --url."
    )


def unknown_answer(target: Target) -> click.ClickException:
    """What to do where the answers have another shape than ours."""
    return click.ClickException(
        f"{target.url} answers in a way that this version does not know: install the version of "
        "CastRay here that runs there."
    )


async def _fetch_page(
    session: aiohttp.ClientSession, url: str, params: dict[str, str]
) -> _NodePage:
    async with session.get(f"{url}/api/nodes", params=params, allow_redirects=False) as response:
        if response.status != 200:
            raise aiohttp.ClientResponseError(
                response.request_info, response.history, status=response.status
            )
        return _NodePage.model_validate_json(await response.read())
