"""`castray clusters`: every cluster that CastRay knows."""

from __future__ import annotations

import asyncio

import click
from rich.console import Console

from castray.cli.calls import fetch_clusters
from castray.cli.client import find_target
from castray.cli.cluster_tables import clusters_table
from castray.cli.options import config_option, json_option, read_settings, token_option, url_option

__all__ = ["command"]


@click.command("clusters")
@config_option
@url_option
@token_option
@json_option
def command(config: str | None, url: str | None, token: str | None, as_json: bool) -> None:
    """Show the home cluster, and every other one: found, connected and lost."""
    target = find_target(read_settings(config, {"auth.token": token}), url)
    listed = asyncio.run(fetch_clusters(target))
    if as_json:
        click.echo(listed.model_dump_json(indent=2))
    else:
        Console().print(clusters_table(listed.clusters))
