"""A Ray of our own on this machine: on free ports, with HAProxy before Serve, ended as a whole."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from castray.cli.processes import ProcessId
from castray.core.nodes import MONITOR_PORT_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from castray.config import Settings

__all__ = ["LocalRay", "LocalRayPlan", "Machine", "forget_address", "plan_local_ray"]

START_TIMEOUT_S = 90.0
NOTE_INTERVAL_S = 0.1
LOG_TAIL_LINES = 15

SERVE_PORTS = {
    "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": 8500,
    "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": 9500,
    "RAY_SERVE_HAPROXY_METRICS_PORT": 9101,
    "RAY_SERVE_HAPROXY_STATS_PORT": 8404,
}
"""Ports beside the page's own that Serve with HAProxy opens: each moves where it is taken."""

RAY_START = (sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block")

RAY_ENVIRONMENT = {
    # Seven times the requests of Serve's default proxy, and a tenth of its WebSocket latency.
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    # A raylet that was killed is dead to Ray within 3 s, not 13, and a lost host not after 63.
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
    # Nobody else's traffic is to be drained from a Ray that ends as a whole.
    "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
}


class Machine(NamedTuple):
    """What a plan must know of this machine."""

    address: str
    """Where other hosts find it."""
    is_free: Callable[[int], bool]
    """Whether that port can be listened on."""
    any_free: Callable[[], int]
    """Some port that can."""
    has_monitor: Callable[[int], bool]
    """Whether a monitor answers on that port."""


@dataclass(frozen=True)
class LocalRayPlan:
    """How a local Ray is to be started, and where it will be."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    address: str


def plan_local_ray(
    settings: Settings, environ: Mapping[str, str], machine: Machine
) -> LocalRayPlan:
    """Choose ports and options; whatever `environ` says already is left as it is.

    Args:
        settings: Which ports the page and the monitors have.
        environ: The environment that Ray is started in.
        machine: What is free on it.
    """
    ports = _Ports(machine, settings.web_server.port)
    monitor_port = ports.choose_for_monitor(settings.monitor.port)
    gcs_port = ports.choose(6379)
    options = {
        "--node-ip-address": machine.address,
        "--port": gcs_port,
        "--ray-client-server-port": ports.choose(10001),
        "--dashboard-port": ports.choose(8265),
        "--dashboard-agent-listen-port": ports.choose(52365),
        "--labels": f"{MONITOR_PORT_LABEL}={monitor_port}",
    }
    environment = RAY_ENVIRONMENT | {
        name: str(ports.choose(port)) for name, port in SERVE_PORTS.items()
    }
    # A RAY_ADDRESS is for who connects, and would make the new head look for an old one.
    environment |= {name: value for name, value in environ.items() if name != "RAY_ADDRESS"}
    return LocalRayPlan(
        (*RAY_START, *(f"{name}={value}" for name, value in options.items())),
        environment,
        f"{machine.address}:{gcs_port}",
    )


class _Ports:
    """Gives out ports, none of them twice."""

    def __init__(self, machine: Machine, taken: int) -> None:
        self._machine = machine
        self._taken = {taken}

    def choose(self, port: int) -> int:
        """That port, or a free one in its place."""
        while port in self._taken or not self._machine.is_free(port):
            port = self._machine.any_free()
        self._taken.add(port)
        return port

    def choose_for_monitor(self, port: int) -> int:
        """That port or the next; a monitor that is there already is what it is for."""
        if port in self._taken:
            port = port % 65535 + 1
        if not self._machine.has_monitor(port):
            return self.choose(port)
        self._taken.add(port)
        return port


class LocalRay:
    """A Ray that was started here.

    Args:
        plan: How to start it.
        log: Where its own words go.
    """

    def __init__(self, plan: LocalRayPlan, log: Path) -> None:
        self.address = plan.address
        self._log = log
        forget_address(plan.address)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            # A session of its own: a Ctrl-C is ours to pass on, in the order that loses nothing.
            self._process = subprocess.Popen(
                plan.command,
                env=dict(plan.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.process_id = ProcessId.of(self._process.pid)

    def wait_until_up(self) -> None:
        """Return once Ray, with all that belongs to it, is up.

        Raises:
            click.ClickException: It ended before, or did not come up in time.
        """
        deadline = time.monotonic() + START_TIMEOUT_S
        while _noted_address() != self.address:
            self.check()
            if time.monotonic() > deadline:
                raise self._failure(f"Ray did not come up within {START_TIMEOUT_S:.0f} s")
            # Its end is heard of at once; of what it notes nobody is told.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(NOTE_INTERVAL_S)

    def check(self) -> None:
        """Do nothing while Ray lives.

        Raises:
            click.ClickException: It has ended.
        """
        if self._process.poll() is not None:
            raise self._failure(f"Ray ended by itself, with code {self._process.returncode}")

    def _failure(self, what: str) -> click.ClickException:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        tail = "\n".join(f"  {line}" for line in lines[-LOG_TAIL_LINES:])
        return click.ClickException(f"{what}. The end of {self._log}:\n{tail}")


def forget_address(address: str) -> None:
    """Take back what `ray start` noted for everybody: that this is the cluster to connect to."""
    if _noted_address() == address:
        _address_file().unlink(missing_ok=True)


def _noted_address() -> str | None:
    """The cluster that `ray start` on this machine brought up last, once it was up."""
    with contextlib.suppress(FileNotFoundError):
        return _address_file().read_text(encoding="utf-8").strip()
    return None


def _address_file() -> Path:
    from ray._common.utils import get_ray_address_file

    return Path(get_ray_address_file(None))
