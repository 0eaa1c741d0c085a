from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from castray.api.downloads import content_disposition, open_download
from castray.errors import SourceFileError, UnsafePathError
from castray.transfer.agent import CastAgent
from castray.transfer.agent_link import MAX_PIECE_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[CastAgent]:
    """Shares the test's directory."""
    agent = CastAgent([str(tmp_path)], [0], "127.0.0.1")
    yield agent
    await agent.aclose()


async def test_a_file_that_shrinks_meanwhile_breaks_off(agent: CastAgent, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(2 * MAX_PIECE_BYTES))
    pieces = (await open_download(agent, "f")).pieces(range(2 * MAX_PIECE_BYTES))
    await anext(pieces)

    os.truncate(tmp_path / "f", MAX_PIECE_BYTES + 1)

    with pytest.raises(SourceFileError, match="changed while it was sent"):
        await anext(pieces)


async def test_the_end_of_a_file_that_was_written_meanwhile_is_not_sent(
    agent: CastAgent, tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(b"old" + bytes(MAX_PIECE_BYTES))
    size_bytes = 3 + MAX_PIECE_BYTES
    pieces = (await open_download(agent, "f")).pieces(range(size_bytes))
    await anext(pieces)

    os.utime(tmp_path / "f", (1, 1))

    with pytest.raises(SourceFileError, match="changed while it was sent"):
        await anext(pieces)


@pytest.mark.parametrize(("name", "why"), [("d", "is a directory"), ("p", "no regular file")])
async def test_only_a_file_can_be_fetched(
    agent: CastAgent, tmp_path: Path, name: str, why: str
) -> None:
    (tmp_path / "d").mkdir()
    os.mkfifo(tmp_path / "p")

    with pytest.raises(UnsafePathError, match=why):
        await open_download(agent, name)


def test_a_name_cannot_leave_its_header() -> None:
    header = content_disposition('a"; b\r\nSet-Cookie: x')

    assert header == (
        'attachment; filename="a_; b__Set-Cookie: x"; '
        "filename*=UTF-8''a%22%3B%20b%0D%0ASet-Cookie%3A%20x"
    )
