"""`castray disconnect`: watch other Ray clusters no more."""

from __future__ import annotations

import asyncio

import click

from castray.cli.calls import disconnect, fetch_clusters
from castray.cli.client import find_target
from castray.cli.options import config_option, read_settings, token_option, url_option

__all__ = ["command"]


@click.command("disconnect")
@click.argument("cluster", required=False)
@click.option("--all", "every", is_flag=True, help="Disconnect all of them.")
@config_option
@url_option
@token_option
def command(
    cluster: str | None, every: bool, config: str | None, url: str | None, token: str | None
) -> None:
    """Disconnect CLUSTER, by its id, name or address. Nothing on the cluster itself changes.

    It stays disconnected until somebody connects it or discovers again.
    """
    if (cluster is None) != every:
        raise click.UsageError("Name one cluster, or give --all.")
    target = find_target(read_settings(config, {"auth.token": token}), url)

    async def run() -> str:
        params = {}
        if cluster is not None:
            known = (await fetch_clusters(target)).clusters
            is_id = any(record.id == cluster for record in known)
            params = {"cluster" if is_id else "cluster_address": cluster}
        return (await disconnect(target, params)).message

    click.echo(asyncio.run(run()))
