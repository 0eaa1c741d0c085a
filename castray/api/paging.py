"""Pages of nodes: what a caller asks for, and which nodes that is."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Annotated

from fastapi import Query
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from castray.models import Node

__all__ = ["DEFAULT_PAGE_NODES", "Cursor", "Limit", "take_page"]

DEFAULT_PAGE_NODES = 1000
MAX_PAGE_NODES = 10_000


def _parse_cursor(cursor: str | None) -> str | None:
    try:
        return cursor and base64.urlsafe_b64decode(cursor).decode()
    except (binascii.Error, ValueError):
        raise PydanticCustomError(
            "cursor", "No cursor of ours: leave it out to begin at the first page"
        ) from None


Limit = Annotated[
    int | None, Query(ge=1, le=MAX_PAGE_NODES, description="The most nodes on a page.")
]

Cursor = Annotated[
    str | None, AfterValidator(_parse_cursor), Query(description="Where the last page ended.")
]
"""To handlers it is the key of the last node there."""


def take_page(
    nodes: Iterable[Node], limit: int | None, after: str | None
) -> tuple[list[Node], str | None]:
    """The first nodes behind a key, in the order of their keys.

    So every node that stays is on one page, whichever others come and go between two pages.

    Args:
        nodes: All of them.
        limit: How many at most; None: as many as a page has by itself.
        after: The key; None: from the beginning.

    Returns:
        The nodes, and the cursor of the page behind them if there is one.
    """
    rest = sorted((n for n in nodes if n.key > (after or "")), key=lambda node: node.key)
    page = rest[: limit or DEFAULT_PAGE_NODES]
    return page, _make_cursor(page[-1].key) if len(rest) > len(page) else None


def _make_cursor(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()
