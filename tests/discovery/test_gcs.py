from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from castray.discovery.address import Endpoint
from castray.discovery.gcs import fetch_dashboard_address, parse_value
from castray.errors import (
    BadAnswerError,
    ClusterUnreachableError,
    NotARayDashboardError,
    TokenMissingError,
    TokenRefusedError,
)
from tests.discovery.server import serve_gcs

FOUND = b"\n\x00\x12\x0e127.0.0.1:8265"
NO_SUCH_KEY = b"\n\x1a\x08\x11\x12\x16Failed to find the key"
"""What a GCS of Ray 2.60.0 answered, and one of 2.52.1 too."""


async def test_a_gcs_says_where_its_dashboard_is() -> None:
    requests = []

    def answer(request: bytes, _: object) -> bytes:
        requests.append(request)
        return FOUND

    with serve_gcs(answer) as endpoint:
        address = await fetch_dashboard_address(endpoint)

    assert address == "127.0.0.1:8265"
    assert requests == [b"\n\x09dashboard\x12\x09dashboard"]


async def test_a_token_is_sent_as_a_bearer() -> None:
    def answer(_: bytes, context: Any) -> bytes:
        if ("authorization", "Bearer sesame") not in context.invocation_metadata():
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "InvalidAuthToken")
        return FOUND

    with serve_gcs(answer) as endpoint:
        assert await fetch_dashboard_address(endpoint, "sesame") == "127.0.0.1:8265"
        with pytest.raises(TokenMissingError):
            await fetch_dashboard_address(endpoint)
        with pytest.raises(TokenRefusedError):
            await fetch_dashboard_address(endpoint, "open")


async def test_a_cluster_without_a_dashboard_says_how_to_get_one() -> None:
    with (
        serve_gcs(lambda _, __: NO_SUCH_KEY) as endpoint,
        pytest.raises(NotARayDashboardError, match="--include-dashboard=true"),
    ):
        await fetch_dashboard_address(endpoint)


async def test_an_answer_that_is_none_of_a_gcs_is_a_bad_answer() -> None:
    with serve_gcs(lambda _, __: b"\x12\xff") as endpoint, pytest.raises(BadAnswerError):
        await fetch_dashboard_address(endpoint)


async def test_a_grpc_server_of_another_kind_is_no_serve_gcs() -> None:
    with ThreadPoolExecutor(1) as threads:
        server = grpc.server(threads)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()

        with pytest.raises(NotARayDashboardError, match="no GCS"):
            await fetch_dashboard_address(Endpoint("127.0.0.1", port, ("127.0.0.1",)))

        server.stop(None).wait()


async def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with serve_gcs(lambda _, __: FOUND) as endpoint:
        pass

    with pytest.raises(ClusterUnreachableError):
        await fetch_dashboard_address(endpoint)


def test_a_value_is_found_among_the_fields_of_a_reply() -> None:
    number, fixed32, fixed64 = b"\x18\x96\x01", b"\x25abcd", b"\x29abcdefgh"

    assert parse_value(number + fixed32 + fixed64 + FOUND) == b"127.0.0.1:8265"
    assert parse_value(NO_SUCH_KEY) is None
    assert parse_value(b"") is None


@pytest.mark.parametrize(
    "reply", [b"\x12", b"\x12\x05abc", b"\x0b", b"\x18" + b"\xff" * 11, b"\x29abc"]
)
def test_a_reply_that_ends_too_early_is_refused(reply: bytes) -> None:
    with pytest.raises(ValueError, match=r"field|number"):
        parse_value(reply)


@given(st.binary(max_size=60))
def test_whatever_a_reply_holds_it_is_read_or_refused(reply: bytes) -> None:
    try:
        value = parse_value(reply)
    except ValueError:
        return

    assert value is None or value in reply
