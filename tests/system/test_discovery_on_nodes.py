"""Clusters of other people on the machines of home's workers, which only their pollers can see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hosts import SECOND_PORTS, RayCluster
from tests.system.foreign import ask

if TYPE_CHECKING:
    from tests.system.client import Client
    from tests.system.conftest import Edge

pytestmark = pytest.mark.timeout(300)


async def test_a_cluster_on_a_workers_machine_is_found_when_all_nodes_are_asked(
    castray: Client, edge: Edge
) -> None:
    host = edge.worker.host
    lab = RayCluster(host, ports=SECOND_PORTS, dashboard_host="0.0.0.0", resources={"lab": 1})

    from_head = (await ask(castray, "POST", "/api/cluster/discover-external"))[1]
    path = "/api/cluster/discover-external?all_nodes=true"
    status, everywhere = await ask(castray, "POST", path)

    assert from_head["clusters"] == []
    assert status == 200
    [found] = everywhere["clusters"]
    assert found["dashboard_url"] == f"http://{host.address}:{SECOND_PORTS.dashboard}"
    assert found["resources"]["lab"] == 1
    assert all(source.endswith("@M3") for source in found["sources"])
    await castray.wait_for_node("lab", lambda node: bool(node["source"] == "external"), 30)

    status, _ = await ask(castray, "DELETE", "/api/cluster/disconnect-external")
    assert status == 200
    lab.stop_head()
