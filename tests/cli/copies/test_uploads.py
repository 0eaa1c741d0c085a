"""`castray cp` from this machine to a node."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

import pytest

from tests.cli.copies.tree import tree_of
from tests.core.given import key_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.casting_backend import CastingBackend
    from tests.cli.conftest import RunCastray
    from tests.cli.copies.conftest import Run

MIB = 1 << 20


@pytest.mark.parametrize(
    ("destination", "path"),
    [("", "a b.bin"), ("models/", "models/a b.bin"), ("models/模型 1", "models/模型 1")],
)
async def test_a_file_goes_into_a_directory_or_gets_a_new_name(
    run: Run, here: Path, root: Path, destination: str, path: str
) -> None:
    content = os.urandom(9 * MIB + 1)
    (here / "a b.bin").write_bytes(content)

    result = await run("cp", "a b.bin", f"M1:{destination}")

    assert result.exit_code == 0, result.output
    assert result.stdout == f"✓ M1 has {root / path}\n"
    assert tree_of(root) == {path: content}


async def test_a_directory_goes_with_everything_below_it(run: Run, here: Path, root: Path) -> None:
    (here / "tree" / "below").mkdir(parents=True)
    (here / "tree" / "empty").touch()
    (here / "tree" / "below" / "x").write_bytes(b"x")

    result = await run("cp", "tree", "M1:in/")

    assert result.exit_code == 0, result.output
    assert "✓ M1 has 2 files" in result.stdout
    assert tree_of(root) == {"in/tree/empty": b"", "in/tree/below/x": b"x"}


async def test_what_cannot_go_is_told_and_stops_nothing_else(
    run: Run, here: Path, root: Path
) -> None:
    (here / "tree").mkdir()
    for name in "abc":
        (here / "tree" / name).write_text(name)
    os.mkfifo(here / "tree" / "pipe")
    (here / "tree" / "out").symlink_to(here)
    (root / "tree").mkdir()
    (root / "tree" / "b").write_text("theirs")

    result = await run("cp", "tree", "M1:")

    assert result.exit_code == 1
    assert result.stdout.count("✕") == 3
    for word in ("pipe: is no file", "out: is no file", "tree/b: "):
        assert word in result.stdout
    assert tree_of(root) == {"tree/a": b"a", "tree/b": b"theirs", "tree/c": b"c"}


async def test_the_policy_is_passed_on(run: Run, here: Path, root: Path) -> None:
    (here / "a.bin").write_bytes(b"new")
    (root / "a.bin").write_bytes(b"old")

    renamed = await run("cp", "a.bin", "M1:", "--if-exists", "rename")
    await run("cp", "a.bin", "M1:", "--if-exists", "overwrite")

    assert renamed.stdout == f"✓ M1 has {root / 'a (1).bin'}\n"
    assert tree_of(root) == {"a.bin": b"new", "a (1).bin": b"new"}


async def test_resuming_leaves_what_is_there_with_the_same_size(
    run: Run, here: Path, root: Path
) -> None:
    (here / "tree").mkdir()
    for name in "abc":
        (here / "tree" / name).write_text(name * 3)
    (root / "tree").mkdir()
    (root / "tree" / "a").write_text("AAA")

    result = await run("cp", "tree", "M1:", "--resume")

    assert result.exit_code == 0, result.output
    assert tree_of(root) == {"tree/a": b"AAA", "tree/b": b"bbb", "tree/c": b"ccc"}


# A request that is broken off may leave its socket to the end of the process, which in a test
# is somebody else's.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_file_that_changes_while_it_is_sent_does_not_arrive(
    run: Run, registry: CastingBackend, here: Path, root: Path
) -> None:
    file = here / "a.bin"
    file.write_bytes(bytes(20 * MIB))
    agent = registry.agents[key_of("m1")]
    append = agent.append_upload

    async def grow_and_append(upload_id: str, offset: int, data: bytes) -> None:
        with file.open("ab") as more:
            more.write(b"more")
        await append(upload_id, offset, data)

    agent.append_upload = grow_and_append  # type: ignore[method-assign]

    result = await run("cp", "a.bin", "M1:")
    gc.collect()

    assert result.exit_code == 1
    assert "a.bin changed while it was sent" in result.stdout
    assert "a.bin" not in tree_of(root)


async def test_a_dry_run_tells_what_would_go_where(run: Run, here: Path, root: Path) -> None:
    (here / "a.bin").write_bytes(b"new")

    result = await run("cp", "a.bin", "M1:in/", "--dry-run")

    assert result.stdout.splitlines() == [
        "Would go, 3 B in all:",
        "  a.bin → M1:in/a.bin, 3 B",
    ]
    assert tree_of(root) == {}


def test_what_is_not_here_is_told(castray: RunCastray, here: Path) -> None:
    (here / "empty").mkdir()

    missing, empty = castray("cp", "nosuch", "M1:"), castray("cp", "empty", "M1:")

    assert (missing.exit_code, empty.exit_code) == (1, 1)
    assert "nosuch: there is no such file" in missing.stderr
    assert "empty: holds no files" in empty.stderr
