from __future__ import annotations

import gzip

import pytest
from starlette.requests import Request

from castray.api.bodies import Body, Fragments, accepts_gzip, is_current, respond
from castray.models import Node
from tests.core.given import node


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw})


def test_a_record_is_encoded_once_while_it_is_the_same_object() -> None:
    encoded: list[str] = []

    def encode(record: Node) -> str:
        encoded.append(record.node_id)
        return f'"{record.name}"'

    fragments = Fragments[Node](encode)
    nodes = [node(f"m{number}") for number in range(1000)]
    fragments.join(nodes)
    encoded.clear()

    nodes[7] = node("m7", name="renamed")
    text = fragments.join(nodes)

    assert encoded == ["m7"]
    assert text.startswith('"M0","M1"')
    assert '"renamed"' in text


def test_records_that_went_are_forgotten_once_they_are_many() -> None:
    encoded: list[str] = []

    def encode(record: Node) -> str:
        encoded.append(record.key)
        return "{}"

    fragments = Fragments[Node](encode)
    nodes = [node(f"m{number}") for number in range(1500)]
    fragments.join(nodes)
    encoded.clear()

    fragments.keep_only([nodes[0].key])
    fragments.join(nodes[:2])

    assert encoded == [nodes[1].key]


def test_a_body_is_compressed_for_whoever_can_take_it() -> None:
    body = Body('{"text": "' + "x" * 5000 + '"}')

    compressed = respond(request(accept_encoding="br, gzip"), body)
    plain = respond(request(), body)

    assert compressed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(bytes(compressed.body)) == plain.body == body.plain
    assert plain.headers["vary"] == "Accept-Encoding"


def test_a_short_body_is_not_compressed() -> None:
    assert "content-encoding" not in respond(request(accept_encoding="gzip"), Body("{}")).headers


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, br", False),
        ("identity", False),
        ("", False),
    ],
)
def test_gzip_is_used_only_where_it_is_accepted(accepted: str, expected: bool) -> None:
    assert accepts_gzip(request(accept_encoding=accepted)) is expected


@pytest.mark.parametrize(
    ("held", "expected"),
    [('W/"1.2-7"', True), ('W/"1.1-7", W/"1.2-7"', True), ("*", True), ('W/"1.2-71"', False)],
)
def test_a_client_holds_what_its_tags_say(held: str, expected: bool) -> None:
    assert is_current(request(if_none_match=held), 'W/"1.2-7"') is expected


def test_a_client_without_tags_holds_nothing() -> None:
    assert not is_current(request(), 'W/"1.2-7"')
