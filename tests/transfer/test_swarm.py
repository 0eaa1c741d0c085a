"""One source and several receivers, which give each other what they have."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from castray.errors import CastCancelledError
from tests.transfer.site import Host, Running, tree_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MIB = 1 << 20


@pytest.fixture
def receivers(make_host: Callable[[str], Host]) -> list[Host]:
    return [make_host(f"r{number}") for number in range(4)]


@pytest.fixture
def tree(source: Host) -> Path:
    tree = source.root / "tree"
    tree.mkdir()
    (tree / "large.bin").write_bytes(os.urandom(20 * MIB + 5))
    for number in range(30):
        (tree / f"{number}.txt").write_bytes(os.urandom(1 + number * 1000))
    return tree


def start(receivers: list[Host], source: Host, **order: Any) -> list[Running]:
    addresses = [host.address for host in receivers]
    return [
        Running(
            host.receiver(
                "in/", [source.as_source, *(a for a in addresses if a.name != host.name)], **order
            )
        )
        for host in receivers
    ]


def test_everyone_gets_everything_and_the_source_sends_it_about_once(
    source: Host, receivers: list[Host], tree: Path
) -> None:
    share = source.offer("tree", is_chained=False, bytes_per_s=20 * MIB)

    for running in start(receivers, source):
        assert running.end().problems == ()

    assert share.blocks_sent <= 1.3 * share.manifest.blocks
    for host in receivers:
        assert tree_of(host.root / "in" / "tree") == tree_of(tree)
        assert host.litter() == []


def test_a_receiver_whose_copy_is_damaged_is_found_out(
    source: Host, receivers: list[Host], tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.offer("tree", is_chained=False, bytes_per_s=20 * MIB)
    liar, *others = receivers
    first = start([liar], source)
    first[0].end()
    content = bytearray((liar.root / "in" / "tree" / "large.bin").read_bytes())
    for place in range(0, len(content), MIB // 2):
        content[place] ^= 1
    (liar.root / "in" / "tree" / "large.bin").write_bytes(content)

    peers = [source.as_source, liar.address]
    running = [Running(host.receiver("in/", peers)) for host in others]

    for host, run in zip(others, running, strict=True):
        outcome = run.end()
        assert 1 <= outcome.bad_blocks["r0"] <= 3, "after that it is asked no more"
        assert "source" not in outcome.bad_blocks
        assert tree_of(host.root / "in" / "tree") == tree_of(tree)


def test_a_receiver_that_goes_away_holds_nobody_up(
    source: Host, receivers: list[Host], tree: Path
) -> None:
    source.offer("tree", is_chained=False, bytes_per_s=10 * MIB)
    running = start(receivers, source)
    running[0].wait_until(lambda: receivers[0].bytes_done >= 2 * MIB)

    receivers[0].server.close()
    running[0].receiver.stop()

    with pytest.raises(CastCancelledError):
        running[0].end()
    for host, run in zip(receivers[1:], running[1:], strict=True):
        assert run.end().problems == ()
        assert tree_of(host.root / "in" / "tree") == tree_of(tree)


def test_one_that_comes_late_gets_its_blocks_from_the_others(
    source: Host, receivers: list[Host], tree: Path
) -> None:
    share = source.offer("tree", is_chained=False)
    *early, late = receivers
    for running in start(early, source):
        running.end()
    sent_before = share.blocks_sent

    peers = [source.as_source, *(host.address for host in early)]
    outcome = late.receiver("in/", peers).run()

    assert outcome.problems == ()
    assert tree_of(late.root / "in" / "tree") == tree_of(tree)
    assert share.blocks_sent == sent_before


def test_a_file_that_fails_at_the_source_fails_for_everyone_alike(
    source: Host, receivers: list[Host], tree: Path
) -> None:
    source.offer("tree", is_chained=False)
    (tree / "7.txt").write_bytes(b"changed")

    outcomes = [running.end() for running in start(receivers, source)]

    for outcome in outcomes:
        (problem,) = outcome.problems
        assert problem.path.endswith("7.txt")
        assert outcome.files == 30
