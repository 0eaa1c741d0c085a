from __future__ import annotations

from castray.core.notices import (
    connected_notice,
    disconnected_notice,
    discovered_notice,
    lost_notice,
)
from castray.models import (
    Cluster,
    ClusterState,
    DiscoveredCluster,
    NodeSource,
    NoticeType,
    Reason,
    ReasonCode,
)
from tests.core.given import NOON, later

LAB = Cluster(
    id="ray_cluster_001",
    name="lab",
    source=NodeSource.EXTERNAL,
    state=ClusterState.CONNECTED,
    address="10.0.0.5:8265",
    node_count=2,
)


def test_a_discovery_is_told_with_what_it_found() -> None:
    found = DiscoveredCluster(nodes=2, dashboard_url="http://10.0.0.5:8265")

    notice = discovered_notice([found], 3, NOON)

    assert notice.type is NoticeType.DISCOVERED
    assert notice.discovered_clusters == (found,)
    assert notice.external_nodes_count == 3
    assert "1" in notice.message
    assert "1" in notice.message_zh


def test_connecting_and_disconnecting_name_the_cluster_in_both_languages() -> None:
    came, went = connected_notice(LAB, NOON), disconnected_notice(LAB, later(1))

    assert (came.type, went.type) == (NoticeType.CONNECTED, NoticeType.DISCONNECTED)
    assert came.key != went.key
    for notice in (came, went):
        assert (notice.cluster, notice.cluster_address) == ("ray_cluster_001", "10.0.0.5:8265")
        assert notice.external_nodes_count == 2
        for text in (notice.message, notice.message_zh):
            assert "lab" in text
            assert "10.0.0.5:8265" in text


def test_a_loss_is_told_with_its_reason() -> None:
    detail = "10.0.0.5:8265 does not answer as a GCS; check the port."
    reason = Reason(code=ReasonCode.CLUSTER_LOST, detail=detail)
    lost = {"state": ClusterState.LOST, "state_reason": reason, "node_count": None}

    notice = lost_notice(LAB.model_copy(update=lost), NOON)

    assert notice.type is NoticeType.DISCONNECTED
    assert detail in notice.message
    assert "请检查端口" in notice.message_zh
    assert notice.external_nodes_count == 0


def test_an_outpost_that_stays_behind_is_told_with_the_reason() -> None:
    gone = disconnected_notice(LAB, NOON)
    stays = disconnected_notice(LAB, NOON, "10.0.0.5:8265 cannot be reached.")

    assert "outpost" not in gone.message
    assert "10.0.0.5:8265 cannot be reached. It ends by itself" in stays.message
    assert "自动退出" in stays.message_zh
    assert stays.type is NoticeType.DISCONNECTED
