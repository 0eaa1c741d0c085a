from __future__ import annotations

from typing import TYPE_CHECKING

from castray.store import Store

if TYPE_CHECKING:
    from pathlib import Path


def test_epoch_grows_over_every_opening_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "made" / "on" / "demand" / "castray.db"

    epochs = []
    for _ in range(3):
        store = Store(path)
        epochs.append(store.next_epoch())
        store.close()

    assert epochs == [1, 2, 3]


def test_store_in_use_by_another_still_gives_its_own_epoch(tmp_path: Path) -> None:
    first, second = Store(tmp_path / "castray.db"), Store(tmp_path / "castray.db")

    epochs = [first.next_epoch(), second.next_epoch(), first.next_epoch()]

    assert epochs == [1, 2, 3]
    first.close()
    second.close()
