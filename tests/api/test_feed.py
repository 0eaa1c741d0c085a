from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from castray.api import feed as feed_module
from castray.api.feed import ReplicaFeed
from castray.errors import RegistryUnavailableError
from castray.models import NodeState, WorkStatus
from tests.api.waiting import until
from tests.core.given import reported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from castray.changes import Changes
    from tests.api.memory_backend import MemoryBackend


@pytest.fixture
async def feed(registry: MemoryBackend) -> AsyncIterator[ReplicaFeed]:
    feed = ReplicaFeed(registry)
    feed.start()
    yield feed
    await feed.aclose()


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence counts after a moment, so that no test waits for it."""
    monkeypatch.setattr(feed_module, "FEED_LOST_AFTER_S", 0.2)


def status_of(feed: ReplicaFeed, node_id: str) -> WorkStatus:
    return feed.view().find_node(node_id).work.status


async def test_it_is_ready_with_the_first_answer(feed: ReplicaFeed) -> None:
    await feed.wait_ready()

    assert [node.node_id for node in feed.view().nodes] == ["m1", "m2"]


def test_before_any_answer_there_is_nothing_to_show(registry: MemoryBackend) -> None:
    with pytest.raises(RegistryUnavailableError):
        ReplicaFeed(registry).view()


async def test_every_change_is_merged_and_told(registry: MemoryBackend, feed: ReplicaFeed) -> None:
    await feed.wait_ready()
    told: list[str | None] = []
    feed.listen(lambda: told.append(feed.version))

    registry.apply(reported("m1", WorkStatus.SENDING))

    await until(lambda: status_of(feed, "m1") is WorkStatus.SENDING)
    assert told == ["1.2"]


async def test_no_change_is_not_told(registry: MemoryBackend, feed: ReplicaFeed) -> None:
    told: list[str | None] = []
    await feed.wait_ready()
    feed.listen(lambda: told.append(feed.version))
    asked = registry.calls

    await until(lambda: registry.calls > asked + 1)

    assert told == []


async def test_silence_of_the_registry_makes_everything_unknown_and_an_answer_known_again(
    impatience: None, registry: MemoryBackend, feed: ReplicaFeed
) -> None:
    registry.apply(reported("m1"))
    await until(lambda: feed.version == "1.2")

    registry.take_down()

    await until(lambda: feed.lost_since is not None)
    assert feed.view().find_node("m1").state is NodeState.STALE
    registry.bring_back()
    await until(lambda: feed.lost_since is None)
    assert status_of(feed, "m1") is WorkStatus.DETECTING


async def test_it_does_not_wait_for_ever_to_be_ready(
    impatience: None, registry: MemoryBackend
) -> None:
    registry.take_down()
    feed = ReplicaFeed(registry)
    feed.start()

    await asyncio.wait_for(feed.wait_ready(), 20)

    assert feed.lost_since is not None
    await feed.aclose()


async def test_after_a_restart_of_the_registry_it_holds_what_that_one_knows(
    registry: MemoryBackend, feed: ReplicaFeed
) -> None:
    await feed.wait_ready()

    registry.restart()

    await until(lambda: feed.version == "2.0")
    assert feed.view().nodes == ()


async def test_changes_that_do_not_fit_are_told_and_everything_is_asked_for(
    registry: MemoryBackend,
    feed: ReplicaFeed,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await feed.wait_ready()
    right = registry.next_changes

    async def wrong_once(since: str | None) -> Changes:
        monkeypatch.setattr(registry, "next_changes", right)
        return registry.registry.changes_since(None).model_copy(update={"since": "1.0"})

    monkeypatch.setattr(registry, "next_changes", wrong_once)
    registry.apply(reported("m1"))
    registry.apply(reported("m2"))

    await until(lambda: "the feed of changes failed" in caplog.text)
    await until(lambda: feed.version == "1.3")
    assert status_of(feed, "m2") is WorkStatus.DETECTING


async def test_a_silent_registry_is_told_once(
    impatience: None,
    registry: MemoryBackend,
    feed: ReplicaFeed,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    await feed.wait_ready()

    registry.take_down()
    asked = registry.calls

    await until(lambda: registry.calls > asked + 3)
    assert caplog.text.count("the registry does not answer") == 1


@pytest.mark.parametrize("steps", range(5))
async def test_it_ends_also_while_an_answer_comes_in(registry: MemoryBackend, steps: int) -> None:
    feed = ReplicaFeed(registry)
    feed.start()
    await feed.wait_ready()

    registry.take_down()
    for _ in range(steps):
        await asyncio.sleep(0)
    await asyncio.wait_for(feed.aclose(), 10)
