"""`castray cast` of a file of this machine, for several nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from castray.cli import cast_calls
from castray.core.cast_state import TargetDone
from tests.cli.casting_backend import BYTES, CastingBackend
from tests.cli.copies.tree import tree_of
from tests.core.given import key_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.cli.copies.conftest import Run


async def test_it_is_uploaded_to_the_head_once_and_cast_from_there(
    run: Run, registry: CastingBackend, here: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cast_calls, "POLL_INTERVAL_S", 0.0)
    (here / "a.bin").write_bytes(b"content")
    registry.script.append(TargetDone(key_of("m2"), "/r/a.bin", BYTES, BYTES, 1))

    result = await run("cast", "a.bin", "--to", "all")
    again = await run("cast", "a.bin", "--to", "all", "--resume", "--detach")

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
    run: Run, registry: CastingBackend, here: Path, root: Path
) -> None:
    for content in (b"one", b"two!"):
        (here / "a.bin").write_bytes(content)
        await run("cast", "a.bin", "--to", "M2", "--detach")

    assert sorted(tree_of(root).values()) == [b"one", b"two!"]
    assert registry.requests[0].source != registry.requests[1].source


async def test_a_dry_run_uploads_nothing(
    run: Run, registry: CastingBackend, here: Path, root: Path
) -> None:
    (here / "a.bin").write_bytes(b"one")

    result = await run("cast", "a.bin", "--to", "all", "--dry-run")

    assert result.exit_code == 0
    assert "would be uploaded to M1:uploads/" in result.stdout
    assert tree_of(root) == {}
    assert registry.requests == []
