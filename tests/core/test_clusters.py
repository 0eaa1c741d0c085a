from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address, ip_network
from random import Random

import pytest

from castray.core.clusters import ShortIds, Watch, cluster_record, refusal
from castray.core.events import NodeFacts
from castray.core.external_nodes import ClusterReading, NodeReading
from castray.errors import ClusterTooSlowError, ClusterUnreachableError
from castray.models import ClusterState, Connection, LogicalResource, NodeSource, ReasonCode

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
LATER = NOON + timedelta(seconds=30)
URL = "http://10.0.0.1:8265"
GONE = ClusterUnreachableError(URL, "cannot be reached.")
LAB = Connection(
    cluster="ray_cluster_001",
    session_name="session_1",
    address="10.0.0.1:8265",
    dashboard_url=URL,
    name="lab",
    sources=("manual",),
)
ALIVE = NodeFacts(node_id="aa" * 14, host_name="edge", address="10.0.0.2", is_head=True, alive=True)
READING = ClusterReading(
    session_name="session_1",
    ray_version="2.60.0",
    nodes=(NodeReading(ALIVE), NodeReading(replace(ALIVE, alive=False))),
    resources={"CPU": LogicalResource(total=4, available=1)},
)


def same_luck() -> Random:
    return Random(1)  # noqa: S311  jitter is no secret


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.1.5", "::1", "fd00::7"]
)
def test_loopback_and_private_addresses_are_allowed(address: str) -> None:
    assert refusal(ip_address(address)) is None


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "2001:db8::1", "100.64.0.1"])
def test_other_addresses_are_refused_with_the_setting_that_would_allow_them(address: str) -> None:
    why = refusal(ip_address(address))

    assert why is not None
    assert "external_cluster.allowed_networks" in why


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "fe80::1",
        "fe80::1%eth0",
        "224.0.0.1",
        "ff02::1",
        "0.0.0.0",
        "::",
        "::ffff:169.254.169.254",
        "::ffff:0.0.0.0",
    ],
)
def test_some_addresses_are_refused_whatever_is_allowed(address: str) -> None:
    everything = [ip_network("0.0.0.0/0"), ip_network("::/0")]

    assert refusal(ip_address(address), everything) is not None


def test_an_ipv4_address_in_ipv6_clothes_is_judged_as_what_it_is() -> None:
    assert refusal(ip_address("::ffff:127.0.0.1")) is None
    assert refusal(ip_address("::ffff:8.8.8.8")) is not None


def test_a_key_keeps_its_id_and_another_gets_another() -> None:
    ids = ShortIds("ray_node")

    first, second, again = ids.id_of("aa"), ids.id_of("bb"), ids.id_of("aa")

    assert (first, second, again) == (
        ("ray_node_001", True),
        ("ray_node_002", True),
        ("ray_node_001", False),
    )


def test_ids_stay_the_same_after_a_restart() -> None:
    ids = ShortIds("ray_node", {"aa": "ray_node_001", "cc": "ray_node_1500"})

    assert ids.id_of("cc") == ("ray_node_1500", False)
    assert ids.id_of("dd") == ("ray_node_1501", True)


def test_a_cluster_that_was_restored_is_lost_until_it_answers() -> None:
    watch = Watch("session_1")

    answered = watch.answered("session_1", NOON)

    assert not watch.is_connected
    assert answered.is_connected
    assert answered.reason() is None


def test_a_cluster_that_answers_on_stays_connected_since_the_first_time() -> None:
    watch = Watch("session_1").answered("session_1", NOON)

    watch = watch.answered("session_1", LATER)

    assert watch.connected_since == NOON
    assert watch.last_answer == LATER


def test_a_lost_cluster_says_why_and_since_when() -> None:
    watch = Watch("session_1").answered("session_1", NOON).failed(GONE)

    reason = watch.reason()

    assert not watch.is_connected
    assert reason is not None
    assert reason.code is ReasonCode.CLUSTER_LOST
    assert URL in reason.detail
    assert "2026-01-01 12:00:00" in reason.detail


def test_a_cluster_that_returns_is_connected_since_its_return() -> None:
    lost = Watch("session_1").answered("session_1", NOON).failed(GONE).failed(GONE)

    back = lost.answered("session_1", LATER)

    assert back == Watch("session_1", connected_since=LATER, last_answer=LATER)


def test_another_session_at_the_same_address_is_another_cluster() -> None:
    watch = Watch("session_1").answered("session_1", NOON)

    replaced = watch.answered("session_2", LATER)

    assert replaced == Watch("session_2", connected_since=LATER, last_answer=LATER)


def test_a_lost_cluster_is_tried_again_soon_and_then_less_and_less_often() -> None:
    watch = Watch("session_1").answered("session_1", NOON)
    delays = []

    for _ in range(8):
        watch = watch.failed(GONE)
        delays.append(watch.delay_s(same_luck()))

    assert delays[0] <= 0.5
    assert delays == sorted(delays)
    assert max(delays) <= 10
    assert Watch("s", failures=100_000).delay_s(same_luck()) <= 10


def test_clusters_that_were_lost_together_are_not_tried_together() -> None:
    watch = Watch("session_1", failures=5)
    rng = Random(7)  # noqa: S311  jitter is no secret

    delays = {watch.delay_s(rng) for _ in range(20)}

    assert len(delays) == 20


def test_a_connected_cluster_is_shown_with_its_resources() -> None:
    watch = Watch("session_1").answered("session_1", NOON)

    record = cluster_record(LAB, watch, READING)

    assert record.state is ClusterState.CONNECTED
    assert record.source is NodeSource.EXTERNAL
    assert record.ray_version == "2.60.0"
    assert record.resources["CPU"].available == 1
    assert record.connected_since == NOON
    assert record.last_seen is None
    assert record.address == "10.0.0.1:8265"
    assert record.node_count == 1


def test_what_of_a_connected_cluster_cannot_be_read_is_said() -> None:
    watch = Watch("session_1").answered("session_1", NOON)
    reading = replace(READING, faults=("http://lab:8265 answers /api/jobs/ with HTTP 500.",))

    record = cluster_record(LAB, watch, reading)

    assert record.state is ClusterState.CONNECTED
    assert record.state_reason is not None
    assert record.state_reason.code is ReasonCode.CLUSTER_UNREADABLE
    assert "/api/jobs/" in record.state_reason.detail


def test_of_a_lost_cluster_nothing_is_shown_that_nobody_measures_now() -> None:
    slow = ClusterTooSlowError(URL, "gave no whole answer within 3 s.")
    watch = Watch("session_1").answered("session_1", NOON).failed(slow)

    record = cluster_record(LAB, watch, READING)

    assert record.state is ClusterState.LOST
    assert record.state_reason is not None
    assert "within 3 s" in record.state_reason.detail
    assert record.state_reason_zh is not None
    assert "在 3 秒内没有给出完整的应答。最后一次应答：2" in record.state_reason_zh
    assert record.resources == {}
    assert record.node_count is None
    assert record.connected_since is None
    assert record.last_seen == NOON
    assert record.ray_version == "2.60.0"


def test_a_cluster_never_read_has_no_version() -> None:
    record = cluster_record(LAB, Watch("session_1"), None)

    assert record.state is ClusterState.LOST
    assert record.ray_version is None
