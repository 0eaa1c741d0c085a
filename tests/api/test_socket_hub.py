from __future__ import annotations

import asyncio
import json
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from castray.api import socket_hub
from castray.api.feed import ReplicaFeed
from castray.api.rendering import Rendering
from castray.api.socket_hub import ClassicSocket, DeltaSocket, SocketHub
from castray.models import WorkStatus
from tests.api.waiting import until
from tests.core.given import reported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Message

    from tests.api.memory_backend import MemoryBackend


class Client:
    """The far end of a socket: keeps what it is sent, and can stop taking it."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.takes = asyncio.Event()
        self.takes.set()
        self.left = asyncio.Event()
        self.error: Exception | None = None

    async def send(self, message: Message) -> None:
        """What the server calls."""
        if self.error is not None:
            raise self.error
        await self.takes.wait()
        self.texts.append(message["text"])

    def types(self) -> list[str]:
        """The types of all messages, in order."""
        return [json.loads(text)["type"] for text in self.texts]

    def last_version(self) -> str | None:
        """The version that this client holds."""
        changes = [json.loads(t)["data"] for t in self.texts if '"nodes"' in t]
        return changes[-1].get("version") if changes else None


class House:
    """A hub over a registry, and the clients connected to it."""

    def __init__(self, registry: MemoryBackend) -> None:
        self.feed = ReplicaFeed(registry)
        self.hub = SocketHub(self.feed, Rendering(self.feed, WorkStatus.IDLE))
        self.tasks: list[asyncio.Task[None]] = []

    def connect(self, *, mode: str = "delta", since: str | None = None) -> Client:
        """Connect a client."""
        client = Client()
        socket = (
            DeltaSocket(self.hub, client.send, since)
            if mode == "delta"
            else ClassicSocket(self.hub, client.send)
        )
        self.tasks.append(asyncio.create_task(self.hub.serve(socket, self._receive(client))))
        return client

    async def _receive(self, client: Client) -> None:
        await client.left.wait()


@asynccontextmanager
async def open_house(registry: MemoryBackend) -> AsyncIterator[House]:
    """A house that is ready."""
    house = House(registry)
    house.feed.start()
    house.hub.start()
    await house.feed.wait_ready()
    try:
        yield house
    finally:
        await house.hub.aclose()
        await house.feed.aclose()
        await asyncio.gather(*house.tasks)


@pytest.fixture
async def house(registry: MemoryBackend) -> AsyncIterator[House]:
    async with open_house(registry) as house:
        yield house


@pytest.fixture
def quick_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_hub, "BEAT_S", 0.05)


def delta_count(client: Client) -> int:
    return client.types().count("delta")


async def test_a_client_is_told_of_the_feed_the_time_and_everything(house: House) -> None:
    client = house.connect()

    await until(lambda: len(client.texts) == 3)

    assert client.types() == ["feed", "heartbeat", "snapshot"]
    assert json.loads(client.texts[0])["data"] == {"lost_since": None}


async def test_a_client_that_holds_a_version_is_told_what_changed_since(
    registry: MemoryBackend, house: House
) -> None:
    registry.apply(reported("m2"))
    await until(lambda: house.feed.version == "1.2")

    client = house.connect(since="1.1")

    await until(lambda: len(client.texts) == 3)
    data = json.loads(client.texts[2])["data"]
    assert (client.types()[2], data["since"], data["version"]) == ("delta", "1.1", "1.2")
    assert [n["node_id"] for n in data["nodes"]["changed"]] == ["m2"]


async def test_a_client_that_holds_the_newest_is_told_that_nothing_changed(house: House) -> None:
    client = house.connect(since="1.1")

    await until(lambda: len(client.texts) == 3)

    data = json.loads(client.texts[2])["data"]
    assert (data["since"], data["version"], data["nodes"]["changed"]) == ("1.1", "1.1", [])


async def test_a_burst_of_changes_is_one_or_two_messages(
    registry: MemoryBackend, house: House
) -> None:
    client = house.connect()
    await until(lambda: len(client.texts) == 3)

    for number in range(50):
        registry.apply(reported("m1", task=str(number)))
        await asyncio.sleep(0)

    await until(lambda: client.last_version() == "1.51")
    assert delta_count(client) <= 3


async def test_all_sockets_are_sent_the_very_same_text(
    registry: MemoryBackend, house: House
) -> None:
    clients = [house.connect() for _ in range(200)]
    await until(lambda: all(len(client.texts) == 3 for client in clients))

    registry.apply(reported("m1"))

    await until(lambda: all(delta_count(client) == 1 for client in clients))
    assert len({id(client.texts[-1]) for client in clients}) == 1


async def test_a_client_that_takes_nothing_delays_nobody_and_catches_up_in_one_step(
    registry: MemoryBackend, house: House
) -> None:
    slow, quick = house.connect(), house.connect()
    await until(lambda: len(slow.texts) == len(quick.texts) == 3)
    slow.takes.clear()

    for number in range(5):
        registry.apply(reported("m1", task=str(number)))
        await until(lambda: quick.last_version() == str(registry.registry.version))
    slow.takes.set()

    await until(lambda: slow.last_version() == "1.6")
    assert delta_count(quick) == 5
    assert delta_count(slow) == 2


async def test_a_client_that_takes_nothing_for_long_is_ended(
    quick_beat: None, registry: MemoryBackend, house: House
) -> None:
    client, other = house.connect(), house.connect()
    await until(lambda: len(client.texts) >= 3)

    client.takes.clear()

    await until(lambda: len(house.hub) == 1)
    registry.apply(reported("m1"))
    await until(lambda: delta_count(other) == 1)


async def test_every_client_hears_something_again_and_again(quick_beat: None, house: House) -> None:
    delta, classic = house.connect(), house.connect(mode="classic")

    await until(lambda: delta.types().count("heartbeat") >= 3)
    await until(lambda: classic.types().count("cluster_status") >= 3)


async def test_the_loss_of_the_feed_and_its_return_are_told(
    registry: MemoryBackend, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = house.connect()
    await until(lambda: len(client.texts) == 3)

    registry.take_down()
    await until(lambda: client.types().count("feed") == 2)
    registry.bring_back()
    await until(lambda: client.types().count("feed") == 3)

    feeds = [json.loads(t)["data"]["lost_since"] for t in client.texts if '"feed"' in t]
    assert feeds[0] is None
    assert isinstance(feeds[1], str)
    assert feeds[2] is None


async def test_a_classic_client_is_sent_everything_at_most_four_times_a_second(
    registry: MemoryBackend, house: House
) -> None:
    client = house.connect(mode="classic")
    await until(lambda: len(client.texts) == 1)
    loop = asyncio.get_running_loop()
    begin = loop.time()

    while loop.time() - begin < 0.6:
        registry.apply(reported("m1", task=str(loop.time())))
        await asyncio.sleep(0.01)
    await until(lambda: len(client.texts) > 1)

    assert len(client.texts) <= 2 + 4 * (loop.time() - begin)
    assert set(client.types()) == {"cluster_status"}


@pytest.mark.parametrize("mode", ["classic", "delta"])
async def test_another_status_does_not_wait_for_the_turn_of_the_loads(
    registry: MemoryBackend, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(socket_hub, "CLASSIC_GAPS_S", (0.01, 60))
    monkeypatch.setattr(socket_hub, "DELTA_GAPS_S", (0.01, 60))
    async with open_house(registry) as house:
        client = house.connect(mode=mode)
        registry.apply(reported("m1", WorkStatus.DETECTING, "batch 1"))
        await until(lambda: any("batch 1" in text for text in client.texts))

        registry.apply(reported("m1", WorkStatus.DETECTING, "batch 2"))
        await until(lambda: house.feed.version == str(registry.registry.version))
        assert not any("batch 2" in text for text in client.texts)
        registry.apply(reported("m1", WorkStatus.SENDING, "batch 2"))

        await until(lambda: "batch 2" in client.texts[-1])


async def test_a_classic_client_is_told_nothing_before_anything_is_known(
    registry: MemoryBackend,
) -> None:
    registry.take_down()
    house = House(registry)
    house.feed.start()
    house.hub.start()
    classic, delta = house.connect(mode="classic"), house.connect()
    await until(lambda: delta.types() == ["feed", "heartbeat"])
    assert classic.texts == []

    registry.bring_back()

    await until(lambda: classic.types() == ["cluster_status"])
    await until(lambda: "snapshot" in delta.types())
    await house.hub.aclose()
    await house.feed.aclose()


@pytest.mark.parametrize("error", [OSError("gone"), RuntimeError("a mistake")])
async def test_a_send_that_fails_ends_its_own_socket_and_no_other(
    registry: MemoryBackend, house: House, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    broken, other = house.connect(), house.connect()
    await until(lambda: len(broken.texts) == len(other.texts) == 3)

    broken.error = error
    registry.apply(reported("m1"))

    await until(lambda: delta_count(other) == 1)
    await until(lambda: len(house.hub) == 1)
    assert ("a mistake" in caplog.text) == isinstance(error, RuntimeError)


async def test_a_client_that_left_is_forgotten(house: House) -> None:
    client = house.connect()
    await until(lambda: len(house.hub) == 1)

    client.left.set()

    await until(lambda: len(house.hub) == 0)


async def test_closing_ends_every_socket(registry: MemoryBackend) -> None:
    house = House(registry)
    house.feed.start()
    house.hub.start()
    clients: list[Any] = [house.connect(), house.connect(mode="classic")]
    clients[0].takes.clear()
    await until(lambda: len(house.hub) == 2)

    await house.hub.aclose()

    await asyncio.gather(*house.tasks)
    assert len(house.hub) == 0
    await house.feed.aclose()
