"""Who gets in: on the loopback no web page of others, beyond it nobody without the token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import aiohttp
import pytest

from tests.hosts import create_hosts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.system.client import Client

pytestmark = pytest.mark.timeout(300)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

PATHS = (
    "/",
    "/ui",
    "/docs",
    "/openapi.json",
    "/api/status",
    "/api/nodes",
    "/api/nodes/h1",
    "/api/ray-dashboard",
    "/api/session",
    "/api/cluster/external-info",
    "/api/cluster/connect-external",
    "/no/such/path",
)

# What a client can say of itself to look like one on the same machine.
DISGUISES: tuple[dict[str, str], ...] = (
    {},
    {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"},
    {"Host": "127.0.0.1:8000"},
    {"Authorization": "Bearer guessed"},
    {"Cookie": "castray_session=guessed"},
)

FOREIGN = (
    {"Host": "evil.example"},
    {"Host": "evil.example:8000"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
)


class Exposed(NamedTuple):
    """A CastRay that others can reach, and the token that it printed."""

    url: str
    token: str


@pytest.fixture(scope="module")
def exposed(can_make_hosts: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exposed]:
    """CastRay on all addresses of a host; the test process is on another one."""
    with create_hosts(1, tmp_path_factory.mktemp("exposed")) as (host,):
        up = host.start(["castray", "up", "--host", "0.0.0.0"])
        page = up.wait_for_output(r"(http://[\d.:]+)/ui/?#token=(\S+)", 120)
        yield Exposed(*page.groups())


@pytest.mark.parametrize("method", METHODS)
async def test_nothing_but_health_answers_another_host_without_a_token(
    exposed: Exposed, method: str
) -> None:
    async with aiohttp.ClientSession(exposed.url) as http:
        answers = {
            f"{path} {disguise}": await status_of(http, method, path, disguise)
            for path in PATHS
            for disguise in DISGUISES
        }
        health = await status_of(http, "GET", "/api/health", {})

    assert set(answers.values()) == {401}, answers
    assert health == 200


@pytest.mark.parametrize("disguise", DISGUISES, ids=str)
@pytest.mark.parametrize("path", ["/ws", "/ws?mode=delta"])
async def test_no_socket_opens_to_another_host_without_a_token(
    exposed: Exposed, path: str, disguise: dict[str, str]
) -> None:
    async with aiohttp.ClientSession(exposed.url) as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await http.ws_connect(path, headers=disguise)

    assert refusal.value.status in {401, 403}


async def test_the_token_that_was_printed_opens_calls_and_sockets(exposed: Exposed) -> None:
    bearer = {"Authorization": f"Bearer {exposed.token}"}
    async with aiohttp.ClientSession(exposed.url, headers=bearer) as http:
        async with http.get("/api/nodes") as answer:
            assert answer.status == 200
        async with http.ws_connect("/ws") as socket:
            assert (await socket.receive_json(timeout=10))["type"] == "cluster_status"


async def test_a_login_with_the_token_gives_a_cookie_that_scripts_cannot_read(
    exposed: Exposed,
) -> None:
    jar = aiohttp.CookieJar(unsafe=True)  # which only means: for an address that is no name
    async with aiohttp.ClientSession(exposed.url, cookie_jar=jar) as http:
        async with http.post("/api/login", json={"token": exposed.token}) as answer:
            cookie = answer.headers["Set-Cookie"]
        async with http.get("/api/nodes") as nodes:
            assert nodes.status == 200

    assert "HttpOnly" in cookie
    assert re.search("SameSite=strict", cookie, re.IGNORECASE)
    assert exposed.token not in cookie


@pytest.mark.parametrize("foreign", FOREIGN, ids=str)
@pytest.mark.parametrize("method", METHODS)
async def test_on_the_loopback_a_foreign_page_is_refused_for_every_method(
    castray: Client, method: str, foreign: dict[str, str]
) -> None:
    answers = {
        path: await status_of(castray.http, method, f"{castray.url}{path}", foreign)
        for path in (*PATHS, "/api/health")
    }

    assert set(answers.values()) == {403}, answers


@pytest.mark.parametrize("foreign", FOREIGN, ids=str)
@pytest.mark.parametrize("path", ["/ws", "/ws?mode=delta"])
async def test_on_the_loopback_a_foreign_page_opens_no_socket(
    castray: Client, path: str, foreign: dict[str, str]
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await castray.http.ws_connect(f"{castray.url}{path}", headers=foreign)

    assert refusal.value.status == 403


async def status_of(
    http: aiohttp.ClientSession, method: str, url: str, headers: dict[str, str]
) -> int:
    async with http.request(method, url, headers=headers, allow_redirects=False) as answer:
        return answer.status
