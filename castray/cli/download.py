"""Files of a node for this machine: what goes where, and fetching it."""

from __future__ import annotations

import filecmp
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import click

from castray.cast_models import IfExists
from castray.cli.file_calls import list_files
from castray.core.paths import PARTIAL_PREFIX, PARTIAL_SUFFIX
from castray.transfer.linux import rename_new
from castray.transfer.placing import other_names

if TYPE_CHECKING:
    from castray.cli.client import Target
    from castray.cli.file_calls import FileTransfer
    from castray.transfer.agent_link import FileStatus

__all__ = ["Download", "download", "plan_download"]

EXISTS = "is there already; choose overwrite, skip or rename with --if-exists"


class Download(NamedTuple):
    """A file of a node, and where it goes here."""

    path: str
    file: Path
    status: FileStatus


async def plan_download(
    target: Target, node: str, path: str, destination: str
) -> tuple[list[Download], list[str]]:
    """Which files go where, and what cannot go.

    Args:
        target: Which CastRay.
        node: Id of the node.
        path: A file or a directory there.
        destination: One that ends in "/", or is a directory, is what to put it in.

    Raises:
        click.ClickException: There is nothing at `path`, or nobody answers.
    """
    top = await list_files(target, node, path)
    into = _place_for(destination, top.status.name or Path(top.path).name)
    downloads: list[Download] = []
    problems: list[str] = []
    listings = [(top, into)]
    while listings:
        listing, directory = listings.pop()
        if listing.status.kind == "file":
            downloads.append(Download(listing.path, directory, listing.status))
        if listing.is_truncated:
            problems.append(f"{listing.path}: has more files than can be listed; cast it instead.")
        for entry in listing.entries:
            below, file = f"{listing.path.rstrip('/')}/{entry.name}", directory / entry.name
            if entry.name != _plain_name(entry.name) or entry.kind in ("link", "other"):
                problems.append(f"{below}: is no regular file; only those are fetched.")
            elif entry.kind == "file":
                downloads.append(Download(below, file, entry))
            else:
                listings.append((await list_files(target, node, below), file))
    return downloads, problems


async def download(
    transfer: FileTransfer, node: str, item: Download, if_exists: IfExists, *, resumes: bool
) -> str:
    """Fetch a file, which appears here whole or not at all, with its mode and time; its path here.

    Args:
        transfer: Fetches it.
        node: Id of the node.
        item: What to fetch.
        if_exists: What to do where something is here.
        resumes: Whether to keep what is here with the same size and time, to go on with what came
            of it before, and to keep what comes where it breaks off.

    Raises:
        click.ClickException: It cannot be fetched, or not be written.
    """
    if resumes and _is_same(item):
        transfer.count(item.status.size_bytes)
        return str(item.file)
    if if_exists is IfExists.FAIL and _is_taken(item.file):
        raise click.ClickException(f"{item.file}: {EXISTS}.")
    try:
        item.file.parent.mkdir(parents=True, exist_ok=True)
        partial = await _fetch(transfer, node, item, resumes=resumes)
        return str(_place(partial, item, if_exists))
    except OSError as error:
        raise click.ClickException(f"{item.file}: {error.strerror}.") from None


async def _fetch(transfer: FileTransfer, node: str, item: Download, *, resumes: bool) -> Path:
    """The file under another name beside its own, whole and synced."""
    response = await transfer.open(node, item.path)
    tag = response.headers.get("ETag", "")
    partial = _partial_path(item.file, tag)
    done = partial.stat().st_size if resumes and tag and partial.exists() else 0
    if 0 < done < item.status.size_bytes:
        response.close()
        response = await transfer.open_at(node, item.path, done, tag)
    try:
        with partial.open("ab" if response.status == 206 else "wb") as into:
            transfer.count(into.tell())
            await transfer.fetch(response, into)
            into.flush()
            os.fsync(into.fileno())
            _finish(into, item)
    except BaseException:
        if not resumes:
            partial.unlink(missing_ok=True)
        raise
    finally:
        response.close()
    return partial


def _finish(into: BinaryIO, item: Download) -> None:
    if into.tell() != item.status.size_bytes:
        raise click.ClickException(f"{item.path}: changed while it was fetched; fetch it again.")
    os.fchmod(into.fileno(), item.status.mode & 0o777)
    os.utime(into.fileno(), ns=(item.status.modified_ms * 10**6,) * 2)


def _place(partial: Path, item: Download, if_exists: IfExists) -> Path:
    """Give it its name; what it is called then."""
    if if_exists is IfExists.OVERWRITE:
        return partial.replace(item.file)
    for name in other_names(item.file.name):
        place = item.file.with_name(name)
        try:
            _rename_new(partial, place)
        except FileExistsError:
            if if_exists is IfExists.RENAME:
                continue
            is_same = if_exists is IfExists.SKIP and filecmp.cmp(partial, place, shallow=False)
            partial.unlink()
            if is_same:
                return place
            raise click.ClickException(
                f"{place}: {EXISTS if if_exists is IfExists.FAIL else 'has other content'}."
            ) from None
        return place
    raise AssertionError("there is always another name")


def _rename_new(old: Path, new: Path) -> None:
    directory = os.open(new.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        rename_new(old.name, new.name, directory, directory)
    finally:
        os.close(directory)


def _is_taken(file: Path) -> bool:
    return os.path.lexists(file)


def _is_same(item: Download) -> bool:
    try:
        here = item.file.stat()
    except OSError:
        return False
    there = item.status
    return (here.st_size, here.st_mtime_ns // 10**6) == (there.size_bytes, there.modified_ms)


def _partial_path(file: Path, tag: str) -> Path:
    """One for each content, so that no file is put together of two."""
    mark = hashlib.sha256(f"{file.name}\n{tag}".encode()).hexdigest()[:16]
    return file.with_name(f"{PARTIAL_PREFIX}{mark}{PARTIAL_SUFFIX}")


def _place_for(destination: str, name: str) -> Path:
    into = Path(destination).expanduser()
    is_directory = destination.endswith("/") or into.is_dir()
    return into / _plain_name(name) if is_directory else into


def _plain_name(name: str) -> str:
    """A name as a node may tell it; anything that would lead elsewhere becomes another."""
    return Path(name.replace("\0", "")).name
