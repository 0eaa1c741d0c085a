from __future__ import annotations

import os
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from castray.core.paths import RootedPath
from castray.transfer.beneath import open_root
from castray.transfer.buffers import new_buffer
from castray.transfer.chain import SPARE_BUFFERS, Chain
from castray.transfer.destination import Destination
from castray.transfer.hashing import new_hash
from castray.transfer.journal import Journal
from castray.transfer.manifest import ManifestBuilder
from castray.transfer.pages import FILE, Entry
from castray.transfer.partial import open_partial
from castray.transfer.proving import Prover
from castray.transfer.reception import Reception

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 1 << 20
BLOCKS = 5
CONTENT = os.urandom(BLOCKS * MIB)
WRONG = bytes(32)


class Site:
    """One chained file being received, of which all blocks are on their way."""

    def __init__(self, reception: Reception, destination: Destination) -> None:
        self.reception = reception
        self.chain = Chain(reception, Prover(reception, destination))
        for block in range(BLOCKS):
            reception.start(block, "source")

    def bring(self, block: int, digest: bytes | None = None) -> None:
        """Have that block arrive, with its own digest or another."""
        end = (block + 1) * MIB
        if digest is None:
            running = new_hash("sha256")
            running.update(CONTENT[:end])
            digest = running.digest()
        buffer = new_buffer(MIB)
        buffer[:] = CONTENT[block * MIB : end]
        self.chain.add(block, "source", digest, buffer)

    def start(self, block: int) -> Thread:
        """The same on a thread of its own, as a stream does; it waits for the blocks before."""
        thread = Thread(target=self.bring, args=[block], daemon=True)
        thread.start()
        return thread


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    builder = ManifestBuilder()
    builder.add(Entry("a.bin", FILE, len(CONTENT), 0o644, 0))
    manifest = builder.build("sha256", is_chained=True)
    destination = Destination(RootedPath(str(tmp_path), ("a.bin",), names_directory=False))
    with open_root(str(tmp_path)) as root, open_partial(root, (), "cast1") as partial:
        journal = Journal(partial.journal)
        yield Site(Reception(manifest, partial, journal, source="source", seed=0), destination)


def test_what_came_too_early_is_proved_by_who_brings_what_is_due(site: Site) -> None:
    early = [site.start(block) for block in (2, 1)]
    for thread in early:
        thread.join(0.1)
    assert list(site.reception.verified) == []

    site.bring(0)

    for thread in early:
        thread.join(10)
    assert list(site.reception.verified) == [0, 1, 2]


def test_a_damaged_piece_takes_those_behind_it_along(site: Site) -> None:
    early = site.start(1)
    early.join(0.1)

    site.bring(0, WRONG)

    early.join(10)
    assert not early.is_alive()
    assert list(site.reception.verified) == []
    assert site.reception.bad_blocks == {"source": 1}
    plan = site.reception.plan("source")
    assert plan is not None
    assert plan.candidates == (0,)


def test_streams_that_wait_for_memory_go_on_when_the_file_is_refused(site: Site) -> None:
    # One more than there are buffers: the last one finds none.
    waiting = [site.start(block) for block in range(1, SPARE_BUFFERS + 2)]
    for thread in waiting:
        thread.join(0.1)
    assert all(thread.is_alive() for thread in waiting)

    site.reception.refuse(0, "was written to while it was cast")

    for thread in waiting:
        thread.join(10)
    assert not any(thread.is_alive() for thread in waiting)


def test_nobody_waits_once_it_is_stopped(site: Site) -> None:
    waiting = [site.start(block) for block in range(1, SPARE_BUFFERS + 2)]
    for thread in waiting:
        thread.join(0.1)

    site.chain.stop()
    site.reception.fail(RuntimeError("the cast ends"))

    for thread in waiting:
        thread.join(10)
    assert not any(thread.is_alive() for thread in waiting)
