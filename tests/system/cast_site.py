"""Hosts with CastRay on them that cast files, and what tests do to them and ask of them."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from castray.transfer.journal import parse_journal
from tests.hosts import FAST_HEALTH_CHECKS, REPOSITORY, RayCluster, bare_ray
from tests.system.cast_tree import MIB, facts_of
from tests.system.client import client_on, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.hosts import Host, HostProcess
    from tests.system.cast_tree import FileFacts
    from tests.system.client import Client, NodeRecord

__all__ = [
    "AGENT",
    "Cast",
    "CastSite",
    "Caster",
    "Station",
    "caster_on",
    "has_begun",
    "until",
]

AGENT = "^ray::TransferAgent"

ROOT = "tmp/home/castray"
"""The default root of hosts whose home is /tmp/home, seen from their `/`."""

START_S = 180.0

Cast = dict[str, Any]


class Station:
    """A node, and its root, which the test reads and writes directly.

    Attributes:
        host: Where it is.
        name: What CastRay calls it.
        root: Its first root.
    """

    def __init__(self, host: Host, name: str) -> None:
        self.host = host
        self.name = name
        # The kernel shows each process' own file system, and this one lives as long as the host.
        host.start(["sh", "-c", "echo up; exec sleep infinity"]).wait_for_output("up")
        [pid] = host.pids("sleep infinity")
        self.root = Path(f"/proc/{pid}/root") / ROOT
        self.root.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, mib: int) -> FileFacts:
        """A file of random bytes."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for _ in range(mib):
                file.write(os.urandom(MIB))
        return facts_of(path)[""]

    def clear(self) -> None:
        """Remove everything beneath the root."""
        for path in self.root.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def litter(self) -> list[str]:
        """What is left of casts that did not end."""
        return [str(path) for path in self.root.rglob(".castray-*")]

    def blocks(self) -> int:
        """How many blocks of the one cast that is received here were verified; each is 1 MiB."""
        [journal] = self.root.rglob(".castray-*/journal")
        return len(parse_journal(journal.read_bytes()).blocks)

    def agent_bytes(self) -> list[int]:
        """The memory of each agent, without what it shares with other processes."""
        return [psutil.Process(pid).memory_full_info().uss for pid in self.host.pids(AGENT)]

    def wait_until_connected(self, address: str) -> None:
        """Wait until connections to that address succeed: for seconds after a cut they may not."""
        place = address.replace(":", "/")
        self.host.run(["bash", "-c", f"until : < /dev/tcp/{place}; do sleep 0.1; done"])

    def block(self, other: Station) -> None:
        """Have nothing from here reach the other."""
        self.host.run(["ip", "route", "add", "unreachable", f"{other.host.address}/32"])

    def unblock(self, other: Station) -> None:
        """End that."""
        self.host.run(["ip", "route", "delete", "unreachable", f"{other.host.address}/32"])


class CastSite:
    """The cluster, and CastRay on it.

    Args:
        hosts: Three or more.

    Attributes:
        head: M1.
        bare: M2, a worker that has only Ray.
        worker: M3.
        stations: These, and all others.
    """

    def __init__(self, hosts: list[Host]) -> None:
        self.stations = [Station(host, f"M{number}") for number, host in enumerate(hosts, 1)]
        self.head, self.bare, self.worker, *others = self.stations
        self.bare.host.hide(REPOSITORY)
        self.ray = RayCluster(
            self.head.host, labels={"castray.io/name": "M1"}, env=FAST_HEALTH_CHECKS
        )
        self.start_node(self.bare, ray=bare_ray())
        for station in (self.worker, *others):
            self.start_node(station)
        self.ray.wait_for_nodes(*hosts, timeout_s=START_S)
        serve = self.head.host.start(["serve", "run", "castray.serve_app"])
        serve.wait_for_output("is ready at", START_S)

    def start_node(self, station: Station, ray: str = "ray") -> HostProcess:
        """Start the Ray node of a worker."""
        labels = {"castray.io/name": station.name}
        return self.ray.start_worker(station.host, ray=ray, labels=labels)


class Caster:
    """Asks for casts, and follows them.

    Args:
        client: Of the CastRay.
    """

    def __init__(self, client: Client) -> None:
        self.client = client

    async def request(self, source: str, targets: Any, destination: str = "./", **more: Any) -> Any:
        """The status and the answer of a request; the source is `NODE:PATH`."""
        node, _, path = source.partition(":")
        body = {
            "source": {"node": node, "path": path},
            "destination": destination,
            "targets": targets,
            **more,
        }
        async with self.client.http.post(f"{self.client.url}/api/casts", json=body) as answer:
            return answer.status, await answer.json()

    async def start(self, source: str, targets: Any, destination: str = "./", **more: Any) -> str:
        """Begin a cast; its id."""
        status, cast = await self.request(source, targets, destination, **more)
        assert status == 202, cast
        return str(cast["id"])

    async def fetch(self, cast_id: str) -> Cast:
        """It as it is now."""
        cast: Cast = await self.client.fetch(f"/api/casts/{cast_id}")
        return cast

    async def when(
        self, cast_id: str, accept: Callable[[Cast], bool], within_s: float = 120
    ) -> Cast:
        """The cast, once it is as wanted."""
        return await wait_until(lambda: self.fetch(cast_id), accept, within_s)

    async def ended(self, cast_id: str, within_s: float = 120) -> Cast:
        """The cast as it ended."""
        return await self.when(cast_id, lambda cast: cast["ended"] is not None, within_s)

    async def steer(self, cast_id: str, action: str) -> Cast:
        """Pause, resume or retry it, or cancel it."""
        url = f"{self.client.url}/api/casts/{cast_id}"
        method, url = ("DELETE", url) if action == "cancel" else ("POST", f"{url}/{action}")
        async with self.client.http.request(method, url) as answer:
            cast: Cast = await answer.json()
            assert answer.status == 200, cast
            return cast

    async def cast(self, source: str, targets: Any, destination: str = "./", **more: Any) -> Cast:
        """A cast from its beginning to its end."""
        return await self.ended(await self.start(source, targets, destination, **more))


@asynccontextmanager
async def caster_on(site: CastSite) -> AsyncIterator[Caster]:
    """Asks from the head, once every node is alive; afterwards nothing is left anywhere."""
    for station in site.stations[1:]:
        station.wait_until_connected(site.ray.address)
    names = [station.name for station in site.stations]
    async with client_on(site.head.host, names, _is_alive, START_S) as client:
        yield Caster(client)
    for station in site.stations:
        station.clear()


def has_begun(cast: Cast) -> bool:
    """Whether every target has something."""
    return all(target["bytes_done"] > 0 for target in cast["targets"])


async def until(holds: Callable[[], bool], within_s: float = 30) -> None:
    """Wait until something is so."""
    deadline = asyncio.get_running_loop().time() + within_s
    while not holds():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.1)


def _is_alive(node: NodeRecord) -> bool:
    return bool(node["state"] == "alive")
