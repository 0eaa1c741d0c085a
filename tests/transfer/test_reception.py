from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

from castray.transfer.journal import Journal
from castray.transfer.manifest import ManifestBuilder
from castray.transfer.pages import FILE, Entry
from castray.transfer.partial import open_partial
from castray.transfer.reception import Reception
from castray.transfer.scanning import open_root

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20


def test_nobody_waits_for_the_turn_of_a_file_that_is_refused(tmp_path: Path) -> None:
    builder = ManifestBuilder()
    builder.add(Entry("a.bin", FILE, 4 * MIB, 0o644, 0))
    manifest = builder.build("sha256", is_chained=True)
    turns: list[bool] = []
    with open_root(str(tmp_path)) as root, open_partial(root, (), "cast1") as partial:
        journal = Journal(partial.journal)
        reception = Reception(manifest, partial, journal, source="source", seed=0)
        for block in (0, 1):
            reception.start(block, "source")
        waiting = Thread(
            target=lambda: turns.append(reception.wait_for_turn(1, 0, lambda: False)), daemon=True
        )
        waiting.start()

        reception.refuse(0, "was written to while it was cast")

        waiting.join(10)
    assert turns == [False]
