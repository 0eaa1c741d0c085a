"""`castray clusters`: every cluster that CastRay knows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click
from rich.console import Console

from castray.cli.calls import fetch_clusters
from castray.cli.cluster_tables import clusters_table
from castray.cli.options import json_option
from castray.cli.target_options import target_options

if TYPE_CHECKING:
    from castray.cli.client import Target

__all__ = ["command"]


@click.command("clusters")
@target_options
@json_option
def command(target: Target, as_json: bool) -> None:
    """Show the home cluster, and every other one: found, connected and lost."""
    listed = asyncio.run(fetch_clusters(target))
    if as_json:
        click.echo(listed.model_dump_json(indent=2))
    else:
        Console().print(clusters_table(listed.clusters))
