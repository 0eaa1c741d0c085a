"""The sources that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from castray.core.clusters import DEFAULT_ALLOWED_NETWORKS
from castray.discovery.dashboard_scan import DEFAULT_PORTS, DashboardScan
from castray.discovery.process_scan import ProcessScan
from castray.discovery.ray_status import RayStatus
from castray.discovery.temp_dir import TempDirScan

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from ipaddress import IPv4Network, IPv6Network
    from pathlib import Path

    from castray.discovery.source import Source

__all__ = ["make_sources"]


def make_sources(
    methods: Collection[str],
    *,
    temp_dir: Path,
    ray_address: str | None = None,
    ports: Sequence[int] = DEFAULT_PORTS,
    hosts: Sequence[str] = ("127.0.0.1",),
    allowed: Sequence[IPv4Network | IPv6Network] = DEFAULT_ALLOWED_NETWORKS,
) -> list[Source]:
    """The sources of those names; the one that knows most comes first.

    Args:
        methods: Names of sources, as `external_cluster.discovery_methods` has them.
        temp_dir: Ray's default directory on this machine.
        ray_address: What `RAY_ADDRESS` says, if anything.
        ports: The ports on which `dashboard_scan` looks.
        hosts: The hosts on which it looks.
        allowed: The networks that we may connect to.
    """
    sources: list[Source] = [
        ProcessScan(),
        RayStatus(ray_address, temp_dir),
        DashboardScan(ports, hosts, allowed),
        TempDirScan([temp_dir]),
    ]
    return [source for source in sources if source.name in methods]
