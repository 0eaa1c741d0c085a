"""CastRay on a Ray cluster of two hosts, asked over HTTP."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aiohttp

    from tests.hosts import Host

__all__ = ["ROOT", "CastRay"]

ROOT = Path("/tmp/home/castray")  # noqa: S108 - each host has its own
"""The default root on hosts whose home that is."""

TOKEN_FILE = "/tmp/home/.castray/token"  # noqa: S105, S108
START_S = 180.0
LONGEST_S = 120.0

OBJECT_STORE_BYTES = 400 * 2**20
"""Many times what is in it at once."""

FAST = {"RAY_SERVE_ENABLE_HA_PROXY": "1", "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1"}
"""As `castray up` starts Ray."""


class CastRay:
    """Ray on both hosts, and CastRay on it; they end with the hosts.

    Args:
        head: The source of the casts.
        worker: Their target.
    """

    def __init__(self, head: Host, worker: Host) -> None:
        self.address = f"{head.address}:6379"
        self.url = "http://127.0.0.1:8000"
        self._head = head
        options = ["--num-cpus=2", f"--object-store-memory={OBJECT_STORE_BYTES}", "--block"]
        options += ["--disable-usage-stats", "--include-log-monitor=false"]
        command = ["ray", "start", "--head", "--port=6379", f"--node-ip-address={head.address}"]
        started = head.start([*command, "--labels=castray.io/name=source", *options], env=FAST)
        started.wait_for_output("Ray runtime started", START_S)
        command = ["ray", "start", f"--address={self.address}"]
        command += [f"--node-ip-address={worker.address}", "--labels=castray.io/name=target"]
        worker.start([*command, *options], env=FAST).wait_for_output("Ray runtime started", START_S)
        serve = head.start(["serve", "run", "castray.serve_app"], env=FAST)
        serve.wait_for_output("is ready at", START_S)
        token = head.run(["cat", TOKEN_FILE]).strip()
        self._headers = {"Authorization": f"Bearer {token}"}

    def http(self) -> aiohttp.ClientSession:
        """A client on the head."""
        session = self._head.http()
        session.headers.update(self._headers)
        return session

    async def start(self, path: str, destination: str, bytes_per_s: int) -> None:
        """Begin a cast from the source to the target."""
        body = {**_body(path, destination), "bandwidth_limit": bytes_per_s}
        async with self.http() as http, http.post(f"{self.url}/api/casts", json=body) as answer:
            answer.raise_for_status()

    async def count_unfinished(self) -> int:
        """How many casts have not ended."""
        async with self.http() as http, http.get(f"{self.url}/api/casts") as answer:
            casts = (await answer.json())["casts"]
        return sum(cast["ended"] is None for cast in casts)

    async def cast(self, path: str, destination: str) -> float:
        """Cast from the source to the target; the seconds from the request to completed.

        Raises:
            RuntimeError: The target has not got everything.
        """
        async with (
            self.http() as http,
            http.ws_connect(f"{self.url}/ws?mode=delta", max_msg_size=0) as news,
        ):
            began = time.perf_counter()
            async with http.post(f"{self.url}/api/casts", json=_body(path, destination)) as answer:
                cast: dict[str, Any] = await answer.json()
                if answer.status != 202:
                    raise RuntimeError(str(cast))
            while cast["ended"] is None:
                # Asking all the time would take the machine from what is measured.
                while cast["id"] not in await news.receive_str(timeout=LONGEST_S):
                    pass
                async with http.get(f"{self.url}/api/casts/{cast['id']}") as answer:
                    cast = await answer.json()
            seconds = time.perf_counter() - began
        if cast["state"] != "completed":
            raise RuntimeError(str(cast["targets"]))
        return seconds


def _body(path: str, destination: str) -> dict[str, Any]:
    return {
        "source": {"node": "source", "path": path},
        "destination": destination,
        "targets": ["target"],
    }
