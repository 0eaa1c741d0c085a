"""Requests a second and p99 of `GET /api/ray-dashboard`.

First through Ray Serve with HAProxy, on a Ray of three nodes, from 64 keep-alive connections: with
all monitors up and with all of them down, beside the same body from plain uvicorn, in turns. Then
the API alone on uvicorn, gzip on, over 10 and over 1,000 simulated nodes that report each second.

    python -m bench.dashboard_api [--rounds 3] [--seconds 5]
"""

from __future__ import annotations

import argparse
import sys
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING

import httpx

from bench.figures import Limit, describe_machine, print_limits, print_table
from bench.http_load import Load, measure_load
from bench.local_castray import running_castray, running_monitors, wait_for_nodes
from bench.programs import running, running_uvicorn, wait_for_port
from castray.cli.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["main"]

PATH = "/api/ray-dashboard"
CONNECTIONS = 64
NODES = 3
GZIP = "Accept-Encoding: gzip"

UP = "CastRay, monitors up"
DOWN = "CastRay, monitors down"
FASTAPI = "the same body from plain uvicorn: FastAPI"
BARE = "the same body from plain uvicorn: no framework"

FEW, MANY, PAGED = "10 nodes", "1000 nodes", "a page of 1000 nodes"
SIMULATED = {FEW: (10, ""), MANY: (1000, ""), PAGED: (1000, "?limit=100")}
"""How many nodes there are, and what is asked for."""

RATE_LIMIT = 0.3
DOWN_LIMIT = 0.9
P99_LIMIT = 3.0


def main() -> None:
    """Measure, print, and say whether the limits are met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="of each; medians count")
    parser.add_argument("--seconds", type=int, default=5, help="of load in each round")
    arguments = parser.parse_args()
    print(f"dashboard_api: {describe_machine()}\n")
    limits = _measure_monitors(arguments.rounds, arguments.seconds)
    limits += _measure_nodes(arguments.rounds, arguments.seconds)
    print_limits(limits)


def _measure_monitors(rounds: int, seconds: int) -> list[Limit]:
    loads: dict[str, list[Load]] = {BARE: [], FASTAPI: [], UP: [], DOWN: []}
    ports = [free_port() for _ in range(NODES)]
    with (
        running_uvicorn("bench.bare_server:app") as bare_url,
        running_uvicorn("bench.fastapi_server:app") as fastapi_url,
        running_castray(ports) as castray_url,
    ):
        url = castray_url + PATH
        for _ in range(rounds):
            with running_monitors("castray.monitor", ports):
                wait_for_nodes(
                    castray_url, NODES, lambda node: node["monitor"]["reachable"] is True
                )
                body = httpx.get(url).content
                for name, peer_url in ((BARE, bare_url), (FASTAPI, fastapi_url)):
                    httpx.post(peer_url, content=body).raise_for_status()
                    loads[name].append(measure_load(peer_url, CONNECTIONS, seconds))
                loads[UP].append(measure_load(url, CONNECTIONS, seconds))
            wait_for_nodes(castray_url, NODES, lambda node: node["monitor"]["reachable"] is False)
            loads[DOWN].append(measure_load(url, CONNECTIONS, seconds))
    _print_loads(f"{NODES} nodes, {CONNECTIONS} connections", loads)
    rates = {name: median(load.requests_per_s for load in each) for name, each in loads.items()}
    return [
        _at_least(
            "3 nodes: requests/s / FastAPI on uvicorn", rates[UP] / rates[FASTAPI], RATE_LIMIT
        ),
        _at_least("monitors down / up: requests/s", rates[DOWN] / rates[UP], DOWN_LIMIT),
    ]


def _measure_nodes(rounds: int, seconds: int) -> list[Limit]:
    loads: dict[str, list[Load]] = {}
    for _ in range(rounds):
        for name, (nodes, query) in SIMULATED.items():
            for connections in (1, CONNECTIONS):
                with _simulated_api(nodes) as url:
                    load = measure_load(url + query, connections, seconds, GZIP)
                loads.setdefault(f"{name}, {connections} connections", []).append(load)
    _print_loads("simulated nodes, gzip", loads)
    p99_ms = {
        name: median(load.p99_ms for load in loads[f"{name}, {CONNECTIONS} connections"])
        for name in SIMULATED
    }
    return [
        Limit(f"p99, {name} / {FEW}", f"≤ {P99_LIMIT}", f"{ratio:.2f}", ratio <= P99_LIMIT)
        for name in (MANY, PAGED)
        for ratio in [p99_ms[name] / p99_ms[FEW]]
    ]


@contextmanager
def _simulated_api(nodes: int) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "bench.simulated_api", f"--nodes={nodes}", f"--port={port}"]
    with running(command):
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}{PATH}"


def _print_loads(what: str, loads: dict[str, list[Load]]) -> None:
    print_table(
        (what, "requests/s", "p50 ms", "p99 ms", "longest ms"),
        [
            (name, *(f"{median(column):.1f}" for column in zip(*each, strict=True)))
            for name, each in loads.items()
        ],
    )


def _at_least(what: str, ratio: float, limit: float) -> Limit:
    return Limit(what, f"≥ {limit}", f"{ratio:.2f}", ratio >= limit)


if __name__ == "__main__":
    main()
