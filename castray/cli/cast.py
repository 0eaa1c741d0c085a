"""`castray cast`: one file or directory to several nodes."""

from __future__ import annotations

import asyncio
import hashlib
import posixpath
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from castray.cast_models import CastSource, IfExists
from castray.cli.cast_options import CastOptions, cast_options
from castray.cli.casting import carry_out
from castray.cli.client import fetch_nodes
from castray.cli.cp import upload_to
from castray.cli.places import Place, parse_place, parse_targets
from castray.cli.target_options import target_options
from castray.cli.upload import plan_upload
from castray.models import HOME_CLUSTER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from castray.cli.client import Target
    from castray.models import Node

__all__ = ["command"]

UPLOADS = "uploads"
"""Where files of this machine lie on the head while they are cast, beneath its first root."""


@click.command("cast")
@click.argument("source")
@click.option(
    "--to",
    "to",
    required=True,
    metavar="TARGETS",
    help="all, cluster:ID, a selector such as castray.io/name=M*, or NODE,NODE,...",
)
@click.option(
    "--dest",
    metavar="PATH",
    help='Where it goes on each of them; "/" at its end: a directory [default: where it is on its '
    "node; for files of this machine, the first root].",
)
@cast_options
@target_options
def command(target: Target, source: str, to: str, dest: str | None, **options: Any) -> None:
    """Cast SOURCE to several nodes, which pass it on to each other.

    SOURCE is NODE:PATH, where PATH may be a glob, or a path on this machine: that is uploaded to
    the head's directory uploads/ first, cast from there, and stays there.

    The exit code is 0 only when every target has it.
    """
    given, place, targets = CastOptions(**options), parse_place(source), parse_targets(to)
    if place.node is None:
        cast_from = asyncio.run(_upload_first(target, Path(place.path).expanduser(), given))
        carry_out(target, given.request(cast_from, dest or "./", targets), given)
        return
    if not place.path:
        raise click.UsageError(f"{place} names no path: write NODE:PATH.")
    cast_from = CastSource(node=place.node, path=place.path)
    carry_out(target, given.request(cast_from, dest or _beside(place), targets), given)


async def _upload_first(target: Target, source: Path, options: CastOptions) -> CastSource:
    """Bring files of this machine to the head, where they are cast from.

    Raises:
        click.ClickException: There is no head, or some file cannot be uploaded.
    """
    head = _find_head(await fetch_nodes(target))
    place = _staging_place(source)
    uploads, problems = plan_upload(source, place)
    staged = CastSource(node=head.key, path=place)
    if problems:
        raise click.ClickException("\n".join(problems))
    if options.dry_run:
        click.echo(f"{source} would be uploaded to {head.name}:{staged.path} and cast from there.")
        raise click.exceptions.Exit
    click.echo(f"Uploading to {head.name}:{staged.path}, from where it is cast.", err=True)
    as_it_is = options.model_copy(update={"if_exists": IfExists.OVERWRITE, "resume": True})
    copied = await upload_to(target, head, uploads, as_it_is)
    if copied.problems:
        raise click.ClickException("\n".join(copied.problems))
    return staged


def _find_head(nodes: Sequence[Node]) -> Node:
    head = next((n for n in nodes if n.is_head and n.cluster == HOME_CLUSTER), None)
    if head is None:
        raise click.ClickException("CastRay knows no head to upload to yet; try again in a second.")
    return head


def _staging_place(source: Path) -> str:
    """Where it lies on the head: the same place for the same content, so that it goes up once.

    Content is the same as far as names, sizes and times tell.
    """
    state = hashlib.sha256(f"{socket.gethostname()}\0{source.resolve()}".encode())
    for item in plan_upload(source, "")[0]:
        state.update(f"\0{item.path}\0{item.size_bytes}\0{item.file.stat().st_mtime_ns}".encode())
    return f"{UPLOADS}/{state.hexdigest()[:12]}/{source.resolve().name}"


def _beside(place: Place) -> str:
    """The directory that it is in, which is where it goes on the others too."""
    return posixpath.join(posixpath.dirname(place.path.rstrip("/")) or ".", "")
