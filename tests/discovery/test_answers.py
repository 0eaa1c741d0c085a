from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from castray.discovery.answers import (
    parse_actors,
    parse_authentication_mode,
    parse_jobs,
    parse_nodes,
    parse_resources,
    parse_usage,
    parse_version,
    rename_resources,
)
from tests.discovery.server import recorded

if TYPE_CHECKING:
    from collections.abc import Callable

VERSIONS = pytest.mark.parametrize("version", ["2.60.0", "2.52.1"])

HEAD = "9b49900de84879af98a0bcf29693ddbc1595f69258d08f5b80cf9ebb"
WORKER = "3c44a04dfc1f9adb0b3b4a279a1cde054dc4951c5875a0791f69aaec"


def usage_with(**values: Any) -> bytes:
    row = {"raylet": {"nodeId": HEAD}, "now": 1795353293.5, **values}
    return json.dumps({"data": {"summary": [row]}}).encode()


@VERSIONS
def test_a_version_names_ray_and_the_cluster(version: str) -> None:
    answer = parse_version(recorded(version, "version"))

    assert answer.ray_version == version
    assert answer.session_name.startswith("session_2026-11-22_13-")


@VERSIONS
def test_a_cluster_without_tokens_says_so(version: str) -> None:
    assert parse_authentication_mode(recorded(version, "authentication_mode")) == "disabled"


@VERSIONS
def test_every_node_is_read_with_its_resources_and_labels(version: str) -> None:
    nodes = {node.facts.address: node for node in parse_nodes(recorded(version, "nodes"))}

    worker = nodes["10.0.0.2"].facts
    assert nodes.keys() == {"10.0.0.1", "10.0.0.2"}
    assert nodes["10.0.0.1"].facts.is_head
    assert not worker.is_head
    assert worker.alive
    assert worker.resources["edge_two"] == 1
    assert worker.labels["castray.io/name"] == "edge-2"
    assert nodes["10.0.0.2"].started_at is not None
    assert nodes["10.0.0.2"].ended_at is None


def test_a_dead_node_says_when_it_died_and_why() -> None:
    nodes = parse_nodes(recorded("2.60.0-with-dead-node", "nodes"))

    (dead,) = [node for node in nodes if not node.facts.alive]
    assert dead.facts.node_id == WORKER
    assert "missing too many heartbeats" in dead.facts.death_reason
    assert dead.ended_at == datetime(2026, 11, 22, 13, 15, 29, 984000, tzinfo=timezone.utc)


@VERSIONS
def test_usage_is_what_the_agents_measured(version: str) -> None:
    usage = parse_usage(recorded(version, "summary"))

    for node in usage.values():
        load = node.load()
        assert node.host_name == "edge-box"
        assert load is not None
        assert load.measured_at.year == 2026
        assert load.cpu_percent is not None
        assert 0 < load.cpu_percent < 100
        assert load.memory_total_bytes == 25276502016
        assert load.disk_percent == 24.9
        assert load.network_sent_bytes_per_s == 0
        assert load.gpus == ()
    assert len(usage) == 2


def test_gpus_are_read_in_bytes_and_percent() -> None:
    gpu = {"index": 0, "name": "A100", "utilizationGpu": 30, "memoryUsed": 2, "memoryTotal": 1024}
    dark = {"index": 1, "name": "A100", "utilizationGpu": None, "memoryUsed": 0, "memoryTotal": 9}

    load = parse_usage(usage_with(gpus=[gpu, dark]))[HEAD].load()

    assert load is not None
    assert load.gpus[0].memory_used_bytes == 2 * 2**20
    assert load.gpus[0].memory_total_bytes == 2**30
    assert load.gpu_percent == 30


def test_a_node_that_was_not_measured_yet_has_a_name_and_no_load() -> None:
    row = {"raylet": {"nodeId": HEAD, "nodeManagerHostname": "edge-box"}}

    usage = parse_usage(json.dumps({"data": {"summary": [row]}}).encode())

    assert usage[HEAD].host_name == "edge-box"
    assert usage[HEAD].load() is None


def test_what_a_node_does_not_measure_is_unknown_and_not_zero() -> None:
    load = parse_usage(usage_with())[HEAD].load()

    assert load is not None
    assert load.cpu_percent is None
    assert load.memory_used_bytes is None
    assert load.disk_percent is None
    assert load.network_sent_bytes_per_s is None


@VERSIONS
def test_actors_are_known_by_name_and_rays_own_are_left_out(version: str) -> None:
    actors = parse_actors(recorded(version, "actors"))

    names = sorted(name for found in actors.values() for name in found)
    assert names == ["detector", "sender-2"]


def test_an_actor_without_a_name_is_known_by_its_class_and_a_dead_one_or_ours_not_at_all() -> None:
    rows = [
        {"state": "ALIVE", "node_id": HEAD, "name": "", "class_name": "Trainer"},
        {"state": "DEAD", "node_id": HEAD, "name": "ghost"},
        {"state": "ALIVE", "node_id": None, "name": "nowhere"},
        {"state": "ALIVE", "node_id": HEAD, "name": "w", "ray_namespace": "castray-outpost-1"},
    ]

    actors = parse_actors(json.dumps({"data": {"result": {"result": rows}}}).encode())

    assert actors == {HEAD: ("Trainer",)}


@VERSIONS
def test_running_jobs_are_known_by_the_name_that_they_were_given(version: str) -> None:
    (names,) = parse_jobs(recorded(version, "jobs")).values()

    assert names == ("train demo",)


def test_a_job_without_a_name_is_known_by_its_id_and_an_ended_one_not_at_all() -> None:
    rows = [
        {"status": "RUNNING", "submission_id": "raysubmit_1", "driver_node_id": HEAD},
        {"status": "SUCCEEDED", "submission_id": "raysubmit_2", "driver_node_id": HEAD},
        {"status": "RUNNING", "job_id": "03000000", "driver_node_id": HEAD, "metadata": None},
        {"status": "RUNNING", "submission_id": "castray-outpost-1-2", "driver_node_id": HEAD},
    ]

    assert parse_jobs(json.dumps(rows).encode()) == {HEAD: ("03000000", "raysubmit_1")}


@VERSIONS
def test_resources_have_their_own_names_and_rays_own_account(version: str) -> None:
    resources = parse_resources(recorded(version, "cluster_status"))

    named = rename_resources(resources, ["CPU", "edge_two", "object_store_memory"])

    assert named["CPU"].total == 2
    assert named["CPU"].available == 1.5
    assert named["edge_two"].total == 1
    assert named["object_store_memory"].total == 160_000_000
    assert len(named) == 3


def test_a_cluster_without_an_autoscaler_has_no_account() -> None:
    body = {"result": True, "msg": "Got cluster status.", "data": {"clusterStatus": None}}

    assert parse_resources(json.dumps(body).encode()) == {}


@pytest.mark.parametrize(
    "parse",
    [parse_version, parse_nodes, parse_usage, parse_actors, parse_jobs, parse_resources],
)
@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[1]", b'{"data": null}', b'{"data": {"result": {"result": 1}}}', b"\xff{"],
)
def test_what_is_no_answer_of_a_dashboard_is_refused(
    parse: Callable[[bytes], object], body: bytes
) -> None:
    with pytest.raises(ValidationError):
        parse(body)


@pytest.mark.parametrize(
    "values",
    [
        {"cpu": 250},
        {"cpu": float("nan")},
        {"now": float("inf")},
        {"now": 1e300},
        {"mem": [1, 1]},
        {"mem": [-1, 0, 0, 0]},
        {"raylet": {"nodeId": "../../etc"}},
    ],
)
def test_figures_that_nobody_can_have_measured_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        parse_usage(usage_with(**values))
