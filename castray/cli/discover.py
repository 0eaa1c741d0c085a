"""`castray discover`: look for other Ray clusters, and connect those that let us in."""

from __future__ import annotations

import asyncio

import click
from rich.console import Console

from castray.cli.calls import discover
from castray.cli.client import find_target
from castray.cli.cluster_tables import found_table, sources_table
from castray.cli.options import config_option, json_option, read_settings, token_option, url_option

__all__ = ["command"]


@click.command("discover")
@click.option("--all-nodes", is_flag=True, help="Look on every home node, not just on the head.")
@config_option
@url_option
@token_option
@json_option
def command(
    all_nodes: bool, config: str | None, url: str | None, token: str | None, as_json: bool
) -> None:
    """Look for other Ray clusters, and connect those that let CastRay in."""
    target = find_target(read_settings(config, {"auth.token": token}), url)
    discovered = asyncio.run(discover(target, all_nodes=all_nodes))
    if as_json:
        click.echo(discovered.model_dump_json(indent=2))
        return
    console = Console()
    if discovered.clusters:
        console.print(found_table(discovered.clusters), "")
    console.print(sources_table(discovered.sources), "", discovered.message, sep="\n")
