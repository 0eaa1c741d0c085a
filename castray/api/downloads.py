"""A file of a node on its way to a client, a piece at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from castray.errors import SourceFileError, UnsafePathError
from castray.transfer.agent_link import MAX_PIECE_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from castray.transfer.agent_link import AgentLink, FileStatus

__all__ = ["Download", "content_disposition", "open_download"]


@dataclass(frozen=True)
class Download:
    """A file as it was when the client asked for it."""

    link: AgentLink
    path: str
    status: FileStatus

    @property
    def tag(self) -> str:
        """The entity tag of this content, as far as size and time tell."""
        return f'"{self.status.size_bytes:x}-{self.status.modified_ms:x}"'

    async def pieces(self, part: range) -> AsyncIterator[bytes]:
        """The bytes of that part; the last ones only if the file is still the same then.

        Raises:
            CastError: It changed or went meanwhile, or its node did.
        """
        for offset in range(part.start, part.stop, MAX_PIECE_BYTES):
            length = min(MAX_PIECE_BYTES, part.stop - offset)
            piece = await self.link.read_file(self.path, offset, length)
            is_last = offset + length == part.stop
            if len(piece) < length or (is_last and await self._has_changed()):
                raise SourceFileError(self.path, "changed while it was sent; fetch it again")
            yield piece

    async def _has_changed(self) -> bool:
        status = (await self.link.list_files(self.path)).status
        return (status.size_bytes, status.modified_ms) != (
            self.status.size_bytes,
            self.status.modified_ms,
        )


async def open_download(link: AgentLink, path: str) -> Download:
    """Look at a file that somebody wants.

    Raises:
        UnsafePathError: It is a directory, or no file that can be read.
        CastError: It is not there, or may not be read.
    """
    status = (await link.list_files(path)).status
    if status.kind == "directory":
        raise UnsafePathError(path, "is a directory: fetch the files in it one by one")
    if status.kind != "file":
        raise UnsafePathError(path, "is no regular file; only those can be fetched")
    return Download(link, path, status)


def content_disposition(name: str) -> str:
    """The header that has a browser save a file under its name, whatever is in it (RFC 6266)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
