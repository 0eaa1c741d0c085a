"""`castray connect`: watch another Ray cluster."""

from __future__ import annotations

import asyncio

import click

from castray.cli.calls import connect
from castray.cli.client import find_target
from castray.cli.options import config_option, read_settings, token_option, url_option

__all__ = ["command"]


@click.command("connect")
@click.argument("address")
@click.option("--name", help="What to call it.")
@click.option(
    "--cluster-token",
    envvar="CASTRAY_CLUSTER_TOKEN",
    help="The token of that Ray cluster, if it wants one [env: CASTRAY_CLUSTER_TOKEN].",
)
@config_option
@url_option
@token_option
def command(
    address: str,
    name: str | None,
    cluster_token: str | None,
    config: str | None,
    url: str | None,
    token: str | None,
) -> None:
    """Connect to the Ray cluster at ADDRESS, and keep it connected.

    ADDRESS is HOST:PORT or the URL of its dashboard, ray://HOST:PORT, or HOST:PORT of its GCS, as
    CastRay's head reaches it.
    """
    target = find_target(read_settings(config, {"auth.token": token}), url)
    click.echo(asyncio.run(connect(target, address, name, cluster_token)).message)
