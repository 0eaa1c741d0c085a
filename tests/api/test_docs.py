from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


async def test_every_operation_and_every_record_is_on_the_page(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()

    page = (await api.get("/docs")).text

    for path in document["paths"]:
        assert path in page
    for name in document["components"]["schemas"]:
        assert f'id="{name}"' in page


async def test_every_link_of_the_page_leads_somewhere(api: httpx.AsyncClient) -> None:
    page = (await api.get("/docs")).text

    places = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= places


async def test_the_page_needs_no_script_and_nothing_from_elsewhere(
    api: httpx.AsyncClient,
) -> None:
    page = (await api.get("/docs")).text

    assert "<script" not in page
    assert set(re.findall(r'(?:href|src)="([^#"][^"]*)"', page)) == {"/openapi.json", "data:,"}
