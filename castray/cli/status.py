"""`castray status`: what every node is doing now."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click
from rich.console import Console

from castray.cli.client import fetch_nodes
from castray.cli.options import json_option
from castray.cli.tables import nodes_view
from castray.cli.target_options import target_options

if TYPE_CHECKING:
    from castray.cli.client import Target

__all__ = ["command"]


@click.command("status")
@target_options
@json_option
def command(target: Target, as_json: bool) -> None:
    """Show what every node is doing now."""
    nodes = asyncio.run(fetch_nodes(target))
    if as_json:
        click.echo(json.dumps([node.model_dump(mode="json") for node in nodes], indent=2))
    else:
        Console().print(nodes_view(nodes, datetime.now(timezone.utc)))
