from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castray.monitor.sse import EventParser, OversizedEventError

STREAM = b': hello\n\ndata: {"a": 1}\n\nevent: x\r\ndata:two\r\ndata: lines\r\n\r\n\n: bye\n\n'


@settings(deadline=None)
@given(cuts=st.lists(st.integers(0, len(STREAM))))
def test_events_are_the_same_however_the_bytes_arrive(cuts: list[int]) -> None:
    parser = EventParser(1000)
    edges = sorted({0, *cuts, len(STREAM)})

    chunks = [STREAM[start:end] for start, end in pairwise(edges)]
    events = [event for chunk in chunks for event in parser.feed(chunk)]

    assert events == [b'{"a": 1}', b"two\nlines"]
    assert parser.lines == STREAM.count(b"\n")


def test_a_line_that_never_ends_is_given_up() -> None:
    parser = EventParser(1000)

    with pytest.raises(OversizedEventError):
        parser.feed(b"x" * 1001)


def test_an_event_of_endless_lines_is_given_up() -> None:
    parser = EventParser(1000)

    with pytest.raises(OversizedEventError):
        parser.feed(b"data: 0123456789\n" * 100)
