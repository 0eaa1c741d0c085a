"""Installing an outpost, finding it again, and asking it for agents."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from castray.actors import outpost_installer
from castray.errors import InvalidRequestError, NotFoundError, PeerError
from castray.transfer.keyed_http import digest_key
from castray.transfer.outpost_link import OutpostMember
from tests.actors.outpost_cluster import NODE, STARTING, STRAY, Cluster, Home
from tests.api.waiting import until
from tests.discovery.server import serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from castray.actors.outposts import Outpost


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """No Ray looks at the jobs of the tests."""
    monkeypatch.setattr(outpost_installer, "SETTLE_S", 0.0)


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    cluster = Cluster()
    yield cluster
    await cluster.kill_warden()


@pytest.fixture
async def home(cluster: Cluster) -> AsyncIterator[Home]:
    async with serve(cluster.handle) as url:
        yield Home(url)


@pytest.fixture
async def outpost(home: Home) -> Outpost:
    """One that is installed, with an agent on NODE."""
    outpost = home.outpost()
    await outpost.agent(NODE)
    return outpost


async def test_an_outpost_is_installed_when_its_first_agent_is_asked_for(
    cluster: Cluster, home: Home
) -> None:
    address = await home.outpost().agent(NODE)

    [settings] = cluster.settings
    assert address.url == "http://127.0.0.1:28901"
    assert address.key == home.record.key
    assert settings.key_digest == digest_key(home.record.key)
    assert (settings.roots, settings.ports) == (("/data",), range(28900, 29000))
    assert settings.idle_s == 24 * 3600
    assert list(home.watch.outpost) == [NODE]
    assert home.watch.connection == home.stored[-1]


async def test_the_key_is_stored_before_anything_is_installed_and_never_sent_there(
    cluster: Cluster, home: Home
) -> None:
    cluster.jobs.end = "FAILED"

    with pytest.raises(PeerError):
        await home.outpost().agent(NODE)

    sent = json.dumps(cluster.jobs.submitted).encode() + b"".join(cluster.jobs.packages.values())
    assert len(bytes.fromhex(home.record.key)) == 32
    assert home.record.key.encode() not in sent


async def test_an_outpost_that_is_there_is_found_again_without_a_job(
    cluster: Cluster, home: Home
) -> None:
    first = await home.outpost().agent(NODE)

    again = await home.outpost(home.record).agent(NODE)

    assert again == first
    assert len(cluster.jobs.submitted) == 1


async def test_an_outpost_that_is_not_where_it_was_is_found_by_a_job_with_the_same_key(
    cluster: Cluster, home: Home
) -> None:
    first = await home.outpost().agent(NODE)
    before = home.record
    await cluster.kill_warden()

    again = await home.outpost(home.record).agent(NODE)

    assert again == first
    assert home.record.key == before.key
    assert home.record.url != before.url
    assert len(cluster.jobs.submitted) == 2


async def test_an_outpost_of_another_make_is_replaced(cluster: Cluster, home: Home) -> None:
    await home.outpost().agent(NODE)
    cluster.settings.append(cluster.settings[0].model_copy(update={"code": "of last year"}))

    await home.outpost(home.record).agent(NODE)

    assert len(cluster.jobs.submitted) == 2
    assert cluster.settings[-1] == cluster.settings[0]


async def test_ten_who_ask_at_once_cause_one_installation(cluster: Cluster, home: Home) -> None:
    outpost = home.outpost()

    answers = await asyncio.gather(*(outpost.agent(NODE) for _ in range(10)))

    assert len(set(answers)) == 1
    assert len(cluster.jobs.submitted) == 1


async def test_a_node_that_joins_is_found_when_it_is_asked_for(
    cluster: Cluster, outpost: Outpost
) -> None:
    cluster.members.append(OutpostMember(node_id=STARTING, host="127.0.0.1", port=28905))

    address = await outpost.agent(STARTING)

    assert address.url == "http://127.0.0.1:28905"


async def test_an_agent_that_does_not_start_is_told_with_what_its_warden_saw(
    cluster: Cluster, home: Home
) -> None:
    cluster.members.append(OutpostMember(node_id=STARTING, problem="has no port to listen on"))

    with pytest.raises(PeerError, match="no port to listen on"):
        await home.outpost().agent(STARTING)


async def test_a_node_that_the_cluster_does_not_have_is_not_found(home: Home) -> None:
    with pytest.raises(NotFoundError):
        await home.outpost().agent(STRAY)


async def test_a_key_goes_only_to_where_we_may_connect(cluster: Cluster, home: Home) -> None:
    cluster.members = [
        OutpostMember(node_id=STRAY, host="169.254.169.254", port=80),
        OutpostMember(node_id=STARTING, host="evil.example", port=80),
        *cluster.members,
    ]
    outpost = home.outpost()
    await outpost.agent(NODE)

    assert list(home.watch.outpost) == [NODE]
    for node_id in (STRAY, STARTING):
        with pytest.raises(PeerError, match=r"never connects|no address"):
            await outpost.agent(node_id)


async def test_an_installation_that_fails_says_why(cluster: Cluster, home: Home) -> None:
    cluster.jobs.refusals["POST", "jobs"] = 403

    with pytest.raises(PeerError, match=r"lab: .* refuses this token"):
        await home.outpost().agent(NODE)


@pytest.mark.parametrize("output", ["", "nonsense", '{"host": "127.0.0.1"}'])
async def test_a_job_that_answers_nonsense_is_an_error_that_shows_it(
    cluster: Cluster, home: Home, output: str
) -> None:
    async def confused(entrypoint: str) -> None:
        cluster.jobs.output = output

    cluster._do = confused  # type: ignore[method-assign]

    with pytest.raises(PeerError, match="but it ended with"):
        await home.outpost().agent(NODE)


async def test_nothing_is_installed_where_the_settings_say_never(
    cluster: Cluster, home: Home
) -> None:
    with pytest.raises(InvalidRequestError, match="CASTRAY_TRANSFER__OUTPOSTS"):
        await home.outpost(when="never").agent(NODE)

    assert cluster.jobs.submitted == []


@pytest.mark.parametrize("has_one", [True, False])
async def test_an_outpost_that_is_wanted_is_followed_from_the_start(
    cluster: Cluster, home: Home, has_one: bool
) -> None:
    if has_one:
        await home.outpost().agent(NODE)
        outpost = home.outpost(home.record)
    else:
        outpost = home.outpost(when="on_connect")

    following = asyncio.create_task(outpost.run())
    await until(lambda: NODE in home.watch.outpost)
    following.cancel()

    assert len(cluster.jobs.submitted) == 1


async def test_a_removed_outpost_is_gone_and_is_not_installed_again(
    cluster: Cluster, home: Home, outpost: Outpost
) -> None:
    left_behind = await outpost.remove()

    assert left_behind is None
    await until(lambda: not cluster.has_warden)
    assert cluster.jobs.jobs == {}
    assert home.watch.outpost == {}
    with pytest.raises(NotFoundError):
        await outpost.agent(NODE)
    assert len(cluster.jobs.submitted) == 1


async def test_an_outpost_that_cannot_be_asked_is_removed_by_a_job(
    cluster: Cluster, outpost: Outpost
) -> None:
    await cluster.kill_warden()

    left_behind = await outpost.remove()

    assert left_behind is None
    assert [job["entrypoint"].split()[3] for job in cluster.jobs.submitted] == ["ensure", "remove"]
    assert cluster.settings[1].key_digest == cluster.settings[0].key_digest


async def test_an_outpost_that_cannot_be_removed_is_told_with_the_reason(
    cluster: Cluster, outpost: Outpost
) -> None:
    await cluster.kill_warden()
    cluster.jobs.end = "FAILED"

    left_behind = await outpost.remove()

    assert left_behind is not None
    assert "FAILED" in left_behind


async def test_where_there_is_no_outpost_nothing_is_removed(cluster: Cluster, home: Home) -> None:
    left_behind = await home.outpost().remove()

    assert left_behind is None
    assert cluster.jobs.submitted == []


async def test_a_removal_waits_for_an_installation_under_way(cluster: Cluster, home: Home) -> None:
    cluster.jobs.rounds = 2
    outpost = home.outpost()
    installing = asyncio.create_task(outpost.agent(NODE))
    await until(lambda: bool(cluster.jobs.submitted))

    left_behind = await outpost.remove()

    with pytest.raises(NotFoundError):
        await installing
    assert left_behind is None
    await until(lambda: not cluster.has_warden)
