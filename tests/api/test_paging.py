from __future__ import annotations

import pytest

from castray.api import paging
from castray.api.paging import take_page
from tests.core.given import node

NODES = [node("m3"), node("m1"), node("x1", "lab"), node("m2")]


def keys_of(limit: int | None, after: str | None) -> list[str]:
    return [n.key for n in take_page(NODES, limit, after)[0]]


def test_a_page_begins_behind_the_last_key_of_the_one_before() -> None:
    assert keys_of(2, None) == ["home/m1", "home/m2"]
    assert keys_of(2, "home/m2") == ["home/m3", "lab/x1"]
    assert keys_of(2, "home/m1x") == ["home/m2", "home/m3"]
    assert keys_of(2, "lab/x1") == []


@pytest.mark.parametrize("limit", [4, 5])
def test_there_is_no_cursor_behind_the_last_node(limit: int) -> None:
    assert take_page(NODES, limit, None)[1] is None


def test_a_page_has_a_bound_where_none_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "DEFAULT_PAGE_NODES", 3)

    page, next_cursor = take_page(NODES, None, None)

    assert len(page) == 3
    assert next_cursor is not None
