from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from castray.api import openapi
from castray.api.rendering import COLLECTIONS

if TYPE_CHECKING:
    import httpx

COMMITTED = Path(__file__).parents[2] / "frontend" / "openapi.json"


@pytest.fixture
async def document(api: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get("/openapi.json")).json()
    return found


def test_the_document_that_the_page_is_built_from_is_the_newest(tmp_path: Path) -> None:
    openapi.main(str(tmp_path / "openapi.json"))

    newest = (tmp_path / "openapi.json").read_text(encoding="utf-8")
    assert newest == COMMITTED.read_text(encoding="utf-8"), (
        "run `python -m castray.api.openapi frontend/openapi.json`"
    )


async def test_the_messages_of_sockets_are_in_it(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    for name in ("Changes", "Snapshot", "Feed", "Heartbeat", "ErrorMessage", "ResumeMessage"):
        assert name in schemas
    assert schemas["Changes"]["required"] == ["version", "since", *COLLECTIONS]


async def test_every_reference_in_it_leads_somewhere(document: dict[str, Any]) -> None:
    text = json.dumps(document)

    for part in text.split('"$ref": "#/components/schemas/')[1:]:
        assert part.partition('"')[0] in document["components"]["schemas"]


async def test_every_operation_says_what_a_failure_looks_like(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            failure = operation["responses"]["default"]["content"]
            assert list(failure) == ["application/problem+json"], (method, path)
            assert operation["description"], (method, path)
