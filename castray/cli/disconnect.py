"""`castray disconnect`: watch other Ray clusters no more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from castray.cli.calls import disconnect, fetch_clusters
from castray.cli.target_options import target_options

if TYPE_CHECKING:
    from castray.cli.client import Target

__all__ = ["command"]


@click.command("disconnect")
@click.argument("cluster", required=False)
@click.option("--all", "every", is_flag=True, help="Disconnect all of them.")
@target_options
def command(target: Target, cluster: str | None, every: bool) -> None:
    """Disconnect CLUSTER, by its id, name or address. Nothing on the cluster itself changes.

    It stays disconnected until somebody connects it or discovers again.
    """
    if (cluster is None) != every:
        raise click.UsageError("Name one cluster, or give --all.")

    async def run() -> str:
        params = {}
        if cluster is not None:
            known = (await fetch_clusters(target)).clusters
            is_id = any(record.id == cluster for record in known)
            params = {"cluster" if is_id else "cluster_address": cluster}
        return (await disconnect(target, params)).message

    click.echo(asyncio.run(run()))
