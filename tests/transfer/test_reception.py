from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

import pytest

from castray.transfer.beneath import open_root
from castray.transfer.journal import Journal
from castray.transfer.manifest import ManifestBuilder
from castray.transfer.pages import FILE, Entry
from castray.transfer.partial import open_partial
from castray.transfer.reception import Reception

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MIB = 1 << 20


@pytest.fixture
def reception(tmp_path: Path) -> Iterator[Reception]:
    """Of one chained file of four blocks, the first two of which are on their way."""
    builder = ManifestBuilder()
    builder.add(Entry("a.bin", FILE, 4 * MIB, 0o644, 0))
    manifest = builder.build("sha256", is_chained=True)
    with open_root(str(tmp_path)) as root, open_partial(root, (), "cast1") as partial:
        journal = Journal(partial.journal)
        reception = Reception(manifest, partial, journal, source="source", seed=0)
        for block in (0, 1):
            reception.start(block, "source")
        yield reception


def refuse(reception: Reception) -> None:
    reception.refuse(0, "was written to while it was cast")


def arrive(reception: Reception) -> None:
    reception.arrive(0)


def lose(reception: Reception) -> None:
    reception.stop(0, "source", was_sent=True)


@pytest.mark.parametrize("happen", [arrive, lose, refuse])
def test_who_has_a_block_waits_for_those_before_it_as_long_as_somebody_brings_them(
    reception: Reception, happen: Callable[[Reception], None]
) -> None:
    waiting = Thread(target=reception.wait_for_earlier, args=[1, 0], daemon=True)
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()

    happen(reception)

    waiting.join(10)
    assert not waiting.is_alive()
