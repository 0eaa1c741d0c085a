"""CastRay as its users see it: over HTTP, from some host."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from tests.hosts import Host

__all__ = ["Client", "NodeRecord", "client_on", "report_status", "wait_until"]

POLL_S = 0.1

NodeRecord = dict[str, Any]

T = TypeVar("T")


class Client:
    """A client of CastRay.

    Args:
        http: From where it asks.
        url: CastRay's address, as seen from there.
    """

    def __init__(self, http: aiohttp.ClientSession, url: str = "http://127.0.0.1:8000") -> None:
        self.http = http
        self.url = url

    async def fetch(self, path: str) -> Any:
        """The JSON at that path.

        Raises:
            aiohttp.ClientError: It cannot be reached, or refuses.
        """
        async with self.http.get(f"{self.url}{path}", raise_for_status=True) as answer:
            return await answer.json()

    async def fetch_nodes(self) -> dict[str, NodeRecord]:
        """CastRay's own record of every node, by name; no name comes twice."""
        nodes = (await self.fetch("/api/nodes"))["nodes"]
        return _by_name(nodes)

    async def fetch_dashboard_nodes(self) -> dict[str, NodeRecord]:
        """The nodes as existing dashboards read them, by name."""
        return _by_name((await self.fetch("/api/ray-dashboard"))["data"]["nodes"])

    async def wait_for_node(
        self, name: str, accept: Callable[[NodeRecord], bool], within_s: float = 10
    ) -> NodeRecord:
        """Wait until CastRay's record of that node is as wanted, and return it."""

        async def fetch_node() -> NodeRecord:
            return (await self.fetch_nodes())[name]

        return await wait_until(fetch_node, accept, within_s)

    async def wait_for_status(self, name: str, status: str, within_s: float = 10) -> NodeRecord:
        """Wait until that node's work status is `status`, and return its record."""
        return await self.wait_for_node(
            name, lambda node: bool(node["work"]["status"] == status), within_s
        )


@asynccontextmanager
async def client_on(
    host: Host, nodes: Iterable[str], accept: Callable[[NodeRecord], bool], within_s: float
) -> AsyncIterator[Client]:
    """A client on that host, once its CastRay's record of each of these nodes is as wanted."""
    async with host.http() as http:
        client = Client(http)
        for name in nodes:
            await client.wait_for_node(name, accept, within_s)
        yield client


async def wait_until(
    fetch: Callable[[], Awaitable[T]], accept: Callable[[T], bool], within_s: float
) -> T:
    """Fetch until what comes is accepted, and return that.

    Raises:
        AssertionError: It was not, in that time; the text has what came last.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    seen: object = None
    while True:
        try:
            seen = fetched = await fetch()
            if accept(fetched):
                return fetched
        except (aiohttp.ClientError, KeyError) as error:
            seen = repr(error)
        assert loop.time() < deadline, f"not within {within_s} s; seen last: {seen}"
        await asyncio.sleep(POLL_S)


async def report_status(host: Host, port: int, status: str, message: str = "") -> None:
    """Report to the monitor on that host's localhost, as an inference script does."""
    update = {"status": status, "message": message}
    url = f"http://127.0.0.1:{port}/api/update_status"
    async with host.http() as http, http.post(url, json=update, raise_for_status=True) as answer:
        assert (await answer.json())["success"] is True


def _by_name(nodes: list[NodeRecord]) -> dict[str, NodeRecord]:
    named = {node["name"]: node for node in nodes}
    assert len(named) == len(nodes), f"doubled: {[node['name'] for node in nodes]}"
    return named
