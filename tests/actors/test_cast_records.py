from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from castray.actors.cast_records import KEEP_GAP_S, TELL_GAP_S, CastRecords
from castray.cast_models import Cast, CastState, KeptCast
from castray.store import Store
from tests.core.given import cast_to

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Told:
    """Records whose every telling is noted, on a real store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.casts: list[Cast] = []
        self.records = CastRecords(store, self.casts.append)

    def tell(self, now_s: float, **changes: object) -> None:
        cast = cast_to("m1").model_copy(update=changes)
        self.records.tell([KeptCast(cast=cast, secret="00" * 32, nodes={})], now_s)

    @property
    def bytes_told(self) -> list[int]:
        return [cast.bytes_done for cast in self.casts]

    def bytes_kept(self) -> int | None:
        kept = self.store.cast("cast-1")
        return kept.cast.bytes_done if kept else None


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    store = Store(tmp_path / "castray.db")
    yield Told(store)
    store.close()


def test_progress_is_told_only_a_few_times_a_second(told: Told) -> None:
    for step in range(11):
        told.tell(step * TELL_GAP_S / 5, bytes_done=step)

    assert told.bytes_told == [0, 5, 10]


def test_a_state_is_told_at_once(told: Told) -> None:
    told.tell(0.0)
    told.tell(0.01, state=CastState.RUNNING)

    assert [cast.state for cast in told.casts] == [CastState.QUEUED, CastState.RUNNING]


def test_what_is_the_same_is_not_told_again(told: Told) -> None:
    cast = KeptCast(cast=cast_to("m1"), secret="00" * 32, nodes={})

    for now_s in (0.0, 10.0):
        told.records.tell([cast], now_s)

    assert len(told.casts) == 1


async def test_progress_is_kept_more_seldom_and_states_at_once(told: Told) -> None:
    kept = []
    for now_s, changes in (
        (0.0, {"bytes_done": 1}),
        (KEEP_GAP_S / 2, {"bytes_done": 2}),
        (KEEP_GAP_S, {"bytes_done": 3}),
        (KEEP_GAP_S + 0.1, {"bytes_done": 4, "state": CastState.FAILED}),
    ):
        told.tell(now_s, **changes)
        await told.records.flush()
        kept.append(told.bytes_kept())

    assert kept == [1, 1, 3, 4]


async def test_what_a_failing_disk_did_not_take_is_written_later(told: Told) -> None:
    told.tell(0.0, bytes_done=1)
    keep, told.store.keep_casts = told.store.keep_casts, _fail  # type: ignore[method-assign]
    with pytest.raises(sqlite3.OperationalError):
        await told.records.run_round()

    told.store.keep_casts = keep  # type: ignore[method-assign]
    await told.records.run_round()

    assert told.bytes_kept() == 1


def _fail(casts: object) -> None:
    raise sqlite3.OperationalError("disk I/O error")
