"""`castray cp` from a node to this machine."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from castray.errors import PeerError
from castray.transfer.agent import CastAgent
from tests.cli.copies.tree import tree_of
from tests.core.given import key_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.casting_backend import CastingBackend
    from tests.cli.copies.conftest import Run

MIB = 1 << 20


@pytest.mark.parametrize(
    ("destination", "path"), [(".", "a b.bin"), ("new/", "new/a b.bin"), ("b", "b")]
)
async def test_a_file_comes_whole_with_its_mode_and_time(
    run: Run, here: Path, root: Path, destination: str, path: str
) -> None:
    content = os.urandom(9 * MIB + 1)
    (root / "a b.bin").write_bytes(content)
    (root / "a b.bin").chmod(0o640)
    os.utime(root / "a b.bin", (1_600_000_000, 1_600_000_000))

    result = await run("cp", "M1:a b.bin", destination)

    assert result.exit_code == 0, result.output
    assert tree_of(here) == {path: content}
    status = (here / path).stat()
    assert (status.st_mode & 0o777, status.st_mtime) == (0o640, 1_600_000_000)


async def test_a_directory_comes_with_everything_below_it(run: Run, here: Path, root: Path) -> None:
    (root / "tree" / "下 1").mkdir(parents=True)
    (root / "tree" / "empty").touch()
    (root / "tree" / "下 1" / "x").write_bytes(b"x")
    (root / "tree" / "link").symlink_to("empty")

    result = await run("cp", "M1:tree", "here")

    assert result.exit_code == 1
    assert "✕" in result.stdout
    assert "tree/link: is no regular file" in result.stdout
    assert tree_of(here) == {"here/empty": b"", "here/下 1/x": b"x"}


@pytest.mark.parametrize(
    ("policy", "code", "files"),
    [
        ("fail", 1, {"a": b"old"}),
        ("overwrite", 0, {"a": b"new"}),
        ("rename", 0, {"a": b"old", "a (1)": b"new"}),
        ("skip", 1, {"a": b"old"}),
    ],
)
async def test_what_is_here_is_treated_as_the_policy_says(
    run: Run, here: Path, root: Path, policy: str, code: int, files: dict[str, bytes]
) -> None:
    (root / "a").write_bytes(b"new")
    (here / "a").write_bytes(b"old")

    result = await run("cp", "M1:a", ".", "--if-exists", policy)

    assert result.exit_code == code, result.output
    assert tree_of(here) == files


async def test_the_same_content_is_skipped(run: Run, here: Path, root: Path) -> None:
    for directory in (root, here):
        (directory / "a").write_bytes(b"same")

    result = await run("cp", "M1:a", ".", "--if-exists", "skip")

    assert result.exit_code == 0, result.output
    assert tree_of(here) == {"a": b"same"}


async def test_one_that_breaks_off_leaves_nothing_here(
    run: Run, registry: CastingBackend, here: Path, root: Path
) -> None:
    (root / "a").write_bytes(os.urandom(20 * MIB))
    break_off(registry, after_bytes=8 * MIB)

    result = await run("cp", "M1:a", ".")

    assert result.exit_code == 1
    assert "0 of 1 files are there; --resume goes on" in result.stderr
    assert tree_of(here) == {}


async def test_with_resume_it_goes_on_where_it_broke_off(
    run: Run, registry: CastingBackend, here: Path, root: Path
) -> None:
    content = os.urandom(20 * MIB)
    (root / "a").write_bytes(content)
    break_off(registry, after_bytes=8 * MIB)
    await run("cp", "M1:a", ".", "--resume")
    kept = sum(len(file) for file in tree_of(here).values())

    offsets = break_off(registry, after_bytes=None)
    result = await run("cp", "M1:a", ".", "--resume")

    assert result.exit_code == 0, result.output
    assert tree_of(here) == {"a": content}
    assert kept > 0
    assert kept in offsets


async def test_with_resume_what_is_here_is_not_fetched_again(
    run: Run, registry: CastingBackend, here: Path, root: Path
) -> None:
    (root / "a").write_bytes(b"new")
    await run("cp", "M1:a", ".")
    offsets = break_off(registry, after_bytes=0)

    result = await run("cp", "M1:a", ".", "--resume")

    assert result.exit_code == 0, result.output
    assert offsets == []


async def test_a_limit_is_kept(run: Run, root: Path) -> None:
    (root / "a").write_bytes(bytes(3 * MIB))
    clock = asyncio.get_running_loop().time
    began = clock()

    await run("cp", "M1:a", ".", "--bwlimit", "2M")

    assert clock() - began >= 1.0


async def test_what_is_not_there_is_told(run: Run) -> None:
    result = await run("cp", "M1:nosuch", ".")

    assert result.exit_code == 1
    assert "nosuch" in result.stderr


def break_off(registry: CastingBackend, after_bytes: int | None) -> list[int]:
    """Have M1's agent fall silent after so much of a file; where it was read, from then on."""
    agent = registry.agents[key_of("m1")]
    read = CastAgent.read_file
    offsets: list[int] = []

    async def read_or_fail(path: str, offset: int, length: int) -> bytes:
        offsets.append(offset)
        if after_bytes is not None and offset >= after_bytes:
            raise PeerError("M1", "is gone")
        assert isinstance(agent, CastAgent)
        return await read(agent, path, offset, length)

    agent.read_file = read_or_fail  # type: ignore[method-assign]
    return offsets
