from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from castray.api import paging
from castray.api.paging import take_page
from tests.api.waiting import until
from tests.core.given import members, node

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.api.conftest import ConnectApi
    from tests.api.memory_backend import MemoryBackend

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


class Page(NamedTuple):
    """A page of nodes, in whatever words it was answered."""

    ids: list[str]
    next_cursor: str | None
    total: int


def page_of_nodes(body: Any) -> Page:
    ids = [n["node_id"] for n in body["nodes"]]
    return Page(ids, body["next_cursor"], body["total"])


def page_of_dashboard(body: Any) -> Page:
    data = body["data"]
    ids = [n["nodeId"] for n in data["nodes"]]
    return Page(ids, data["nextCursor"], data["summary"]["totalNodes"])


@pytest.mark.parametrize(
    ("path", "read"),
    [("/api/nodes", page_of_nodes), ("/api/ray-dashboard", page_of_dashboard)],
)
async def test_pages_follow_each_other_while_nodes_come_and_go(
    registry: MemoryBackend, connect: ConnectApi, path: str, read: Callable[[Any], Page]
) -> None:
    names = [f"m{number}" for number in range(7)]
    registry.apply(members(*names))
    api = await connect()

    async def page(query: str) -> Page:
        answer = await api.get(path + query)
        assert answer.status_code == 200, answer.text
        return read(answer.json())

    async def has_total(total: int) -> bool:
        return (await page("")).total == total

    first = await page("?limit=3")
    registry.apply(members(*names[3:], "m9"))
    await until(lambda: has_total(5))
    second = await page(f"?limit=3&cursor={first.next_cursor}")
    third = await page(f"?limit=3&cursor={second.next_cursor}")
    rest = await page(f"?cursor={second.next_cursor}")

    assert [first.ids, second.ids] == [["m0", "m1", "m2"], ["m3", "m4", "m5"]]
    assert (first.total, second.total) == (7, 5)
    assert third == rest == Page(["m6", "m9"], None, 5)
