"""Load on one address from many keep-alive connections, each asking again once it is answered.

`wrk` makes it where that is installed, else a client of ours, in a process of its own:

    python -m bench.http_load URL CONNECTIONS SECONDS [HEADER...]
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from bench.figures import percentile
from bench.programs import REPOSITORY

__all__ = ["Load", "client_name", "main", "measure_load"]

WRK_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


class Load(NamedTuple):
    """What was answered, in the time that it took."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float


def client_name() -> str:
    """Which client `measure_load` uses on this machine."""
    return "wrk" if shutil.which("wrk") else "asyncio client"


def measure_load(url: str, connections: int, duration_s: int, *headers: str) -> Load:
    """Load that address; every answer must be 200.

    Raises:
        RuntimeError: Some answer was not.
    """
    if shutil.which("wrk"):
        command = ["wrk", "--threads=1", f"--connections={connections}", "--latency", url]
        command += [f"--duration={duration_s}s", *(f"--header={header}" for header in headers)]
        return parse_wrk(_output(command))
    ours = [sys.executable, "-m", "bench.http_load", url, str(connections), str(duration_s)]
    return Load(*json.loads(_output([*ours, *headers])))


def parse_wrk(text: str) -> Load:
    """Read what wrk prints.

    Raises:
        RuntimeError: Some answer was not 200, or did not come.
    """
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(text)
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", text)
    times = dict(re.findall(r"^\s+(50|99)%\s+([0-9.]+[a-z]+)\s*$", text, re.MULTILINE))
    if rate is None or len(times) < 2:
        raise RuntimeError(text)
    return Load(float(rate[1]), _parse_ms(times["50"]), _parse_ms(times["99"]))


def main() -> None:
    """Be the client of ours: print a `Load` as JSON."""
    url, connections, duration_s, *headers = sys.argv[1:]
    print(json.dumps(asyncio.run(_load(url, int(connections), float(duration_s), headers))))


async def _load(url: str, connections: int, duration_s: float, headers: list[str]) -> Load:
    parts = urlsplit(url)
    lines = [f"GET {parts.path or '/'} HTTP/1.1", f"Host: {parts.netloc}", *headers, "", ""]
    request = "\r\n".join(lines).encode()
    took_ms: list[float] = []
    ends_at = time.perf_counter() + duration_s
    await asyncio.gather(
        *(
            _ask_until(ends_at, parts.hostname or "", parts.port or 80, request, took_ms)
            for _ in range(connections)
        )
    )
    return Load(len(took_ms) / duration_s, percentile(took_ms, 50), percentile(took_ms, 99))


async def _ask_until(
    ends_at: float, host: str, port: int, request: bytes, took_ms: list[float]
) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    while (began := time.perf_counter()) < ends_at:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = CONTENT_LENGTH.search(head)
        if b" 200 " not in head[:20] or length is None:
            raise RuntimeError(head.decode("latin-1"))
        await reader.readexactly(int(length[1]))
        took_ms.append(1000 * (time.perf_counter() - began))
    writer.close()
    await writer.wait_closed()


def _output(command: list[str]) -> str:
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")
    return done.stdout


def _parse_ms(text: str) -> float:
    number, unit = re.fullmatch(r"([0-9.]+)([a-z]+)", text).groups()  # type: ignore[union-attr]
    return float(number) * WRK_UNITS[unit]


if __name__ == "__main__":
    main()
