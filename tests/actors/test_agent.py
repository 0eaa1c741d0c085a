from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import ray
from ray.util import get_node_ip_address
from ray.util.state import list_actors

from castray.actors.agent_links import AgentAddress, link_to
from castray.actors.launch import remove_actors, start_agent, upload_code
from castray.actors.names import ActorSettings, TransferSettings, agent_name
from castray.cast_models import IfExists
from castray.errors import PeerError, SourceFileError, UnsafePathError
from castray.transfer.agent_link import UploadOrder
from castray.transfer.hashing import available_algorithms
from tests.actors.agent_driver import cast_between
from tests.hosts import REPOSITORY, RayCluster, bare_ray

if TYPE_CHECKING:
    from collections.abc import Callable

    from castray.transfer.agent_link import AgentFacts, AgentLink
    from tests.hosts import Host

DEADLINE_S = 60.0


@pytest.fixture
def shared(settings: ActorSettings, tmp_path: Path) -> ActorSettings:
    """Settings by which the node shares a directory of the test's."""
    root = tmp_path / "shared"
    root.mkdir()
    return dataclasses.replace(settings, transfer=TransferSettings(roots=(str(root),)))


def start(settings: ActorSettings) -> AgentLink:
    """The agent of the one node."""
    node_id = ray.get_runtime_context().get_node_id()
    start_agent(settings, node_id, upload_code())
    return link_to(AgentAddress(actor=agent_name(node_id)), settings.namespace)


def process_of(settings: ActorSettings) -> int:
    """The process that the one agent lives in."""
    rows = list_actors(
        address=ray.get_runtime_context().gcs_address,
        filters=[("ray_namespace", "=", settings.namespace), ("state", "=", "ALIVE")],
        detail=True,
    )
    (pid,) = [row.pid for row in rows]
    assert pid is not None
    return pid


async def facts_when(link: AgentLink, holds: Callable[[AgentFacts], bool]) -> AgentFacts:
    """Ask, through every loss of the agent, until the answer holds."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        assert time.monotonic() < deadline, "never held"
        try:
            facts = await link.facts()
        except PeerError:
            await asyncio.sleep(0.1)
            continue
        if holds(facts):
            return facts


async def test_a_cast_goes_through_the_links_of_actors(shared: ActorSettings) -> None:
    link = start(shared)
    root = Path(shared.transfer.roots[0])
    (root / "a.bin").write_bytes(os.urandom(1 << 20))

    here = (link, get_node_ip_address())  # type: ignore[no-untyped-call]
    facts, report = await cast_between(here, here, "a.bin", "b.bin")

    assert report.error is None
    assert report.state == "completed"
    assert (root / "b.bin").read_bytes() == (root / "a.bin").read_bytes()
    assert facts.roots == (str(root),)
    assert shared.transfer.first_port <= facts.port <= shared.transfer.last_port
    assert facts.algorithms == available_algorithms()


async def test_a_file_is_sent_to_an_actor_listed_and_read(shared: ActorSettings) -> None:
    link = start(shared)

    await link.begin_upload(UploadOrder(upload_id="u", path="c.bin", if_exists=IfExists.FAIL))
    await link.append_upload("u", 0, b"abc")
    path = await link.finish_upload("u")

    listing = await link.list_files("")
    assert path == f"{shared.transfer.roots[0]}/c.bin"
    assert [entry.name for entry in listing.entries] == ["c.bin"]
    assert await link.read_file("c.bin", 1, 10) == b"bc"


async def test_errors_arrive_as_what_the_agent_raised(shared: ActorSettings) -> None:
    link = start(shared)

    with pytest.raises(SourceFileError, match="No such file") as caught:
        await link.survey("missing")
    with pytest.raises(UnsafePathError):
        await link.list_files("/etc")

    assert caught.value.subject == f"{shared.transfer.roots[0]}/missing"


async def test_an_agent_that_is_not_there_is_a_lost_peer(settings: ActorSettings) -> None:
    link = link_to(AgentAddress(actor="TransferAgent:nobody"), settings.namespace)

    with pytest.raises(PeerError, match="is gone"):
        await link.facts()


async def test_a_killed_agent_comes_back_as_another_incarnation(shared: ActorSettings) -> None:
    link = start(shared)
    before = await link.facts()

    os.kill(process_of(shared), signal.SIGKILL)

    after = await facts_when(link, lambda facts: facts.incarnation != before.incarnation)
    assert (await link.reports(0, 0)).receivers == ()
    assert after.roots == before.roots


async def test_an_agent_that_was_ended_can_be_started_again(shared: ActorSettings) -> None:
    link = start(shared)
    before = await link.facts()

    removed = remove_actors(shared.namespace)
    with pytest.raises(PeerError):
        await link.facts()
    start(shared)

    assert removed == [agent_name(ray.get_runtime_context().get_node_id())]
    await facts_when(link, lambda facts: facts.incarnation != before.incarnation)


@pytest.mark.timeout(300)
def test_a_file_goes_between_nodes_of_which_one_has_only_ray(
    make_hosts: Callable[[int], list[Host]],
) -> None:
    head, bare = make_hosts(2)
    bare.hide(REPOSITORY)
    cluster = RayCluster(head)
    cluster.start_worker(bare, ray=bare_ray())
    cluster.wait_for_nodes(head, bare, timeout_s=120)
    head.run(["mkdir", "-p", "/tmp/home/castray"])
    head.run(["dd", "if=/dev/urandom", "of=/tmp/home/castray/a.bin", "bs=1M", "count=20"])

    command = ["python", "-m", "tests.actors.agent_driver", cluster.address]
    told = head.run([*command, head.address, bare.address], cwd=str(REPOSITORY), timeout_s=200)

    facts, there, back = (json.loads(line) for line in told.splitlines()[-3:])
    assert facts["algorithms"] == ["blake3", "sha256"], "the compiled package came along"
    assert there["error"] is None
    assert back["path"] == "/tmp/home/castray/back.bin"
    digests = [
        host.run(["sha256sum", f"/tmp/home/castray/{name}"]).split()[0]
        for host, name in ((head, "a.bin"), (bare, "there.bin"), (head, "back.bin"))
    ]
    assert len(set(digests)) == 1
    assert bare.run(["stat", "-c", "%a", "/tmp/home/castray"]).strip() == "700"
