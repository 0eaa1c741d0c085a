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
from bench.http_load import Load, client_name, measure_load
from bench.local_castray import running_castray, running_monitors, wait_for_nodes
from bench.programs import running, running_uvicorn, wait_for_port
from castray.cli.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["main"]

PATH = "/api/ray-dashboard"
CONNECTIONS = 64
WARM_UP_S = 1
NODES = 3
FEW_NODES, MANY_NODES = 10, 1000
GZIP = "Accept-Encoding: gzip"

UP = "CastRay, monitors up"
DOWN = "CastRay, monitors down"
FASTAPI = "the same body from plain uvicorn: FastAPI"
BARE = "the same body from plain uvicorn: no framework"

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
    print(f"dashboard_api: load from {client_name()}; {describe_machine()}\n")
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
                    loads[name].append(_measure(peer_url, CONNECTIONS, seconds))
                loads[UP].append(_measure(url, CONNECTIONS, seconds))
            wait_for_nodes(castray_url, NODES, lambda node: node["monitor"]["reachable"] is False)
            loads[DOWN].append(_measure(url, CONNECTIONS, seconds))
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
        for connections in (1, CONNECTIONS):
            for nodes in (FEW_NODES, MANY_NODES):
                with _simulated_api(nodes) as url:
                    name = f"{nodes} nodes, {connections} connections"
                    loads.setdefault(name, []).append(_measure(url, connections, seconds, GZIP))
    _print_loads("simulated nodes, gzip", loads)
    few, many = (median(load.p99_ms for load in each) for each in list(loads.values())[2:])
    return [
        Limit(
            f"p99 with {MANY_NODES} nodes / with {FEW_NODES}",
            f"≤ {P99_LIMIT}",
            f"{many / few:.2f}",
            many / few <= P99_LIMIT,
        )
    ]


def _measure(url: str, connections: int, seconds: int, *headers: str) -> Load:
    measure_load(url, connections, WARM_UP_S, *headers)
    return measure_load(url, connections, seconds, *headers)


@contextmanager
def _simulated_api(nodes: int) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "bench.simulated_api", f"--nodes={nodes}", f"--port={port}"]
    with running(command):
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}{PATH}"


def _print_loads(what: str, loads: dict[str, list[Load]]) -> None:
    print_table(
        (what, "requests/s", "p50 ms", "p99 ms"),
        [
            (name, *(f"{median(column):.1f}" for column in zip(*each, strict=True)))
            for name, each in loads.items()
        ],
    )


def _at_least(what: str, ratio: float, limit: float) -> Limit:
    return Limit(what, f"≥ {limit}", f"{ratio:.2f}", ratio >= limit)


if __name__ == "__main__":
    main()
