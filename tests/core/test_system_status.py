from __future__ import annotations

from castray.core.system_status import (
    render_external_info,
    render_ray_account,
    render_system_node,
)
from castray.models import Cluster, ClusterState, NodeSource, NodeState, WorkReport, WorkStatus
from tests.core.given import NOON, home_cluster, node


def external(id_: str, state: ClusterState, dashboard_url: str | None = None) -> Cluster:
    return Cluster(
        id=id_, name=id_, source=NodeSource.EXTERNAL, state=state, dashboard_url=dashboard_url
    )


def test_a_node_says_which_kind_of_cluster_it_is_of() -> None:
    home = render_system_node(node("m1", work=WorkReport(status=WorkStatus.SENDING)))
    lab = render_system_node(node("x1", "lab", last_report=NOON))

    assert (home.type, home.cluster, home.work_status) == ("home", "home", "sending")
    assert (lab.type, lab.cluster, lab.last_seen) == ("external", "lab", NOON)


def test_without_external_clusters_nothing_is_connected() -> None:
    info = render_external_info([node("m1")], [home_cluster()])

    assert info.model_dump() == {
        "is_connected": False,
        "external_nodes": {},
        "connected_cluster": None,
        "connected_clusters": (),
    }


def test_connected_clusters_are_told_with_their_nodes() -> None:
    clusters = [
        home_cluster(),
        external("found", ClusterState.FOUND, "http://127.0.0.1:8264"),
        external("lost", ClusterState.LOST, "http://127.0.0.1:8265"),
        external("lab", ClusterState.CONNECTED, "http://127.0.0.1:8266"),
    ]
    nodes = [node("m1"), node("x1", "lab"), node("x2", "lab", state=NodeState.DEAD)]

    info = render_external_info(nodes, clusters)

    assert info.is_connected
    assert info.connected_cluster == "127.0.0.1:8266"
    assert info.connected_clusters == ("lab",)
    assert {id_: n.status for id_, n in info.external_nodes.items()} == {
        "x1": "alive",
        "x2": "dead",
    }


def test_rays_account_is_by_rays_own_names() -> None:
    account = render_ray_account(home_cluster({"CPU": (8.0, 2.0)}))

    assert account.cluster_resources == {"CPU": 8.0}
    assert account.available_resources == {"CPU": 2.0}


def test_rays_account_is_empty_while_it_is_not_known() -> None:
    assert render_ray_account(None).cluster_resources == {}
