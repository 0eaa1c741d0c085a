"""Ray processes on this machine: their command lines name cluster, addresses and directories."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

import psutil

from castray.discovery.address import host_and_port
from castray.discovery.source import Candidate, Sightings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["LocalCluster", "ProcessScan", "ProcessTable", "fetch_processes", "parse_processes"]

CLIENT_SERVER = "ray.util.client.server"
DASHBOARD_SCRIPT = "dashboard/dashboard.py"

WEBUI = re.compile(r"(?:^| )--webui=(\S+)")
"""The dashboard, inside the one argument that tells a raylet how to start workers."""


@dataclass(frozen=True)
class LocalCluster:
    """A cluster that has processes on this machine."""

    session_name: str
    gcs_address: str | None = None
    dashboard_url: str | None = None
    temp_dir: str | None = None
    client_port: int | None = None

    def candidate(self) -> Candidate:
        """What discovery makes of it."""
        return Candidate(
            dashboard_url=self.dashboard_url,
            ray_address=self.gcs_address and f"gcs://{self.gcs_address}",
            session_name=self.session_name,
            is_running=True,
        )


class ProcessTable(NamedTuple):
    """The command lines that could be read, and how many could not."""

    command_lines: tuple[tuple[str, ...], ...]
    unreadable: int


class ProcessScan:
    """The clusters that have processes on this machine, whoever runs them."""

    name = "process_scan"

    async def fetch(self) -> Sightings:
        """Look at every process once."""
        table = await fetch_processes()
        hidden = f"Processes that hide their command lines: {table.unreadable}."
        return Sightings(
            tuple(cluster.candidate() for cluster in parse_processes(table.command_lines)),
            (hidden,) if table.unreadable else (),
        )


async def fetch_processes() -> ProcessTable:
    """The command lines of all processes on this machine."""
    return await asyncio.to_thread(_read_processes)


def parse_processes(command_lines: Iterable[Sequence[str]]) -> tuple[LocalCluster, ...]:
    """The clusters to which these processes belong; processes of anything else are ignored."""
    clusters: dict[str, LocalCluster] = {}
    client_ports: dict[str | None, int] = {}
    for command_line in command_lines:
        flags = _flags(command_line)
        if CLIENT_SERVER in command_line[1:3] and flags.get("port", "").isdecimal():
            client_ports[flags.get("address")] = int(flags["port"])
        elif seen := _parse_process(command_line, flags):
            known = clusters.get(seen.session_name, seen)
            clusters[seen.session_name] = replace(
                known,
                gcs_address=known.gcs_address or seen.gcs_address,
                dashboard_url=known.dashboard_url or seen.dashboard_url,
                temp_dir=known.temp_dir or seen.temp_dir,
            )
    return tuple(
        replace(cluster, client_port=client_ports.get(cluster.gcs_address))
        for cluster in clusters.values()
    )


def _parse_process(command_line: Sequence[str], flags: dict[str, str]) -> LocalCluster | None:
    session = flags.get("session_name") or PurePath(flags.get("session_dir", "")).name
    if not session:
        return None
    program = PurePath(command_line[0]).name
    temp_dir, gcs_address = flags.get("temp_dir"), flags.get("gcs_address")
    if program == "raylet":
        return LocalCluster(session, gcs_address, _worker_dashboard(flags), temp_dir)
    if program == "gcs_server":
        # Port 0 means that the system chose one.
        return LocalCluster(
            session, _joined(flags.get("node_ip_address"), "gcs_server_port", flags)
        )
    if any(argument.endswith(DASHBOARD_SCRIPT) for argument in command_line[1:4]):
        return LocalCluster(session, gcs_address, _own_dashboard(flags), temp_dir)
    return None


def _worker_dashboard(flags: dict[str, str]) -> str | None:
    match = WEBUI.search(flags.get("python_worker_command", ""))
    return f"http://{match[1]}" if match and match[1] != "None" else None


def _own_dashboard(flags: dict[str, str]) -> str | None:
    # With retries it may listen on a later port, because another one has this.
    if flags.get("port_retries") != "0":
        return None
    every = flags.get("host") in {"0.0.0.0", "::"}
    address = _joined(flags.get("node_ip_address" if every else "host"), "port", flags)
    return address and f"http://{address}"


def _joined(host: str | None, port_flag: str, flags: dict[str, str]) -> str | None:
    port = flags.get(port_flag, "")
    return host_and_port(host, int(port)) if host and port.isdecimal() and int(port) else None


def _flags(command_line: Sequence[str]) -> dict[str, str]:
    pairs = (argument.partition("=") for argument in command_line if argument.startswith("--"))
    return {name[2:].replace("-", "_"): value for name, _, value in pairs if value}


def _read_processes() -> ProcessTable:
    lines, unreadable = [], 0
    for process in psutil.process_iter():
        try:
            lines.append(tuple(process.cmdline()))
        except psutil.AccessDenied:
            unreadable += 1
        except psutil.NoSuchProcess:  # it has ended meanwhile
            continue
    return ProcessTable(tuple(line for line in lines if line), unreadable)
