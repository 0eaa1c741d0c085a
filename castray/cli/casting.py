"""One cast from the command line: begun or gone on with, shown to its end, and what came of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click
from rich.console import Console

from castray.cast_models import CastAction, CastState
from castray.cli.bars import Bars
from castray.cli.cast_calls import fetch_casts, follow_cast, start_cast, steer_cast
from castray.cli.cast_tables import cast_lines, node_names, plan_lines, target_rows
from castray.cli.client import fetch_nodes
from castray.core.casting import find_node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from castray.cast_models import Cast, CastRequest
    from castray.cli.cast_options import CastOptions
    from castray.cli.client import Target
    from castray.models import Node

__all__ = ["carry_out", "watch_cast"]

INTERRUPTED = 130
"""What shells make of Ctrl-C."""


def carry_out(target: Target, request: CastRequest, options: CastOptions) -> None:
    """Begin the cast, or go on with one that is the same, and show it to its end.

    Raises:
        click.ClickException: It cannot begin.
        click.exceptions.Exit: Not every target has it.
    """
    cast, nodes = asyncio.run(_begin(target, request, options))
    if request.dry_run:
        click.echo("\n".join(plan_lines(cast, node_names(nodes))))
    elif options.detach:
        click.echo(cast.id)
    else:
        watch_cast(target, cast, nodes)


def watch_cast(target: Target, cast: Cast, nodes: Sequence[Node]) -> None:
    """Show a cast to its end; Ctrl-C ends the showing, not the cast.

    Raises:
        click.exceptions.Exit: Not every target has it.
    """
    names = node_names(nodes)
    try:
        ended = asyncio.run(_follow(target, cast, names))
    except KeyboardInterrupt:
        click.echo(
            f"\nThe cast goes on. See it: castray casts follow {cast.id}. "
            f"End it: castray casts cancel {cast.id}.",
            err=True,
        )
        raise click.exceptions.Exit(INTERRUPTED) from None
    click.echo("\n".join(cast_lines(ended, names)))
    if ended.state is not CastState.COMPLETED:
        click.echo(f"What did not arrive can be tried again: castray casts retry {cast.id}")
        raise click.exceptions.Exit(1)


async def _begin(
    target: Target, request: CastRequest, options: CastOptions
) -> tuple[Cast, list[Node]]:
    nodes = await fetch_nodes(target)
    found = None
    if options.resume and not request.dry_run:
        found = await _find_unfinished(target, request, nodes)
        if found is None:
            click.echo("No such cast is unfinished: beginning a new one.", err=True)
        else:
            found = await _go_on(target, found)
    return found or await start_cast(target, request), nodes


async def _follow(target: Target, cast: Cast, names: dict[str, str]) -> Cast:
    with Bars(Console(stderr=True)) as bars:
        bars.say(f"Cast {cast.id}")

        def show(cast: Cast) -> None:
            bars.show(target_rows(cast, names))

        return await follow_cast(target, cast, show, bars.say)


async def _find_unfinished(
    target: Target, request: CastRequest, nodes: Sequence[Node]
) -> Cast | None:
    """The newest cast of the same source, destination and targets, unless that one completed."""
    source, targets = find_node(nodes, request.source.node).key, request.targets
    keys = targets
    if isinstance(targets, tuple):
        keys = tuple(sorted(find_node(nodes, text).key for text in targets))
    async for cast in fetch_casts(target):
        same = cast.request.source.path, cast.request.destination
        if same != (request.source.path, request.destination) or cast.source != source:
            continue
        is_named = isinstance(cast.request.targets, tuple)
        goes_to = tuple(sorted(t.node for t in cast.targets)) if is_named else cast.request.targets
        if goes_to == keys:
            return None if cast.state is CastState.COMPLETED else cast
    return None


async def _go_on(target: Target, cast: Cast) -> Cast:
    click.echo(f"Going on with cast {cast.id}, which was {cast.state.value}.", err=True)
    if cast.state is CastState.PAUSED:
        return await steer_cast(target, cast.id, CastAction.RESUME)
    if cast.ended is not None:
        return await steer_cast(target, cast.id, CastAction.RETRY)
    return cast
