from __future__ import annotations

from castray.core.external_status import (
    render_connected_nodes,
    render_external_info,
    render_listed_nodes,
)
from castray.models import Cluster, ClusterState, NodeSource, NodeState
from tests.core.given import NOON, home_cluster, node


def external(id_: str, state: ClusterState, dashboard_url: str | None = None) -> Cluster:
    return Cluster(
        id=id_, name=id_, source=NodeSource.EXTERNAL, state=state, dashboard_url=dashboard_url
    )


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


def test_external_nodes_say_what_found_their_cluster() -> None:
    lab = external("lab", ClusterState.CONNECTED).model_copy(
        update={"sources": ("process_scan", "temp_dir")}
    )
    nodes = [node("m1"), node("x1", "lab", last_report=NOON), node("x2", "given by hand")]

    connected = render_connected_nodes(nodes, [home_cluster(), lab])
    listed = render_listed_nodes(nodes, [home_cluster(), lab])

    assert {id_: n.cluster_source for id_, n in connected.items()} == {
        "x1": "process_scan",
        "x2": "manual",
    }
    assert [(n.id, n.type, n.last_seen) for n in listed] == [
        ("x1", "external", NOON),
        ("x2", "external", None),
    ]
