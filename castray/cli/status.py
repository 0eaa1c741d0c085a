"""`castray status`: what every node is doing now."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timezone

import click
from rich.console import Console

from castray.cli.client import fetch_nodes, find_target
from castray.cli.options import config_option, json_option, read_settings, token_option, url_option
from castray.cli.tables import nodes_view

__all__ = ["command"]


@click.command("status")
@config_option
@url_option
@token_option
@json_option
def command(config: str | None, url: str | None, token: str | None, as_json: bool) -> None:
    """Show what every node is doing now."""
    target = find_target(read_settings(config, {"auth.token": token}), url)
    nodes = asyncio.run(fetch_nodes(target))
    if as_json:
        click.echo(json.dumps([node.model_dump(mode="json") for node in nodes], indent=2))
    else:
        Console().print(nodes_view(nodes, datetime.now(timezone.utc)))
