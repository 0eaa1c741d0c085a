"""The one test that would notice a Ray whose processes, files or answers look different."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from tests.hosts import RayCluster
from tests.hosts.create import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hosts import Host

DASHBOARD = "http://127.0.0.1:8265"


def test_a_real_cluster_is_found_by_every_source_and_behind_every_address(
    make_hosts: Callable[[int], list[Host]],
) -> None:
    (host,) = make_hosts(1)
    cluster = RayCluster(host, resources={"M1": 1})
    cluster.wait_for_nodes(host)
    cluster.wait_for_client_server()
    gcs = f"{host.address}:6379"
    addresses = ["localhost:8265", gcs, f"gcs://{gcs}", f"ray://{host.address}:10001"]

    output = host.run(
        [sys.executable, "-m", "tests.discovery.look_around", *addresses], cwd=str(REPOSITORY)
    )

    seen = json.loads(output.splitlines()[-1])
    (found,) = seen["report"]["clusters"]
    assert found["session_name"].startswith("session_")
    assert found["dashboard_url"] == DASHBOARD
    assert found["gcs_address"] == gcs
    assert found["ray_version"] == version("ray")
    assert found["nodes"] == 1
    assert found["resources"]["M1"] == 1
    assert found["sources"] == ["process_scan", "ray_status", "dashboard_scan", "temp_dir"]
    assert found["error"] is None
    assert seen["urls"] == ["http://localhost:8265", DASHBOARD, DASHBOARD, DASHBOARD]
    assert seen["faults"] == []
