from __future__ import annotations

from itertools import islice

import pytest

from castray.transfer.placing import other_names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.bin", ["a.bin", "a (1).bin", "a (2).bin"]),
        ("a", ["a", "a (1)", "a (2)"]),
        ("a.tar.gz", ["a.tar.gz", "a.tar (1).gz", "a.tar (2).gz"]),
        (".hidden", [".hidden", ".hidden (1)", ".hidden (2)"]),
        ("权重.pt", ["权重.pt", "权重 (1).pt", "权重 (2).pt"]),
    ],
)
def test_another_name_says_which_one_it_is_and_keeps_its_ending(
    name: str, expected: list[str]
) -> None:
    assert list(islice(other_names(name), 3)) == expected


@pytest.mark.parametrize("name", ["x" * 255, "文" * 85, "x" * 251 + ".bin", "x." + "y" * 253])
def test_another_name_is_never_too_long(name: str) -> None:
    names = list(islice(other_names(name), 1200))

    assert len(set(names)) == 1200
    assert all(len(each.encode()) <= 255 for each in names)
