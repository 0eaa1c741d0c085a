"""`castray casts`."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from castray.cast_models import CastAction
from castray.core.cast_state import TargetDone
from tests.cli.casting_backend import BYTES, CastingBackend
from tests.core.given import key_of, members

if TYPE_CHECKING:
    from click.testing import Result

    from tests.cli.conftest import RunCastray
    from tests.page.server import PageServer


@pytest.fixture
async def registry(monkeypatch: pytest.MonkeyPatch) -> CastingBackend:
    """Knows M1 and M2."""
    monkeypatch.setenv("COLUMNS", "200")
    registry = CastingBackend()
    registry.apply(members("m1", "m2"))
    return registry


async def run(castray: RunCastray, server: PageServer, *words: str) -> Result:
    return await asyncio.to_thread(castray, *words, "--url", server.url)


async def begin(castray: RunCastray, server: PageServer, count: int = 1) -> None:
    for _ in range(count):
        await run(castray, server, "cp", "M1:a.bin", "M2:", "--detach")


async def test_the_newest_casts_are_listed_first(
    castray: RunCastray, server: PageServer, registry: CastingBackend
) -> None:
    await begin(castray, server, 3)

    result = await run(castray, server, "casts", "--limit", "2")

    newest, older = result.output.splitlines()[1:]
    assert newest.strip().startswith("cast3 ")
    assert "○ queued" in newest
    assert "M1:a.bin" in newest
    assert "0 B of 3.0 MiB" in newest
    assert older.strip().startswith("cast2 ")


async def test_more_than_a_page_of_casts_is_listed_on_demand(
    castray: RunCastray, server: PageServer, registry: CastingBackend
) -> None:
    await begin(castray, server)
    registry.remembered = [
        registry.remembered[0].model_copy(update={"id": f"c{number}"}) for number in range(70)
    ]

    result = await run(castray, server, "casts", "--json", "--limit", "60")

    shown = json.loads(result.output)["casts"]
    assert [cast["id"] for cast in shown] == [f"c{number}" for number in range(60)]


async def test_one_cast_is_shown_target_by_target(
    castray: RunCastray, server: PageServer, registry: CastingBackend
) -> None:
    await begin(castray, server)
    registry.script.append(TargetDone(key_of("m2"), "/root/a.bin", BYTES, BYTES, 1))

    result = await run(castray, server, "casts", "cast1")

    assert result.exit_code == 0
    assert "✓ completed" in result.output
    assert result.output.endswith("✓ M2 has /root/a.bin\n")


async def test_one_cast_is_a_record_for_programs(
    castray: RunCastray, server: PageServer, registry: CastingBackend
) -> None:
    await begin(castray, server)

    result = await run(castray, server, "casts", "cast1", "--json")

    assert json.loads(result.output)["state"] == "queued"


@pytest.mark.parametrize("action", list(CastAction))
async def test_a_cast_is_steered(
    castray: RunCastray, server: PageServer, registry: CastingBackend, action: CastAction
) -> None:
    await begin(castray, server)

    result = await run(castray, server, "casts", action.value, "cast1")

    assert result.exit_code == 0
    assert registry.steered == [("cast1", action)]


async def test_following_ends_like_the_cast(
    castray: RunCastray, server: PageServer, registry: CastingBackend
) -> None:
    await begin(castray, server)
    await run(castray, server, "casts", "cancel", "cast1")

    result = await run(castray, server, "casts", "follow", "cast1")

    assert result.exit_code == 1
    assert "✕ M2 cancelled" in result.stdout


async def test_an_unknown_cast_is_told_in_one_line(castray: RunCastray, server: PageServer) -> None:
    result = await run(castray, server, "casts", "nosuch")

    assert result.exit_code == 1
    assert "nosuch" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [("follow",), ("explode", "cast1"), ("a", "b", "c")])
def test_other_words_are_refused(castray: RunCastray, words: tuple[str, ...]) -> None:
    result = castray("casts", *words)

    assert result.exit_code == 2
    assert "castray casts [follow|cancel|pause|resume|retry] ID" in result.stderr
