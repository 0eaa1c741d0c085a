from __future__ import annotations

import itertools
import secrets
import socket
from typing import TYPE_CHECKING

import pytest
import ray
from ray.util import list_named_actors

from castray.actors.outpost import WARDEN_NAME
from castray.actors.outpost_job import ensure_outpost, remove_outpost
from castray.errors import PeerError
from castray.transfer.http_link import HttpAgentLink
from castray.transfer.keyed_http import digest_key
from castray.transfer.outpost_link import OutpostLink, OutpostSettings, OutpostView, outpost_name
from tests.api.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ports = itertools.count(29000, 100)


@pytest.fixture
def key() -> str:
    return secrets.token_hex(32)


@pytest.fixture
def settings(local_ray: None, key: str, tmp_path: Path) -> Iterator[OutpostSettings]:
    """Of an outpost on the tests' own Ray, which ends with the test."""
    first = next(_ports)
    settings = OutpostSettings(
        key_digest=digest_key(key),
        code="1",
        roots=(str(tmp_path),),
        first_port=first,
        last_port=first + 99,
        monitor_port=9,
        monitor_poll_interval_s=5,
        monitor_timeout_s=1,
        idle_s=3600,
    )
    yield settings
    remove_outpost(settings)


def actors_of(settings: OutpostSettings) -> list[str]:
    namespace = outpost_name(settings.key_digest)
    rows = list_named_actors(all_namespaces=True)
    return sorted(row["name"] for row in rows if row["namespace"] == namespace)


def is_heard(host: str | None, port: int | None) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def warden_link(view: OutpostView, key: str) -> OutpostLink:
    return OutpostLink(f"http://{view.host}:{view.port}", key)


async def test_an_outpost_has_a_warden_and_an_agent_that_answer_to_the_key(
    settings: OutpostSettings, key: str, tmp_path: Path
) -> None:
    (tmp_path / "x.txt").write_text("hello")

    view = ensure_outpost(settings)

    [member] = view.members
    told = await warden_link(view, key).view(5)
    link = HttpAgentLink(f"http://{member.host}:{member.port}", key)
    news = await link.node_news(-1, 5)
    assert told == view
    assert actors_of(settings) == [f"OutpostAgent:{member.node_id}", WARDEN_NAME]
    assert member.port in settings.ports
    assert await link.read_file("x.txt", 0, 100) == b"hello"
    assert news.report.node_id == member.node_id
    with pytest.raises(PeerError, match="does not know this key"):
        await warden_link(view, "another").view(5)


def test_an_outpost_is_found_by_who_wants_it_again(settings: OutpostSettings) -> None:
    first = ensure_outpost(settings)

    assert ensure_outpost(settings) == first


async def test_an_outpost_of_another_make_gives_way(settings: OutpostSettings) -> None:
    first = ensure_outpost(settings)
    newer = settings.model_copy(update={"code": "2"})

    second = ensure_outpost(newer)

    assert (first.settings, second.settings) == (settings, newer)
    assert len(actors_of(settings)) == 2


async def test_a_warden_that_is_told_to_ends_everything(
    settings: OutpostSettings, key: str
) -> None:
    view = ensure_outpost(settings)

    await warden_link(view, key).end()

    await until(lambda: actors_of(settings) == [])
    await until(lambda: not is_heard(view.host, view.port))
    assert [m for m in view.members if is_heard(m.host, m.port)] == []


def test_a_job_removes_it_also_when_nobody_answers(settings: OutpostSettings) -> None:
    ensure_outpost(settings)

    assert remove_outpost(settings) == 2
    assert remove_outpost(settings) == 0


async def test_an_outpost_that_nobody_asks_for_anything_leaves(settings: OutpostSettings) -> None:
    ensure_outpost(settings.model_copy(update={"idle_s": 0.5}))

    await until(lambda: actors_of(settings) == [])


async def test_outposts_of_two_homes_do_not_meet(settings: OutpostSettings) -> None:
    other = settings.model_copy(update={"key_digest": digest_key("of another home")})
    mine, theirs = ensure_outpost(settings), ensure_outpost(other)

    remove_outpost(settings)

    assert mine.port != theirs.port
    assert actors_of(settings) == []
    assert len(actors_of(other)) == 2
    assert remove_outpost(other) == 2


def test_without_a_free_port_it_says_so(settings: OutpostSettings) -> None:
    with pytest.raises(ray.exceptions.RayTaskError, match="no port"):
        ensure_outpost(settings.model_copy(update={"first_port": 2, "last_port": 1}))
