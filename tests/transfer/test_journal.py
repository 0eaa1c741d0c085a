from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castray.transfer.journal import Journal, parse_journal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WHOLE = b'castray 1 d1gest\nb 3\nx 7 "is there: \\u65e7"\nb 12\nplacing\np 9 "a (1).bin"\n'


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    opened = os.open(tmp_path / "journal", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    yield opened
    os.close(opened)


def test_a_journal_tells_what_was_done() -> None:
    content = parse_journal(WHOLE)

    assert content.digest == "d1gest"
    assert content.blocks == {3, 12}
    assert content.problems == {7: "is there: 旧"}
    assert content.is_placing
    assert content.names == {9: "a (1).bin"}
    assert content.length == len(WHOLE)


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_a_journal_cut_off_anywhere_tells_what_was_surely_done(length: int) -> None:
    content = parse_journal(WHOLE[:length])

    assert content.length <= length
    assert WHOLE[: content.length].endswith(b"\n") or not content.length
    assert content.blocks <= {3, 12}
    assert content.is_placing == (b"placing\n" in WHOLE[:length])


@given(st.binary(max_size=200))
def test_whatever_follows_a_journal_hides_nothing_of_it(noise: bytes) -> None:
    content = parse_journal(WHOLE + b"?" + noise)

    assert content.length == len(WHOLE)
    assert content.blocks == {3, 12}


def test_what_was_noted_is_read_by_the_next(descriptor: int) -> None:
    first = Journal(descriptor)
    first.start("d")
    first.add_block(5)
    first.add_problem(2, "is a\nproblem")
    first.add_name(1, 'quoted "name"\n')
    first.add_directory(4)
    first.start_placing()

    content = Journal(descriptor).start("d")

    assert (content.blocks, content.is_placing) == ({5}, True)
    assert content.problems == {2: "is a\nproblem"}
    assert content.names == {1: 'quoted "name"\n'}
    assert content.directories == {4}


def test_a_torn_line_is_cut_off_before_more_is_written(descriptor: int) -> None:
    journal = Journal(descriptor)
    journal.start("d")
    journal.add_block(5)
    os.write(descriptor, b"b 7")

    again = Journal(descriptor)
    again.start("d")
    again.add_block(8)

    assert Journal(descriptor).start("d").blocks == {5, 8}


def test_the_journal_of_another_content_counts_for_nothing(descriptor: int) -> None:
    journal = Journal(descriptor)
    journal.start("d")
    journal.add_block(5)

    content = Journal(descriptor).start("other")

    assert content.blocks == set()
    assert Journal(descriptor).start("other").blocks == set()
