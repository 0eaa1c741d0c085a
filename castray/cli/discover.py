"""`castray discover`: look for other Ray clusters, and connect those that let us in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click
from rich.console import Console

from castray.cli.calls import discover
from castray.cli.cluster_tables import found_table, sources_table
from castray.cli.options import json_option
from castray.cli.target_options import target_options

if TYPE_CHECKING:
    from castray.cli.client import Target

__all__ = ["command"]


@click.command("discover")
@click.option("--all-nodes", is_flag=True, help="Look on every home node, not just on the head.")
@target_options
@json_option
def command(target: Target, all_nodes: bool, as_json: bool) -> None:
    """Look for other Ray clusters, and connect those that let CastRay in."""
    discovered = asyncio.run(discover(target, all_nodes=all_nodes))
    if as_json:
        click.echo(discovered.model_dump_json(indent=2))
        return
    console = Console()
    if discovered.clusters:
        console.print(found_table(discovered.clusters), "")
    console.print(sources_table(discovered.sources), "", discovered.message, sep="\n")
