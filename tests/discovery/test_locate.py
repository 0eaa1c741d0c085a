from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import grpc  # type: ignore[import-untyped]
import pytest
from aiohttp import web

from castray.discovery import locate
from castray.discovery.address import Endpoint, parse_address
from castray.discovery.locate import Locator
from castray.discovery.process_scan import ProcessTable
from castray.errors import (
    AddressRefusedError,
    BadAnswerError,
    ClusterUnreachableError,
    InvalidRequestError,
    NotARayDashboardError,
    TokenMissingError,
)
from tests.discovery.server import RecordedDashboard, serve, serve_gcs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


def port_of(url: str) -> int:
    return parse_address(url).port


def names(dashboard: str) -> AbstractContextManager[Endpoint]:
    """A GCS that names this dashboard."""
    reply = b"\n\x00\x12" + bytes([len(dashboard)]) + dashboard.encode()
    return serve_gcs(lambda _, __: reply)


def locked_gcs() -> AbstractContextManager[Endpoint]:
    """A GCS that wants a token."""
    return serve_gcs(lambda _, context: context.abort(grpc.StatusCode.UNAUTHENTICATED, "token"))


def raylet(session: str, gcs_address: str, *, webui: str) -> tuple[str, ...]:
    """Its command line."""
    worker = f"--python_worker_command=python3 worker.py --webui={webui}"
    return ("raylet", f"--session-name={session}", f"--gcs-address={gcs_address}", worker)


@pytest.fixture(autouse=True)
def processes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The command lines that this machine shows; none, until a test adds some."""
    command_lines: list[tuple[str, ...]] = []

    async def fetch() -> ProcessTable:
        return ProcessTable(tuple(command_lines), 0)

    monkeypatch.setattr(locate, "fetch_processes", fetch)
    return command_lines


@pytest.fixture
def client_server() -> Iterator[int]:
    """The port of something that accepts connections, as a Ray Client server does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def test_the_url_of_a_dashboard_is_taken_as_it_is() -> None:
    assert await Locator().fetch_dashboard_url("http://10.0.0.1:8265/") == "http://10.0.0.1:8265"


@pytest.mark.parametrize("token", [None, "sesame"])
async def test_a_host_and_port_may_be_a_dashboard_with_or_without_a_token(
    token: str | None,
) -> None:
    async with serve(RecordedDashboard(token=token).handle) as url:
        found = await Locator().fetch_dashboard_url(url.removeprefix("http://"))

    assert found == url


@pytest.mark.parametrize("scheme", ["", "gcs://"])
async def test_a_gcs_leads_to_its_dashboard(scheme: str) -> None:
    with names("10.0.0.1:8265") as endpoint:
        found = await Locator().fetch_dashboard_url(f"{scheme}127.0.0.1:{endpoint.port}")

    assert found == "http://10.0.0.1:8265"


async def test_a_gcs_may_be_on_ipv6() -> None:
    with names("[::1]:8265") as endpoint:
        found = await Locator().fetch_dashboard_url(f"gcs://127.0.0.1:{endpoint.port}")

    assert found == "http://[::1]:8265"


async def test_what_is_neither_dashboard_nor_gcs_is_told_as_such() -> None:
    async def other(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    async with serve(other) as url:
        with pytest.raises(NotARayDashboardError, match="neither a Ray dashboard nor a GCS"):
            await Locator().fetch_dashboard_url(url.removeprefix("http://"))


@pytest.mark.parametrize("scheme", ["", "gcs://"])
async def test_a_cluster_without_a_dashboard_says_how_to_get_one(scheme: str) -> None:
    with (
        serve_gcs(lambda _, __: b"\n\x00") as endpoint,
        pytest.raises(NotARayDashboardError, match="--include-dashboard=true"),
    ):
        await Locator().fetch_dashboard_url(f"{scheme}127.0.0.1:{endpoint.port}")


async def test_a_port_where_nobody_listens_is_unreachable() -> None:
    async with serve(RecordedDashboard().handle) as url:
        pass

    for scheme in ("", "gcs://", "ray://"):
        with pytest.raises(ClusterUnreachableError):
            await Locator().fetch_dashboard_url(f"{scheme}127.0.0.1:{port_of(url)}")


async def test_a_gcs_that_names_nonsense_as_its_dashboard_is_a_bad_answer() -> None:
    with (
        names("user:password@host/?") as endpoint,
        pytest.raises(BadAnswerError, match="names no dashboard"),
    ):
        await Locator().fetch_dashboard_url(f"gcs://127.0.0.1:{endpoint.port}")


async def test_a_dashboard_that_only_its_own_machine_can_reach_is_told_with_the_cure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def elsewhere(_: Endpoint) -> bool:
        return False

    monkeypatch.setattr(locate, "is_this_host", elsewhere)

    with (
        names("127.0.0.1:8265") as endpoint,
        pytest.raises(ClusterUnreachableError, match=r"--dashboard-host=0\.0\.0\.0"),
    ):
        await Locator().fetch_dashboard_url(f"gcs://127.0.0.1:{endpoint.port}")


async def test_a_gcs_that_wants_a_token_is_found_by_the_processes_of_its_machine(
    processes: list[tuple[str, ...]],
) -> None:
    with locked_gcs() as endpoint:
        processes += [
            raylet("session_1", f"127.0.0.1:{endpoint.port}", webui="127.0.0.1:18265"),
            raylet("session_2", "127.0.0.1:1", webui="127.0.0.1:18266"),
        ]

        found = await Locator().fetch_dashboard_url(f"gcs://127.0.0.1:{endpoint.port}")

    assert found == "http://127.0.0.1:18265"


async def test_a_gcs_that_wants_a_token_is_found_by_the_one_dashboard_of_its_host() -> None:
    async with serve(RecordedDashboard(token="sesame").handle) as url:
        with locked_gcs() as endpoint:
            found = await Locator(ports=[port_of(url)]).fetch_dashboard_url(
                f"gcs://127.0.0.1:{endpoint.port}"
            )

    assert found == url


async def test_a_gcs_that_wants_a_token_says_so_where_nothing_else_tells_its_dashboard() -> None:
    with locked_gcs() as endpoint, pytest.raises(TokenMissingError):
        await Locator(ports=[endpoint.port]).fetch_dashboard_url(f"gcs://127.0.0.1:{endpoint.port}")


async def test_a_ray_client_server_is_found_by_the_processes_of_its_machine(
    client_server: int, processes: list[tuple[str, ...]]
) -> None:
    processes += [
        raylet("session_1", "127.0.0.1:16379", webui="127.0.0.1:18265"),
        raylet("session_2", "127.0.0.1:16380", webui="127.0.0.1:18266"),
        (
            "python3",
            "-m",
            "ray.util.client.server",
            "--address=127.0.0.1:16380",
            f"--port={client_server}",
        ),
    ]

    found = await Locator().fetch_dashboard_url(f"ray://127.0.0.1:{client_server}")

    assert found == "http://127.0.0.1:18266"


async def test_a_ray_client_server_is_found_by_the_one_dashboard_of_its_host(
    client_server: int,
) -> None:
    async def other(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    async with serve(RecordedDashboard().handle) as url, serve(other) as stranger:
        locator = Locator(ports=[port_of(url), port_of(stranger)])
        found = await locator.fetch_dashboard_url(f"ray://127.0.0.1:{client_server}")

    assert found == url


async def test_between_several_dashboards_a_person_has_to_choose(client_server: int) -> None:
    async with (
        serve(RecordedDashboard().handle) as first,
        serve(RecordedDashboard("2.52.1").handle) as second,
    ):
        locator = Locator(ports=[port_of(first), port_of(second)])
        with pytest.raises(NotARayDashboardError) as caught:
            await locator.fetch_dashboard_url(f"ray://127.0.0.1:{client_server}")

    assert first in str(caught.value)
    assert second in str(caught.value)


async def test_a_ray_client_server_without_any_dashboard_is_told(client_server: int) -> None:
    with pytest.raises(NotARayDashboardError, match="give the dashboard's URL"):
        await Locator(ports=[]).fetch_dashboard_url(f"ray://127.0.0.1:{client_server}")


async def test_nobody_is_sent_the_token_while_the_dashboard_is_looked_for(
    client_server: int,
) -> None:
    recorded = RecordedDashboard(token="sesame")

    async with serve(recorded.handle) as url:
        locator = Locator(token="sesame", ports=[port_of(url)])
        await locator.fetch_dashboard_url(f"ray://127.0.0.1:{client_server}")
        await locator.fetch_dashboard_url(url.removeprefix("http://"))

    assert recorded.requests
    assert not any("Authorization" in request.headers for request in recorded.requests)


@pytest.mark.parametrize("scheme", ["", "gcs://", "ray://"])
async def test_an_address_outside_the_policy_is_refused(scheme: str) -> None:
    with pytest.raises(AddressRefusedError):
        await Locator().fetch_dashboard_url(f"{scheme}169.254.169.254:8265")


async def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(InvalidRequestError):
        await Locator().fetch_dashboard_url("ftp://host")
