from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from castray.api import rendering as rendering_module
from castray.api.feed import ReplicaFeed
from castray.api.rendering import Rendering
from castray.changes import Changes
from castray.core.events import ClusterObserved, Noticed
from castray.core.ray_dashboard import ClusterStatus
from castray.errors import RegistryUnavailableError
from castray.models import Notice, NoticeType, WorkStatus
from tests.api.waiting import until
from tests.core.given import NOON, home_cluster, members, reported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.api.memory_backend import MemoryBackend

NOTICE = Notice(
    key="n1", type=NoticeType.CONNECTED, at=NOON, message='"Connected"', message_zh="已连接"
)


@pytest.fixture
async def feed(registry: MemoryBackend) -> AsyncIterator[ReplicaFeed]:
    feed = ReplicaFeed(registry)
    feed.start()
    await feed.wait_ready()
    yield feed
    await feed.aclose()


@pytest.fixture
def rendering(feed: ReplicaFeed) -> Rendering:
    return Rendering(feed, WorkStatus.IDLE)


def parsed(text: str) -> Changes:
    return Changes.model_validate(json.loads(text)["data"])


async def test_a_body_is_encoded_once_for_a_version(
    registry: MemoryBackend, feed: ReplicaFeed, rendering: Rendering
) -> None:
    first = rendering.ray_dashboard()
    assert rendering.ray_dashboard() is first

    registry.apply(reported("m1"))
    await until(lambda: feed.version == "1.2")

    await until(lambda: rendering.ray_dashboard() is not first)


async def test_each_page_is_encoded_once_and_they_are_not_kept_without_bound(
    rendering: Rendering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering_module, "VIEW_S_PER_NODE", 3600)
    first = rendering.ray_dashboard(1)
    assert rendering.ray_dashboard(1) is first

    for number in range(rendering_module.MAX_PAGES):
        rendering.ray_dashboard(1, str(number))

    assert rendering.ray_dashboard(1) is not first


async def test_a_snapshot_is_everything(
    registry: MemoryBackend, feed: ReplicaFeed, rendering: Rendering
) -> None:
    registry.apply(members("m1"), ClusterObserved(home_cluster({"CPU": (8, 2)})), Noticed(NOTICE))
    await until(lambda: feed.version == "1.4")

    version, snapshot = rendering.changes(None)

    assert version == "1.4"
    assert json.loads(snapshot)["type"] == "snapshot"
    assert parsed(snapshot) == feed.changes_since(None)


async def test_a_delta_has_only_what_changed(
    registry: MemoryBackend, feed: ReplicaFeed, rendering: Rendering
) -> None:
    registry.apply(reported("m2"), Noticed(NOTICE))
    await until(lambda: feed.version == "1.3")

    _, delta = rendering.changes("1.1")

    assert json.loads(delta)["type"] == "delta"
    assert parsed(delta) == feed.changes_since("1.1")
    assert [n.node_id for n in parsed(delta).nodes.changed] == ["m2"]
    assert parsed(delta).notices.changed == (NOTICE,)


async def test_all_who_stand_at_the_same_version_share_one_text(rendering: Rendering) -> None:
    assert rendering.changes("1.1")[1] is rendering.changes("1.1")[1]


async def test_all_unknown_versions_share_one_snapshot(rendering: Rendering) -> None:
    texts = {id(rendering.changes(f"9.{number}")[1]) for number in range(1000)}

    assert len(texts) <= 1 + 1000 // rendering_module.MAX_ENCODED_CHANGES


async def test_the_cluster_status_is_that_of_the_newest_version(
    registry: MemoryBackend,
    feed: ReplicaFeed,
    rendering: Rendering,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rendering_module, "VIEW_S_PER_NODE", 3600)
    before = rendering.view()
    registry.apply(reported("m2", WorkStatus.SENDING))
    await until(lambda: feed.version == "1.2")
    assert rendering.view() is before

    message = json.loads(rendering.cluster_status())

    status = ClusterStatus.model_validate(message["data"])
    assert message["type"] == "cluster_status"
    assert [node.work_status for node in status.nodes] == ["idle", "sending"]


def test_nothing_is_rendered_before_anything_is_known(registry: MemoryBackend) -> None:
    rendering = Rendering(ReplicaFeed(registry), WorkStatus.IDLE)

    with pytest.raises(RegistryUnavailableError):
        rendering.ray_dashboard()
    with pytest.raises(RegistryUnavailableError):
        rendering.changes(None)
