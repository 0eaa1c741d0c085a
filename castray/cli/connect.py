"""`castray connect`: watch another Ray cluster."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from castray.cli.calls import connect
from castray.cli.target_options import target_options

if TYPE_CHECKING:
    from castray.cli.client import Target

__all__ = ["command"]


@click.command("connect")
@click.argument("address")
@click.option("--name", help="What to call it.")
@click.option(
    "--cluster-token",
    envvar="CASTRAY_CLUSTER_TOKEN",
    help="The token of that Ray cluster, if it wants one [env: CASTRAY_CLUSTER_TOKEN].",
)
@target_options
def command(target: Target, address: str, name: str | None, cluster_token: str | None) -> None:
    """Connect to the Ray cluster at ADDRESS, and keep it connected.

    ADDRESS is HOST:PORT or the URL of its dashboard, ray://HOST:PORT, or HOST:PORT of its GCS, as
    CastRay's head reaches it.
    """
    click.echo(asyncio.run(connect(target, address, name, cluster_token)).message)
