"""CastRay on a Ray of its own on this machine, started as `castray up` starts it, then ended."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import httpx

from bench.programs import OBJECT_STORE_BYTES, REPOSITORY, running, wait_for_ray, wait_until
from castray.cli.local_ray import Machine, plan_local_ray
from castray.cli.processes import free_port, is_port_free
from castray.config import MonitorSettings, Settings, StoreSettings, WebServerSettings
from castray.core.nodes import MONITOR_PORT_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

__all__ = ["running_castray", "running_monitors", "wait_for_nodes"]

LOOPBACK = "127.0.0.1"
REPORT_TIMEOUT_S = 180.0


@contextmanager
def running_castray(monitor_ports: Sequence[int]) -> Iterator[str]:
    """CastRay runs until the block ends, on a Ray of a node for each port; gives its address.

    Args:
        monitor_ports: Where the monitor of each node listens, the head's first.
    """
    with (
        TemporaryDirectory(prefix="castray-bench-", ignore_cleanup_errors=True) as directory,
        ExitStack() as ends,
    ):
        settings = Settings(
            web_server=WebServerSettings(port=free_port()),
            monitor=MonitorSettings(port=monitor_ports[0]),
            store=StoreSettings(path=f"{directory}/castray.db"),
        )
        plan = plan_local_ray(
            settings,
            {k: v for k, v in os.environ.items() if not k.startswith("CASTRAY_")},
            Machine(LOOPBACK, is_port_free, free_port, has_monitor=lambda _: False),
        )
        head = [*plan.command, *_node_options(), f"--temp-dir={directory}/ray"]
        workers = [_worker_command(plan.address, port) for port in monitor_ports[1:]]
        # One after the other: they choose the names of their sockets by what is there.
        for number, command in enumerate([head, *workers]):
            log = Path(directory, f"ray-{number}.log")
            ends.enter_context(running(command, log=log, environment=plan.environment))
            wait_for_ray(log)
        url = _deploy(plan.address, settings, plan.environment)
        wait_for_nodes(url, len(monitor_ports), lambda _: True)
        yield url


@contextmanager
def running_monitors(module: str, ports: Sequence[int]) -> Iterator[None]:
    """A monitor, started with `python -m`, runs on each port until the block ends."""
    with ExitStack() as ends:
        for port in ports:
            command = [sys.executable, "-m", module, f"--port={port}"]
            ends.enter_context(running(command))
        yield


def wait_for_nodes(url: str, count: int, is_right: Callable[[dict[str, Any]], bool]) -> None:
    """Return once so many nodes are reported on, and each record of `/api/nodes` is right.

    Raises:
        TimeoutError: That does not happen.
    """
    nodes: list[dict[str, Any]] = []

    def are_ready() -> bool:
        nonlocal nodes
        try:
            nodes = httpx.get(f"{url}/api/nodes").json()["nodes"]
        except (httpx.HTTPError, ValueError, KeyError):
            return False
        return len(nodes) == count and all(n["last_report"] and is_right(n) for n in nodes)

    wait_until(
        are_ready, REPORT_TIMEOUT_S, lambda: f"{count} nodes are not as they should be: {nodes}"
    )


def _node_options() -> list[str]:
    # Worker ports that the system chooses: several nodes share this machine.
    ports = ["--min-worker-port=0", "--max-worker-port=0"]
    return ["--num-cpus=1", f"--object-store-memory={OBJECT_STORE_BYTES}", *ports]


def _worker_command(address: str, monitor_port: int) -> list[str]:
    options = {
        "--address": address,
        "--node-ip-address": LOOPBACK,
        "--dashboard-agent-listen-port": free_port(),
        "--labels": f"{MONITOR_PORT_LABEL}={monitor_port}",
    }
    ray_start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block"]
    return [*ray_start, *_node_options(), *(f"{name}={value}" for name, value in options.items())]


def _deploy(address: str, settings: Settings, environment: Mapping[str, str]) -> str:
    settings_json = settings.model_dump_json(exclude_unset=True)
    done = subprocess.run(
        [sys.executable, "-m", "bench.deploy", address, settings_json],
        cwd=REPOSITORY,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"CastRay is not deployed: {done.stderr[-2000:]}")
    return done.stdout.split()[-1]
