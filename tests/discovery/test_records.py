from __future__ import annotations

from typing import Any

from castray.discovery.records import discovered_cluster, found_address, found_record
from castray.discovery.source import FoundCluster
from castray.models import ClusterState, ReasonCode


def found(**more: Any) -> FoundCluster:
    facts: dict[str, Any] = {
        "session_name": "session_1",
        "dashboard_url": "http://10.0.0.5:8265",
        "gcs_address": "10.0.0.5:6379",
        "ray_version": "2.60.0",
        "nodes": 2,
        "resources": {"CPU": 8.0},
        "sources": ("temp_dir",),
        "needs_token": False,
        "error": None,
    }
    return FoundCluster(**{**facts, **more})


def test_a_cluster_that_wants_a_token_says_so_in_its_record() -> None:
    record = found_record(found(needs_token=True, error="wants a token."), "ray_cluster_004")

    assert record.id == "ray_cluster_004"
    assert record.state is ClusterState.FOUND
    assert record.needs_token
    assert record.state_reason is not None
    assert record.state_reason.code is ReasonCode.CLUSTER_WANTS_TOKEN


def test_a_cluster_that_cannot_be_read_says_why() -> None:
    record = found_record(found(error="is too slow.", nodes=None), "ray_cluster_004")

    assert record.state_reason is not None
    assert record.state_reason.code is ReasonCode.CLUSTER_UNREADABLE
    assert record.state_reason.detail == "is too slow."


def test_a_cluster_without_a_dashboard_is_named_by_its_gcs() -> None:
    assert found_address(found()) == "10.0.0.5:8265"
    assert found_address(found(dashboard_url=None)) == "10.0.0.5:6379"


def test_clients_of_old_are_told_three_things() -> None:
    assert discovered_cluster(found()).model_dump() == {
        "nodes": 2,
        "dashboard_url": "http://10.0.0.5:8265",
        "resources": {"CPU": 8.0},
    }
