from __future__ import annotations

import dataclasses
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import ray
from ray.exceptions import RayTaskError
from ray.util import list_named_actors
from ray.util.state import list_actors

from castray.actors.agent_links import link_to
from castray.actors.launch import ensure_registry, remove_actors
from castray.actors.names import (
    REGISTRY_NAME,
    ActorSettings,
    TransferSettings,
    agent_name,
    get_handle,
    poller_name,
)
from castray.cast_models import CastState
from castray.core.versioned import Version
from castray.errors import InvalidRequestError, NotFoundError, SourceFileError
from castray.models import NodeState, ReasonCode, Snapshot, WorkStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from castray.cast_models import Cast
    from castray.models import Node

DEADLINE_S = 60.0

MIB = 1 << 20

CONTENT = os.urandom(6 * MIB + 5)


def wait_for(registry: Any, holds: Callable[[Snapshot], bool]) -> Snapshot:
    """The first snapshot that holds, following the registry's own changes."""
    deadline = time.monotonic() + DEADLINE_S
    snapshot: Snapshot = ray.get(registry.snapshot.remote(), timeout=DEADLINE_S)
    while not holds(snapshot):
        assert time.monotonic() < deadline, f"never held: {snapshot}"
        ray.get(registry.changes.remote(snapshot.version, 1.0), timeout=DEADLINE_S)
        snapshot = ray.get(registry.snapshot.remote(), timeout=DEADLINE_S)
    return snapshot


def is_measured(snapshot: Snapshot) -> bool:
    return any(n.load is not None and n.load.cpu_percent is not None for n in snapshot.nodes)


def process_of(name: str, settings: ActorSettings) -> int:
    """The process that one of our actors lives in."""
    rows = list_actors(
        address=ray.get_runtime_context().gcs_address,
        filters=[("ray_namespace", "=", settings.namespace)],
        detail=True,
    )
    (pid,) = [row.pid for row in rows if row.name == name and row.state == "ALIVE"]
    assert pid is not None
    return pid


def test_snapshot_is_typed_and_holds_what_the_poller_measured(settings: ActorSettings) -> None:
    registry = ensure_registry(settings)

    snapshot = wait_for(registry, is_measured)

    (node,) = snapshot.nodes
    assert node.is_head
    assert node.state is NodeState.ALIVE
    assert node.load is not None
    assert node.load.memory_total_bytes == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    (cluster,) = snapshot.clusters
    assert cluster.ray_version == ray.__version__
    assert cluster.resources["CPU"].total == 1.0


def test_node_without_a_monitor_is_unknown_with_the_reason(settings: ActorSettings) -> None:
    quiet = dataclasses.replace(settings, monitor_port=9)

    snapshot = wait_for(ensure_registry(quiet), lambda s: s.nodes[0].monitor.reachable is False)

    (node,) = snapshot.nodes
    assert node.work.status is WorkStatus.UNKNOWN
    assert node.work.reason == node.monitor.error
    assert node.work.reason is not None
    assert node.work.reason.code is ReasonCode.NO_MONITOR


def test_waiting_call_returns_what_changed_and_nothing_older(settings: ActorSettings) -> None:
    registry = ensure_registry(settings)
    before = wait_for(registry, is_measured)

    # The change ends the wait, long before the waiter's own limit does.
    changes = ray.get(registry.changes.remote(before.version, DEADLINE_S), timeout=DEADLINE_S / 2)

    assert changes.since == before.version
    assert Version.parse(changes.version) > Version.parse(before.version)
    assert changes.nodes.removed == ()


def test_killed_registry_comes_back_with_a_later_version(settings: ActorSettings) -> None:
    registry = ensure_registry(settings)
    before = wait_for(registry, is_measured)

    os.kill(process_of(REGISTRY_NAME, settings), signal.SIGKILL)
    after = wait_for(registry, lambda s: s.version.split(".")[0] != before.version.split(".")[0])

    assert Version.parse(after.version) > Version.parse(before.version)
    refilled = wait_for(registry, is_measured)
    assert [n.key for n in refilled.nodes] == [n.key for n in before.nodes]


def test_killed_poller_comes_back_and_reports(settings: ActorSettings) -> None:
    registry = ensure_registry(settings)
    node = wait_for(registry, is_measured).nodes[0]

    killed = process_of(poller_name(node.node_id), settings)
    os.kill(killed, signal.SIGKILL)
    # A new poller has not measured the CPU before its second round.
    wait_for(registry, lambda s: not is_measured(s))
    wait_for(registry, is_measured)

    assert process_of(poller_name(node.node_id), settings) != killed


def test_same_settings_keep_the_registry_and_others_replace_it(settings: ActorSettings) -> None:
    first = ensure_registry(settings)
    epoch = wait_for(first, is_measured).version.split(".")[0]

    same = ensure_registry(settings)
    assert ray.get(same.snapshot.remote()).version.split(".")[0] == epoch

    other = ensure_registry(dataclasses.replace(settings, monitor_port=9))
    assert ray.get(other.snapshot.remote()).version.split(".")[0] != epoch
    wait_for(other, lambda s: bool(s.nodes) and s.nodes[0].monitor.port == 9)


def test_removal_ends_every_actor_of_that_namespace_alone(settings: ActorSettings) -> None:
    wait_for(ensure_registry(settings), is_measured)

    removed = remove_actors(settings.namespace)

    assert removed[0] == REGISTRY_NAME
    assert len(removed) == 3
    assert settings.namespace not in {
        row["namespace"] for row in list_named_actors(all_namespaces=True)
    }
    with pytest.raises(ValueError, match="Failed to look up actor"):
        get_handle(namespace=settings.namespace)


@pytest.fixture
def casting(settings: ActorSettings, tmp_path: Path) -> ActorSettings:
    """Settings by which the one node shares a directory with a file."""
    root = tmp_path / "shared"
    root.mkdir()
    (root / "a.bin").write_bytes(CONTENT)
    return dataclasses.replace(settings, transfer=TransferSettings(roots=(str(root),)))


def copy_of(node: Node, **more: object) -> dict[str, object]:
    """What to ask for to have the file copied on its node."""
    source = {"node": node.name, "path": "a.bin"}
    return {"source": source, "destination": "b.bin", "targets": [node.key], **more}


def wait_for_cast(registry: Any, cast_id: str, holds: Callable[[Cast], bool]) -> Cast:
    """A cast once it holds, following the registry's own changes."""
    deadline = time.monotonic() + DEADLINE_S
    version = None
    while True:
        changes = ray.get(registry.changes.remote(version, 1.0), timeout=DEADLINE_S)
        version = changes.version
        for cast in changes.casts.changed:
            if cast.id == cast_id and holds(cast):
                return cast  # type: ignore[no-any-return]
        assert time.monotonic() < deadline, "never held"


def test_cast_survives_the_death_of_its_agent_and_of_the_registry(casting: ActorSettings) -> None:
    registry = ensure_registry(casting)
    node = wait_for(registry, is_measured).nodes[0]
    request = copy_of(node, bandwidth_limit=MIB)
    cast_id = ray.get(registry.start_cast.remote(request), timeout=DEADLINE_S).id
    wait_for_cast(registry, cast_id, lambda cast: 0 < cast.bytes_done < len(CONTENT))

    os.kill(process_of(agent_name(node.node_id), casting), signal.SIGKILL)
    os.kill(process_of(REGISTRY_NAME, casting), signal.SIGKILL)
    cast = wait_for_cast(registry, cast_id, lambda cast: cast.ended is not None)

    assert cast.state is CastState.COMPLETED
    assert (Path(casting.transfer.roots[0]) / "b.bin").read_bytes() == CONTENT
    page = ray.get(registry.casts.remote(), timeout=DEADLINE_S)
    assert page.casts == (cast,)


def test_refusals_of_casts_reach_the_caller_as_what_they_are(casting: ActorSettings) -> None:
    registry = ensure_registry(casting)
    node = wait_for(registry, is_measured).nodes[0]
    missing = copy_of(node, source={"node": node.name, "path": "missing"})

    for call, error in (
        (registry.start_cast.remote(copy_of(node, targets=["M9"])), NotFoundError),
        (registry.start_cast.remote(copy_of(node, mode="fast")), InvalidRequestError),
        (registry.start_cast.remote(missing), SourceFileError),
        (registry.cast.remote("0"), NotFoundError),
        (registry.agent_of.remote("M9"), NotFoundError),
    ):
        with pytest.raises(RayTaskError) as caught:
            ray.get(call, timeout=DEADLINE_S)
        assert type(caught.value.cause) is error


async def test_agent_of_a_node_answers_where_the_registry_says(casting: ActorSettings) -> None:
    registry = ensure_registry(casting)
    node = wait_for(registry, is_measured).nodes[0]

    address = await registry.agent_of.remote(node.name)

    facts = await link_to(address, casting.namespace).facts()
    assert facts.roots == casting.transfer.roots
