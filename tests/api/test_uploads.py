from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from castray.api.uploads import send_upload
from castray.cast_models import IfExists
from castray.errors import TargetFileError
from castray.transfer.agent import CastAgent
from castray.transfer.agent_link import MAX_PIECE_BYTES, UploadOrder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ORDER = UploadOrder(upload_id="u1", path="f", if_exists=IfExists.FAIL)


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[CastAgent]:
    """Shares the test's directory."""
    agent = CastAgent([str(tmp_path)], [0], "127.0.0.1")
    yield agent
    await agent.aclose()


async def content(*portions: bytes, error: BaseException | None = None) -> AsyncIterator[bytes]:
    for portion in portions:
        yield portion
    if error is not None:
        raise error


async def test_portions_of_any_size_arrive_in_their_order(agent: CastAgent, tmp_path: Path) -> None:
    portions = [b"a" * (MAX_PIECE_BYTES - 1), b"b", b"", b"c" * (2 * MAX_PIECE_BYTES + 5), b"d"]

    path, size_bytes = await send_upload(agent, ORDER, content(*portions))

    assert (path, size_bytes) == (str(tmp_path / "f"), 3 * MAX_PIECE_BYTES + 6)
    assert (tmp_path / "f").read_bytes() == b"".join(portions)


@pytest.mark.parametrize(
    "error", [OSError("gone"), asyncio.CancelledError()], ids=["gone", "ending"]
)
async def test_where_the_client_goes_nothing_is_left(
    agent: CastAgent, tmp_path: Path, error: BaseException
) -> None:
    with pytest.raises(type(error)):
        await send_upload(agent, ORDER, content(bytes(5 * MAX_PIECE_BYTES), error=error))

    assert await asyncio.to_thread(os.listdir, tmp_path) == []


async def test_what_the_agent_refuses_is_told_before_anything_is_read(
    agent: CastAgent, tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(b"old")
    unread = content(b"new", error=AssertionError("it was read"))

    with pytest.raises(TargetFileError, match="is there already"):
        await send_upload(agent, ORDER, unread)

    assert (tmp_path / "f").read_bytes() == b"old"
