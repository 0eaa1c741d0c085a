from __future__ import annotations

import pytest

from castray.core import versioned
from castray.core.versioned import Version, VersionedMap
from castray.errors import InvalidRequestError


def test_a_version_reads_as_it_is_written() -> None:
    assert Version.parse(str(Version(3, 141))) == Version(3, 141)


def test_a_later_epoch_is_later_whatever_the_sequence() -> None:
    assert Version.parse("2.0") > Version.parse("1.999")


@pytest.mark.parametrize(
    "text", ["", "3", "3.", ".3", "3.1.4", "-1.2", "1.x", " 1.2", "1" * 40 + "." + "1" * 40]
)
def test_other_text_is_no_version(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="is no version"):
        Version.parse(text)


def test_a_map_tells_what_changed_after_a_sequence_number_the_oldest_change_first() -> None:
    records = VersionedMap[str]()
    records.put("a", "first", 1)
    records.put("b", "second", 2)
    records.put("c", "third", 3)
    records.put("a", "fourth", 4)

    assert records.changed_since(1) == ["second", "third", "fourth"]
    assert records.changed_since(3) == ["fourth"]
    assert records.changed_since(4) == []


def test_a_map_tells_what_was_removed_and_not_put_back() -> None:
    records = VersionedMap[str]()
    records.put("a", "a", 1)
    records.put("b", "b", 1)
    records.remove("a", 2)
    records.remove("b", 3)
    records.put("a", "again", 4)

    assert records.removed_since(1) == ["b"]
    assert records.removed_since(3) == []
    assert records.changed_since(3) == ["again"]
    assert "b" not in records


def test_what_never_was_there_counts_as_removed_too() -> None:
    records = VersionedMap[str]()

    records.remove("skipped", 5)

    assert records.removed_since(4) == ["skipped"]


def test_a_map_that_forgot_a_removal_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versioned, "MAX_TOMBSTONES", 2)
    records = VersionedMap[str]()
    for sequence, key in enumerate("abc", 1):
        records.put(key, key, sequence)

    for sequence, key in enumerate("abc", 4):
        records.remove(key, sequence)

    assert not records.remembers(3)
    assert records.remembers(4)
    assert records.removed_since(4) == ["b", "c"]
