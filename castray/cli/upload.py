"""Files of this machine for a node: what goes where, and sending it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from castray.cli.file_calls import find_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from castray.cast_models import IfExists
    from castray.cli.file_calls import FileTransfer

__all__ = ["Upload", "plan_upload", "upload"]


class Upload(NamedTuple):
    """A file of this machine, and where it goes on the node."""

    file: Path
    path: str
    size_bytes: int


def plan_upload(source: Path, destination: str) -> tuple[list[Upload], list[str]]:
    """Which files go where, and what cannot go; empty directories are left out.

    Args:
        source: A file or a directory.
        destination: One that ends in "/", or is empty, is the directory to put it in.

    Raises:
        click.ClickException: There is no file at `source`.
    """
    if not source.exists():
        raise click.ClickException(f"{source}: there is no such file or directory here.")
    keeps_name = not destination or destination.endswith("/")
    base = destination + source.resolve().name if keeps_name else destination
    uploads, problems = [], []
    for file in _walk(source):
        path = base if file == source else f"{base}/{file.relative_to(source).as_posix()}"
        if file.is_file():
            uploads.append(Upload(file, path, file.stat().st_size))
        else:
            problems.append(f"{file}: is no file; only files, and links to files, are uploaded.")
    if not uploads and not problems:
        raise click.ClickException(f"{source}: holds no files.")
    return uploads, problems


async def upload(
    transfer: FileTransfer, node: str, item: Upload, if_exists: IfExists, *, keeps_same_size: bool
) -> str:
    """Send a file; its path on the node.

    Args:
        transfer: Sends it.
        node: Id of the node.
        item: What to send.
        if_exists: What to do where something is there.
        keeps_same_size: Whether a file that is there with the same size is left as it is.

    Raises:
        click.ClickException: It cannot be sent.
    """
    if keeps_same_size:
        there = await find_file(transfer.target, node, item.path)
        if there and (there.kind, there.size_bytes) == ("file", item.size_bytes):
            transfer.count(item.size_bytes)
            return item.path
    return await transfer.send(item.file, node, item.path, if_exists)


def _walk(source: Path) -> Iterator[Path]:
    """The file itself, or everything below the directory that is no directory."""
    if not source.is_dir():
        yield source
        return
    for above, directories, names in os.walk(source):
        directories.sort()
        links = [name for name in directories if (Path(above) / name).is_symlink()]
        yield from (Path(above) / name for name in sorted([*names, *links]))
