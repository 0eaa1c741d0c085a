"""Following a running CastRay."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click
import pytest

from castray.api.auth import AccessPolicy
from castray.cli.client import Target
from castray.cli.live import Follower
from castray.models import NodeState, WorkStatus
from tests.core.given import members, reported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.api.memory_backend import MemoryBackend
    from tests.page.server import PageServer

DEADLINE_S = 30.0


class Watch:
    """A follower at work, and what waits for it to see something."""

    def __init__(self, target: Target) -> None:
        self.follower = Follower(target)
        self._changed = asyncio.Event()
        self.task = asyncio.create_task(self.follower.run(self._changed.set))

    async def until(self, seen: Callable[[Follower], bool]) -> None:
        """Wait until the follower shows that.

        Raises:
            asyncio.TimeoutError: It does not.
        """
        while not seen(self.follower):
            await asyncio.wait_for(self._changed.wait(), DEADLINE_S)
            self._changed.clear()


@pytest.fixture
async def watch(server: PageServer, registry: MemoryBackend) -> AsyncIterator[Watch]:
    """Follows a CastRay that knows one node, M1, which is detecting."""
    registry.apply(members("m1"), reported("m1"))
    watch = Watch(Target(server.url, None))
    yield watch
    watch.task.cancel()
    await asyncio.wait([watch.task])


def shows(status: WorkStatus, state: NodeState = NodeState.ALIVE) -> Callable[[Follower], bool]:
    """Whether the one node is seen with that status."""
    return lambda follower: (
        [(node.work.status, node.state) for node in follower.nodes()] == [(status, state)]
    )


async def test_it_shows_what_is_there_and_every_change(
    watch: Watch, registry: MemoryBackend
) -> None:
    await watch.until(shows(WorkStatus.DETECTING))

    registry.apply(reported("m1", WorkStatus.SENDING))

    await watch.until(shows(WorkStatus.SENDING))
    assert watch.follower.connection.startswith("Live from http://127.0.0.1")


async def test_a_lost_connection_makes_everything_unknown_and_comes_back(
    watch: Watch, server: PageServer, registry: MemoryBackend
) -> None:
    await watch.until(shows(WorkStatus.DETECTING))

    await server.stop()
    await watch.until(shows(WorkStatus.UNKNOWN, NodeState.STALE))
    lost = watch.follower.connection
    registry.apply(reported("m1", WorkStatus.SENDING))
    await server.start()
    await watch.until(shows(WorkStatus.SENDING))

    assert lost.startswith("No connection to http://127.0.0.1")


async def test_a_lost_registry_makes_everything_unknown_and_comes_back(
    watch: Watch, registry: MemoryBackend
) -> None:
    await watch.until(shows(WorkStatus.DETECTING))

    registry.take_down()
    await watch.until(shows(WorkStatus.UNKNOWN, NodeState.STALE))
    registry.bring_back()

    await watch.until(shows(WorkStatus.DETECTING))


async def test_a_restarted_registry_replaces_what_was_known(
    watch: Watch, registry: MemoryBackend
) -> None:
    await watch.until(shows(WorkStatus.DETECTING))

    registry.restart()
    registry.apply(members("m2"))

    await watch.until(lambda follower: [node.name for node in follower.nodes()] == ["M2"])


async def test_it_waits_for_a_castray_that_is_not_up_yet(server: PageServer) -> None:
    await server.stop()
    watch = Watch(Target(server.url, None))

    await watch.until(lambda follower: follower.connection.startswith("No connection"))
    await server.start()
    await watch.until(lambda follower: follower.connection.startswith("Live from"))

    watch.task.cancel()
    await asyncio.wait([watch.task])


class TestWithToken:
    """A CastRay that wants a token."""

    @pytest.fixture
    def access(self) -> AccessPolicy:
        """Asks for one."""
        return AccessPolicy(token="k3y")

    async def test_without_it_there_is_no_second_try(self, server: PageServer) -> None:
        watch = Watch(Target(server.url, "wr0ng"))

        with pytest.raises(click.ClickException, match="wants another token"):
            await asyncio.wait_for(watch.task, DEADLINE_S)


def test_a_message_of_another_kind_changes_nothing() -> None:
    follower = Follower(Target("http://127.0.0.1:1", None))

    follower.apply('{"type": "news", "data": {"of": "another version"}}')

    assert follower.nodes() == ()
