"""Uploads and downloads from the command line: one file after the other, with one bar for all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import aiohttp
import click
from rich.console import Console

from castray.cli.bars import Bars, Row, shown_bytes
from castray.cli.client import NoAnswerError
from castray.cli.file_calls import FileTransfer
from castray.core.cast_state import RateMeter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from castray.cli.client import Target

__all__ = ["Copied", "Copying", "copy_files", "plan_text", "report"]

ItemT = TypeVar("ItemT")

SHOW_INTERVAL_S = 0.25


class Copying(NamedTuple):
    """What a run of copies is called, and how much it is."""

    name: str
    verb: str
    bytes_total: int
    bytes_per_s: int | None


class Copied(NamedTuple):
    """Where the files are that arrived, and what is wrong with the others."""

    paths: list[str]
    problems: list[str]


async def copy_files(
    target: Target,
    copying: Copying,
    items: Sequence[ItemT],
    copy_one: Callable[[FileTransfer, ItemT], Awaitable[str]],
) -> Copied:
    """Copy files, one after the other, and show how far that is; one that fails stops no other.

    Raises:
        click.ClickException: Nobody answers any more.
    """
    copied, meter, bytes_done = Copied([], []), RateMeter(), 0

    def count(more: int) -> None:
        nonlocal bytes_done
        bytes_done += more

    def show() -> None:
        rate = meter.update(bytes_done, asyncio.get_running_loop().time())
        left = copying.bytes_total - bytes_done
        row = Row(copying.name, copying.verb, bytes_done, copying.bytes_total)
        bars.show({"": row._replace(rate_bytes_per_s=rate, eta_s=left / rate if rate else None)})

    async def copy_all() -> None:
        for item in items:
            try:
                copied.paths.append(await copy_one(transfer, item))
            except NoAnswerError as error:
                there = f"{len(copied.paths)} of {len(items)} files are there"
                sentence = f"{error.message} {there}; --resume goes on with the others."
                raise click.ClickException(sentence) from None
            except click.ClickException as error:
                copied.problems.append(error.message)

    unlimited = aiohttp.ClientTimeout(total=None, sock_connect=10)
    with Bars(Console(stderr=True)) as bars:
        async with aiohttp.ClientSession(headers=target.headers, timeout=unlimited) as session:
            transfer = FileTransfer(target, session, copying.bytes_per_s, count)
            work = asyncio.create_task(copy_all(), name="copy files")
            try:
                while not work.done():
                    show()
                    await asyncio.wait([work], timeout=SHOW_INTERVAL_S)
                await work
                show()
            finally:
                work.cancel()
                await asyncio.wait([work])
    return copied


def report(copied: Copied, place: str) -> None:
    """Say what arrived and what did not.

    Raises:
        click.exceptions.Exit: Something did not.
    """
    if len(copied.paths) == 1:
        click.echo(f"✓ {place} has {copied.paths[0]}")
    elif copied.paths:
        click.echo(f"✓ {place} has {len(copied.paths)} files")
    for problem in copied.problems:
        click.echo(f"✕ {problem}")
    if copied.problems:
        raise click.exceptions.Exit(1)


def plan_text(items: Sequence[tuple[str, str, int]]) -> str:
    """What a dry run of copies tells: from where to where, and how many bytes."""
    lines = [f"  {source} → {path}, {shown_bytes(size)}" for source, path, size in items]
    total = shown_bytes(sum(size for *_, size in items))
    return "\n".join([f"Would go, {total} in all:", *lines])
