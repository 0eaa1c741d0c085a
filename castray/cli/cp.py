"""`castray cp`: copy between nodes, or between a node and this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from castray.cast_models import CastRequest, CastSource
from castray.cli.cast_options import CastOptions, cast_options
from castray.cli.casting import carry_out
from castray.cli.client import fetch_nodes
from castray.cli.copying import Copied, Copying, copy_files, plan_text, report
from castray.cli.download import Download, download, plan_download
from castray.cli.places import Place, parse_place
from castray.cli.target_options import target_options
from castray.cli.upload import Upload, plan_upload, upload
from castray.core.casting import find_node

if TYPE_CHECKING:
    from castray.cli.client import Target
    from castray.cli.file_calls import FileTransfer
    from castray.models import Node

__all__ = ["command", "upload_to"]


@click.command("cp")
@click.argument("source")
@click.argument("destination")
@cast_options
@target_options
def command(target: Target, source: str, destination: str, **options: Any) -> None:
    """Copy SOURCE to DESTINATION; each is NODE:PATH, or a path on this machine.

    NODE is a name, an id or a key (CLUSTER/NODE_ID). A relative path of a node lies beneath the
    first of its roots. A DESTINATION that ends in "/" is the directory to put SOURCE in, and
    NODE: alone is that root. A path on this machine with a colon in it begins with "./".

    From node to node this is a cast: verified, and it goes on without this program. From and to
    this machine files go through CastRay's head, one by one.

    The exit code is 0 only when everything arrived.
    """
    given, places = CastOptions(**options), (parse_place(source), parse_place(destination))
    match places:
        case Place(str(), _), Place(str(), _):
            carry_out(target, _cast_request(*places, given), given)
        case Place(None, _), Place(None, _):
            raise click.UsageError("Both are on this machine: write NODE:PATH for a node's.")
        case (Place(None, path), there):
            _refuse_cast_options(given)
            asyncio.run(_upload(target, Path(path).expanduser(), there, given))
        case (there, Place(_, path)):
            _refuse_cast_options(given)
            asyncio.run(_download(target, there, path, given))


async def upload_to(
    target: Target,
    node: Node,
    uploads: list[Upload],
    options: CastOptions,
) -> Copied:
    """Send files to a node, with a bar.

    Raises:
        click.ClickException: Nobody answers any more.
    """
    total = sum(item.size_bytes for item in uploads)

    async def send(transfer: FileTransfer, item: Upload) -> str:
        return await upload(
            transfer, node.id, item, options.if_exists, keeps_same_size=options.resume
        )

    return await copy_files(
        target, Copying(node.name, "uploading", total, options.bwlimit), uploads, send
    )


async def _upload(target: Target, source: Path, place: Place, options: CastOptions) -> None:
    uploads, problems = plan_upload(source, place.path)
    node = find_node(await fetch_nodes(target), place.node or "")
    if options.dry_run:
        rows = [(str(u.file), f"{node.name}:{u.path}", u.size_bytes) for u in uploads]
        click.echo(plan_text(rows))
        copied = Copied([], [])
    else:
        copied = await upload_to(target, node, uploads, options)
    copied.problems.extend(problems)
    report(copied, node.name)


async def _download(target: Target, place: Place, destination: str, options: CastOptions) -> None:
    node = find_node(await fetch_nodes(target), place.node or "")
    downloads, problems = await plan_download(target, node.id, place.path, destination)
    total = sum(item.status.size_bytes for item in downloads)

    async def fetch(transfer: FileTransfer, item: Download) -> str:
        return await download(transfer, node.id, item, options.if_exists, resumes=options.resume)

    if options.dry_run:
        rows = [(f"{node.name}:{d.path}", str(d.file), d.status.size_bytes) for d in downloads]
        click.echo(plan_text(rows))
        copied = Copied([], [])
    else:
        copying = Copying(node.name, "fetching", total, options.bwlimit)
        copied = await copy_files(target, copying, downloads, fetch)
    copied.problems.extend(problems)
    report(copied, "This machine")


def _cast_request(source: Place, destination: Place, options: CastOptions) -> CastRequest:
    if not source.path:
        raise click.UsageError(f"{source} names no path: write NODE:PATH.")
    return options.request(
        CastSource(node=str(source.node), path=source.path),
        destination.path or "./",
        (str(destination.node),),
    )


def _refuse_cast_options(options: CastOptions) -> None:
    if options.mode is not None or options.detach:
        raise click.UsageError("--mode and --detach are for casts from node to node.")
