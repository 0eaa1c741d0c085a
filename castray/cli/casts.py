"""`castray casts`: see casts, and steer them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click
from rich.console import Console

from castray.cast_models import CastAction, CastPage
from castray.cli.cast_calls import fetch_cast, fetch_casts, steer_cast
from castray.cli.cast_tables import cast_lines, casts_table, node_names
from castray.cli.casting import watch_cast
from castray.cli.client import fetch_nodes
from castray.cli.options import json_option
from castray.cli.target_options import target_options

if TYPE_CHECKING:
    from castray.cast_models import Cast
    from castray.cli.client import Target

__all__ = ["command"]

ACTIONS = ("follow", *(action.value for action in CastAction))


@click.command("casts", options_metavar="[OPTIONS]")
@click.argument("words", nargs=-1, metavar="[[ACTION] ID]")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many.")
@target_options
@json_option
def command(target: Target, words: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Show the newest casts, or the one with that ID, or do something with it.

    \b
    castray casts             the newest
    castray casts ID          one, target by target
    castray casts follow ID   one, to its end; the exit code is that of castray cp
    castray casts cancel ID   end it; what has arrived whole stays
    castray casts pause ID    let it rest
    castray casts resume ID   let a paused one go on
    castray casts retry ID    cast again what did not arrive
    """
    match words:
        case ():
            _show_newest(target, limit, as_json=as_json)
        case (cast_id,) if cast_id not in ACTIONS:
            _show_one(target, asyncio.run(fetch_cast(target, cast_id)), as_json=as_json)
        case ("follow", cast_id):
            cast, nodes = asyncio.run(fetch_cast(target, cast_id)), asyncio.run(fetch_nodes(target))
            watch_cast(target, cast, nodes)
        case (action, cast_id) if action in ACTIONS:
            cast = asyncio.run(steer_cast(target, cast_id, CastAction(action)))
            _show_one(target, cast, as_json=as_json)
        case _:
            raise click.UsageError(f"Write: castray casts [{'|'.join(ACTIONS)}] ID")


def _show_newest(target: Target, limit: int, *, as_json: bool) -> None:
    casts = asyncio.run(_fetch_newest(target, limit))
    if as_json:
        click.echo(CastPage(casts=tuple(casts), next_cursor=None).model_dump_json(indent=2))
    else:
        Console().print(casts_table(casts, node_names(asyncio.run(fetch_nodes(target)))))


def _show_one(target: Target, cast: Cast, *, as_json: bool) -> None:
    if as_json:
        click.echo(cast.model_dump_json(indent=2))
        return
    names = node_names(asyncio.run(fetch_nodes(target)))
    Console().print(casts_table([cast], names))
    click.echo("\n".join(cast_lines(cast, names)))


async def _fetch_newest(target: Target, limit: int) -> list[Cast]:
    casts: list[Cast] = []
    async for cast in fetch_casts(target):
        casts.append(cast)
        if len(casts) == limit:
            break
    return casts
