"""`castray cp` from and to this machine, and `castray cast` of what lies on it."""

from __future__ import annotations

import asyncio
import gc
import os
from typing import TYPE_CHECKING

import pytest

from castray.cli import cast_calls
from castray.core.cast_state import TargetDone
from castray.errors import PeerError
from castray.transfer.agent import CastAgent
from tests.cli.casting_backend import BYTES, CastingBackend
from tests.core.given import key_of, members, node_facts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from click.testing import Result

    from tests.cli.conftest import RunCastray
    from tests.page.server import PageServer

MIB = 1 << 20


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """What M1 shares."""
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory in which somebody types."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.fixture
async def registry(root: Path) -> AsyncIterator[CastingBackend]:
    """Knows the head M1, with a real agent, and M2."""
    registry = CastingBackend()
    registry.apply(members(node_facts("m1", is_head=True), "m2"))
    agent = CastAgent([str(root)], [0], "127.0.0.1")
    registry.agents[key_of("m1")] = agent
    yield registry
    await agent.aclose()


async def run(castray: RunCastray, server: PageServer, *words: str) -> Result:
    return await asyncio.to_thread(castray, *words, "--url", server.url)


def tree_of(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


class TestUpload:
    """From this machine to a node."""

    @pytest.mark.parametrize(
        ("destination", "path"),
        [("", "a b.bin"), ("models/", "models/a b.bin"), ("models/模型 1", "models/模型 1")],
    )
    async def test_a_file_goes_into_a_directory_or_gets_a_new_name(
        self,
        castray: RunCastray,
        server: PageServer,
        here: Path,
        root: Path,
        destination: str,
        path: str,
    ) -> None:
        content = os.urandom(9 * MIB + 1)
        (here / "a b.bin").write_bytes(content)

        result = await run(castray, server, "cp", "a b.bin", f"M1:{destination}")

        assert result.exit_code == 0, result.output
        assert result.stdout == f"✓ M1 has {root / path}\n"
        assert tree_of(root) == {path: content}

    async def test_a_directory_goes_with_everything_below_it(
        self, castray: RunCastray, server: PageServer, here: Path, root: Path
    ) -> None:
        (here / "tree" / "below").mkdir(parents=True)
        (here / "tree" / "empty").touch()
        (here / "tree" / "below" / "x").write_bytes(b"x")

        result = await run(castray, server, "cp", "tree", "M1:in/")

        assert result.exit_code == 0, result.output
        assert "✓ M1 has 2 files" in result.stdout
        assert tree_of(root) == {"in/tree/empty": b"", "in/tree/below/x": b"x"}

    async def test_what_cannot_go_is_told_and_stops_nothing_else(
        self, castray: RunCastray, server: PageServer, here: Path, root: Path
    ) -> None:
        (here / "tree").mkdir()
        for name in "abc":
            (here / "tree" / name).write_text(name)
        os.mkfifo(here / "tree" / "pipe")
        (here / "tree" / "out").symlink_to(here)
        (root / "tree").mkdir()
        (root / "tree" / "b").write_text("theirs")

        result = await run(castray, server, "cp", "tree", "M1:")

        assert result.exit_code == 1
        assert result.stdout.count("✕") == 3
        for word in ("pipe: is no file", "out: is no file", "tree/b: "):
            assert word in result.stdout
        assert tree_of(root) == {"tree/a": b"a", "tree/b": b"theirs", "tree/c": b"c"}

    async def test_the_policy_is_passed_on(
        self, castray: RunCastray, server: PageServer, here: Path, root: Path
    ) -> None:
        (here / "a.bin").write_bytes(b"new")
        (root / "a.bin").write_bytes(b"old")

        renamed = await run(castray, server, "cp", "a.bin", "M1:", "--if-exists", "rename")
        await run(castray, server, "cp", "a.bin", "M1:", "--if-exists", "overwrite")

        assert renamed.stdout == f"✓ M1 has {root / 'a (1).bin'}\n"
        assert tree_of(root) == {"a.bin": b"new", "a (1).bin": b"new"}

    async def test_resuming_leaves_what_is_there_with_the_same_size(
        self, castray: RunCastray, server: PageServer, here: Path, root: Path
    ) -> None:
        (here / "tree").mkdir()
        for name in "abc":
            (here / "tree" / name).write_text(name * 3)
        (root / "tree").mkdir()
        (root / "tree" / "a").write_text("AAA")

        result = await run(castray, server, "cp", "tree", "M1:", "--resume")

        assert result.exit_code == 0, result.output
        assert tree_of(root) == {"tree/a": b"AAA", "tree/b": b"bbb", "tree/c": b"ccc"}

    # A request that is broken off may leave its socket to the end of the process, which in a test
    # is somebody else's.
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    async def test_a_file_that_changes_while_it_is_sent_does_not_arrive(
        self,
        castray: RunCastray,
        server: PageServer,
        registry: CastingBackend,
        here: Path,
        root: Path,
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

        result = await run(castray, server, "cp", "a.bin", "M1:")
        gc.collect()

        assert result.exit_code == 1
        assert "a.bin changed while it was sent" in result.stdout
        assert "a.bin" not in tree_of(root)

    async def test_a_dry_run_tells_what_would_go_where(
        self, castray: RunCastray, server: PageServer, here: Path, root: Path
    ) -> None:
        (here / "a.bin").write_bytes(b"new")

        result = await run(castray, server, "cp", "a.bin", "M1:in/", "--dry-run")

        assert result.stdout.splitlines() == [
            "Would go, 3 B in all:",
            "  a.bin → M1:in/a.bin, 3 B",
        ]
        assert tree_of(root) == {}

    def test_what_is_not_here_is_told(self, castray: RunCastray, here: Path) -> None:
        (here / "empty").mkdir()

        missing, empty = castray("cp", "nosuch", "M1:"), castray("cp", "empty", "M1:")

        assert (missing.exit_code, empty.exit_code) == (1, 1)
        assert "nosuch: there is no such file" in missing.stderr
        assert "empty: holds no files" in empty.stderr


class TestDownload:
    """From a node to this machine."""

    @pytest.mark.parametrize(
        ("destination", "path"), [(".", "a b.bin"), ("new/", "new/a b.bin"), ("b", "b")]
    )
    async def test_a_file_comes_whole_with_its_mode_and_time(
        self,
        castray: RunCastray,
        server: PageServer,
        here: Path,
        root: Path,
        destination: str,
        path: str,
    ) -> None:
        content = os.urandom(9 * MIB + 1)
        (root / "a b.bin").write_bytes(content)
        (root / "a b.bin").chmod(0o640)
        os.utime(root / "a b.bin", (1_600_000_000, 1_600_000_000))

        result = await run(castray, server, "cp", "M1:a b.bin", destination)

        assert result.exit_code == 0, result.output
        assert tree_of(here) == {path: content}
        status = (here / path).stat()
        assert (status.st_mode & 0o777, status.st_mtime) == (0o640, 1_600_000_000)

    async def test_a_directory_comes_with_everything_below_it(
        self, castray: RunCastray, server: PageServer, here: Path, root: Path
    ) -> None:
        (root / "tree" / "下 1").mkdir(parents=True)
        (root / "tree" / "empty").touch()
        (root / "tree" / "下 1" / "x").write_bytes(b"x")
        (root / "tree" / "link").symlink_to("empty")

        result = await run(castray, server, "cp", "M1:tree", "here")

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
        self,
        castray: RunCastray,
        server: PageServer,
        here: Path,
        root: Path,
        policy: str,
        code: int,
        files: dict[str, bytes],
    ) -> None:
        (root / "a").write_bytes(b"new")
        (here / "a").write_bytes(b"old")

        result = await run(castray, server, "cp", "M1:a", ".", "--if-exists", policy)

        assert result.exit_code == code, result.output
        assert tree_of(here) == files

    async def test_the_same_content_is_skipped(
        self, castray: RunCastray, server: PageServer, here: Path, root: Path
    ) -> None:
        for directory in (root, here):
            (directory / "a").write_bytes(b"same")

        result = await run(castray, server, "cp", "M1:a", ".", "--if-exists", "skip")

        assert result.exit_code == 0, result.output
        assert tree_of(here) == {"a": b"same"}

    async def test_one_that_breaks_off_leaves_nothing_here(
        self,
        castray: RunCastray,
        server: PageServer,
        registry: CastingBackend,
        here: Path,
        root: Path,
    ) -> None:
        (root / "a").write_bytes(os.urandom(20 * MIB))
        break_off(registry, after_bytes=8 * MIB)

        result = await run(castray, server, "cp", "M1:a", ".")

        assert result.exit_code == 1
        assert "0 of 1 files are there; --resume goes on" in result.stderr
        assert tree_of(here) == {}

    async def test_with_resume_it_goes_on_where_it_broke_off(
        self,
        castray: RunCastray,
        server: PageServer,
        registry: CastingBackend,
        here: Path,
        root: Path,
    ) -> None:
        content = os.urandom(20 * MIB)
        (root / "a").write_bytes(content)
        offsets = break_off(registry, after_bytes=8 * MIB)
        await run(castray, server, "cp", "M1:a", ".", "--resume")
        kept = sum(len(file) for file in tree_of(here).values())

        offsets = break_off(registry, after_bytes=None)
        result = await run(castray, server, "cp", "M1:a", ".", "--resume")

        assert result.exit_code == 0, result.output
        assert tree_of(here) == {"a": content}
        assert kept > 0
        assert kept in offsets

    async def test_with_resume_what_is_here_is_not_fetched_again(
        self,
        castray: RunCastray,
        server: PageServer,
        registry: CastingBackend,
        here: Path,
        root: Path,
    ) -> None:
        (root / "a").write_bytes(b"new")
        await run(castray, server, "cp", "M1:a", ".")
        offsets = break_off(registry, after_bytes=0)

        result = await run(castray, server, "cp", "M1:a", ".", "--resume")

        assert result.exit_code == 0, result.output
        assert offsets == []

    async def test_a_limit_is_kept(
        self, castray: RunCastray, server: PageServer, here: Path, root: Path
    ) -> None:
        (root / "a").write_bytes(bytes(3 * MIB))
        clock = asyncio.get_running_loop().time
        began = clock()

        await run(castray, server, "cp", "M1:a", ".", "--bwlimit", "2M")

        assert clock() - began >= 1.0

    async def test_what_is_not_there_is_told(
        self, castray: RunCastray, server: PageServer, here: Path
    ) -> None:
        result = await run(castray, server, "cp", "M1:nosuch", ".")

        assert result.exit_code == 1
        assert "nosuch" in result.stderr


class TestCastFromHere:
    """A file of this machine, for several nodes."""

    async def test_it_is_uploaded_to_the_head_once_and_cast_from_there(
        self,
        castray: RunCastray,
        server: PageServer,
        registry: CastingBackend,
        here: Path,
        root: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(cast_calls, "POLL_INTERVAL_S", 0.0)
        (here / "a.bin").write_bytes(b"content")
        registry.script.append(TargetDone(key_of("m2"), "/r/a.bin", BYTES, BYTES, 1))

        result = await run(castray, server, "cast", "a.bin", "--to", "all")
        again = await run(castray, server, "cast", "a.bin", "--to", "all", "--resume", "--detach")

        assert result.exit_code == 0, result.output
        assert "Uploading to M1:uploads/" in result.stderr
        [(path, content)] = tree_of(root).items()
        assert path.startswith("uploads/")
        assert path.endswith("/a.bin")
        assert content == b"content"
        first, second = registry.requests
        assert (first.source.node, first.source.path) == (key_of("m1"), path)
        assert first.destination == "./"
        assert second.source == first.source
        assert again.exit_code == 0

    async def test_other_content_is_uploaded_to_another_place(
        self,
        castray: RunCastray,
        server: PageServer,
        registry: CastingBackend,
        here: Path,
        root: Path,
    ) -> None:
        for content in (b"one", b"two!"):
            (here / "a.bin").write_bytes(content)
            await run(castray, server, "cast", "a.bin", "--to", "M2", "--detach")

        assert sorted(tree_of(root).values()) == [b"one", b"two!"]
        assert registry.requests[0].source != registry.requests[1].source

    async def test_a_dry_run_uploads_nothing(
        self,
        castray: RunCastray,
        server: PageServer,
        registry: CastingBackend,
        here: Path,
        root: Path,
    ) -> None:
        (here / "a.bin").write_bytes(b"one")

        result = await run(castray, server, "cast", "a.bin", "--to", "all", "--dry-run")

        assert result.exit_code == 0
        assert "would be uploaded to M1:uploads/" in result.stdout
        assert tree_of(root) == {}
        assert registry.requests == []


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
