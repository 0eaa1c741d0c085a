from __future__ import annotations

from typing import Any

from castray.discovery.records import discovered_cluster, found_address, found_record
from castray.discovery.source import FoundCluster, Rejected, SourceReport
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


def test_what_a_discovery_saw_is_written_in_chinese_too_and_read_back_without_it() -> None:
    rejected = Rejected(address="http://10.0.0.5:8265", why="does not speak {} at all.")
    report = SourceReport(
        name="temp_dir",
        duration_s=0.1,
        error="It was not ready after 5 s.",
        clusters=(),
        rejected=(rejected, rejected.model_copy(update={"why": "lab gave no answer within 2 s."})),
        notes=("Session directories of clusters that ended: 3.", "odd"),
    )
    cluster = found(
        error="http://10.0.0.5:8265 cannot be reached; make sure that the cluster runs."
    )

    written = report.model_dump()

    assert written["error_zh"] == "5 秒后仍未完成。"
    assert written["notes_zh"] == ("已结束的集群的会话目录数：3。", None)
    assert [each["why_zh"] for each in written["rejected"]] == [None, "lab：在 2 秒内没有应答。"]
    assert cluster.error_zh == "http://10.0.0.5:8265：无法连接；请确认集群正在运行。"
    assert SourceReport.model_validate(written) == report


def test_a_cluster_without_a_dashboard_is_named_by_its_gcs() -> None:
    assert found_address(found()) == "10.0.0.5:8265"
    assert found_address(found(dashboard_url=None)) == "10.0.0.5:6379"


def test_clients_of_old_are_told_three_things() -> None:
    assert discovered_cluster(found()).model_dump() == {
        "nodes": 2,
        "dashboard_url": "http://10.0.0.5:8265",
        "resources": {"CPU": 8.0},
    }
