from __future__ import annotations

import pytest

from castray.api.ranges import UnsatisfiableRangeError, parse_range


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-9", range(10)),
        ("bytes=90-", range(90, 100)),
        ("bytes=90-200", range(90, 100)),
        ("bytes=-10", range(90, 100)),
        ("bytes=-200", range(100)),
        ("bytes = 5 - 5", range(5, 6)),
    ],
)
def test_a_range_is_read_and_ends_with_the_file(header: str, part: range) -> None:
    assert parse_range(header, 100) == part


@pytest.mark.parametrize(
    "header", [None, "", "bytes=-", "bytes=9-5", "bytes=0-1,5-6", "lines=0-1", "bytes=a-b"]
)
def test_what_is_no_single_range_means_everything(header: str | None) -> None:
    assert parse_range(header, 100) is None


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=100-", 100), ("bytes=-0", 9), ("bytes=0-", 0)]
)
def test_a_range_of_nothing_is_refused(header: str, size: int) -> None:
    with pytest.raises(UnsatisfiableRangeError):
        parse_range(header, size)
