"""Calls of a running CastRay about the files of its nodes."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import aiohttp
import click
from pydantic import BaseModel, ConfigDict

from castray.cli.client import NoAnswerError, call, check_answer, told_in_words
from castray.transfer.agent_link import DirectoryListing
from castray.transfer.pacing import TokenBucket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path
    from typing import BinaryIO

    from castray.cast_models import IfExists
    from castray.cli.client import Target
    from castray.transfer.agent_link import FileStatus

__all__ = ["FileTransfer", "find_file", "list_files"]

PIECE_BYTES = 1 << 20

SILENCE_S = 60.0
"""So long without a byte, and a download is given up."""


async def list_files(target: Target, node: str, path: str) -> DirectoryListing:
    """What lies at a path of a node.

    Raises:
        click.ClickException: Nothing does, or CastRay refuses, or nobody answers.
    """
    params = {"path": path}
    return await call(target, "GET", f"/api/nodes/{node}/files", DirectoryListing, params=params)


async def find_file(target: Target, node: str, path: str) -> FileStatus | None:
    """What lies at a path of a node, or None where that cannot be seen.

    Raises:
        NoAnswerError: Nobody answers.
    """
    try:
        return (await list_files(target, node, path)).status
    except NoAnswerError:
        raise
    except click.ClickException:
        return None


class _Uploaded(BaseModel):
    model_config = ConfigDict(extra="ignore")

    path: str


class FileTransfer:
    """Sends files to nodes and fetches them, over one connection.

    Args:
        target: Which CastRay.
        session: Its connections.
        bytes_per_s: The most to send or fetch; None: no limit.
        count: Is given how many bytes more have gone.
    """

    def __init__(
        self,
        target: Target,
        session: aiohttp.ClientSession,
        bytes_per_s: int | None,
        count: Callable[[int], None],
    ) -> None:
        self.target = target
        self.count = count
        self._session = session
        self._bucket = TokenBucket(bytes_per_s, _now()) if bytes_per_s else None

    async def send(self, file: Path, node: str, path: str, if_exists: IfExists) -> str:
        """Put a file of this machine on a node; its path there.

        Raises:
            click.ClickException: It cannot be read here or written there, or nobody answers.
        """
        params = {"path": path, "if_exists": if_exists.value}
        opened = await asyncio.to_thread(_open_for_reading, file)
        with opened:
            before = _content_mark(opened)
            try:
                with told_in_words(self.target):
                    body = self._pieces(opened, before)
                    async with self._session.put(
                        self._url(node), params=params, data=body, allow_redirects=False
                    ) as response:
                        await check_answer(self.target, response)
                        return _Uploaded.model_validate_json(await response.read()).path
            except NoAnswerError:
                if _content_mark(opened) != before:
                    raise click.ClickException(f"{file} changed while it was sent.") from None
                raise

    async def open(self, node: str, path: str) -> aiohttp.ClientResponse:
        """Begin to fetch a file of a node; its bytes are read by `fetch`, and it is closed there.

        Raises:
            click.ClickException: It cannot be read there, or nobody answers.
        """
        return await self._get(node, path, {})

    async def open_at(self, node: str, path: str, offset: int, tag: str) -> aiohttp.ClientResponse:
        """Begin to fetch a file from there on; from its start where it has another tag now."""
        return await self._get(node, path, {"Range": f"bytes={offset}-", "If-Range": tag})

    async def fetch(self, response: aiohttp.ClientResponse, into: BinaryIO) -> None:
        """Write what an opened answer brings.

        Raises:
            OSError: It cannot be written.
            click.ClickException: It broke off.
        """
        async with response:
            pieces = response.content.iter_chunked(PIECE_BYTES)
            while True:
                with told_in_words(self.target):
                    piece = await anext(pieces, b"")
                if not piece:
                    return
                await asyncio.to_thread(into.write, piece)
                await self._take(len(piece))

    async def _get(self, node: str, path: str, headers: dict[str, str]) -> aiohttp.ClientResponse:
        with told_in_words(self.target):
            response = await self._session.get(
                self._url(node),
                params={"path": path},
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_read=SILENCE_S),
            )
            await check_answer(self.target, response)
            return response

    async def _pieces(self, opened: BinaryIO, before: object) -> AsyncIterator[bytes]:
        while piece := await asyncio.to_thread(opened.read, PIECE_BYTES):
            yield piece
            await self._take(len(piece))
        if _content_mark(opened) != before:
            # Breaks the request off, so that nothing gets its name there.
            raise OSError("changed")

    async def _take(self, count: int) -> None:
        self.count(count)
        if self._bucket is not None:
            await asyncio.sleep(self._bucket.take(count, _now()))

    def _url(self, node: str) -> str:
        return f"{self.target.url}/api/nodes/{node}/files/content"


def _now() -> float:
    return asyncio.get_running_loop().time()


def _content_mark(opened: BinaryIO) -> object:
    status = os.fstat(opened.fileno())
    return status.st_size, status.st_mtime_ns


def _open_for_reading(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}.") from None
