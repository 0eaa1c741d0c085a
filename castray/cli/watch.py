"""`castray watch`: what every node is doing, live."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click
from rich.console import Group
from rich.live import Live

from castray.cli.live import Follower
from castray.cli.tables import nodes_view
from castray.cli.target_options import target_options

if TYPE_CHECKING:
    from castray.cli.client import Target

__all__ = ["command"]

REFRESH_INTERVAL_S = 0.5
"""Ages go on while nothing changes; every change is shown at once."""


@click.command("watch")
@target_options
def command(target: Target) -> None:
    """Show what every node is doing, until Ctrl-C. A lost connection comes back by itself."""
    if not sys.stdout.isatty():
        raise click.ClickException(
            "watch needs a terminal; `castray status --json` is for programs."
        )
    with suppress(KeyboardInterrupt):
        asyncio.run(_run(Follower(target)))


async def _run(follower: Follower) -> None:
    with Live(auto_refresh=False, screen=True) as live:

        def show() -> None:
            live.update(_render(follower), refresh=True)

        following = asyncio.create_task(follower.run(show), name="follow CastRay")
        try:
            while not following.done():
                show()
                await asyncio.wait([following], timeout=REFRESH_INTERVAL_S)
            await following
        finally:
            following.cancel()


def _render(follower: Follower) -> Group:
    return Group(follower.connection, "", nodes_view(follower.nodes(), datetime.now(timezone.utc)))
