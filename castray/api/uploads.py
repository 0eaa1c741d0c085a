"""A file on its way from a client to a node, a piece at a time."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from castray.errors import CastError
from castray.transfer.agent_link import MAX_PIECE_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from castray.transfer.agent_link import AgentLink, UploadOrder

__all__ = ["send_upload"]

logger = logging.getLogger(__name__)


async def send_upload(
    link: AgentLink, order: UploadOrder, content: AsyncIterator[bytes]
) -> tuple[str, int]:
    """Put a file on a node; where that fails in any way, nothing of it is left there.

    Args:
        link: The node's agent.
        order: What the file is to be.
        content: Its bytes, in portions of any size.

    Returns:
        Where it is, and how many bytes it has.

    Raises:
        CastError: It cannot be written there, or the agent is gone.
    """
    size_bytes = 0
    try:
        await link.begin_upload(order)
        async for piece in _pieces(content):
            await link.append_upload(order.upload_id, size_bytes, piece)
            size_bytes += len(piece)
        return await link.finish_upload(order.upload_id), size_bytes
    except BaseException:  # also where the client went, or the server is ending
        await _abort(link, order)
        raise


async def _pieces(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces of `MAX_PIECE_BYTES`, but for the last."""
    piece = bytearray()
    async for portion in content:
        piece += portion
        while len(piece) >= MAX_PIECE_BYTES:
            yield bytes(piece[:MAX_PIECE_BYTES])
            del piece[:MAX_PIECE_BYTES]
    if piece:
        yield bytes(piece)


async def _abort(link: AgentLink, order: UploadOrder) -> None:
    try:
        await link.abort_upload(order.upload_id)
    except CastError as error:
        logger.warning("what arrived of an upload stays until it is swept away: %s", error)
