"""CastRay put on a cluster that runs, from another machine, as the README says it."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.hosts import REPOSITORY, RayCluster, create_hosts
from tests.system.client import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from playwright.async_api import Page

    from tests.hosts import Host

pytestmark = pytest.mark.timeout(300)

UI = "http://127.0.0.1:8000/ui"

READ_SNAPSHOT = """
import json, ray
from castray.models import Snapshot
ray.init(address="auto", log_to_driver=False)
registry = ray.get_actor("ClusterRegistry", namespace="castray")
snapshot = ray.get(registry.snapshot.remote())
assert isinstance(snapshot, Snapshot)
print("ANSWER", json.dumps([[node.name, node.work.status.value] for node in snapshot.nodes]))
"""


@pytest.fixture(scope="module")
def submitted(can_make_hosts: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The head of a cluster that CastRay was submitted to as a job, which has ended."""
    with create_hosts(2, tmp_path_factory.mktemp("submitted")) as (head, other):
        RayCluster(head, dashboard_host="0.0.0.0").wait_for_nodes(head)
        readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
        command = re.search(r"^ray job submit .*$", readme, re.MULTILINE)
        assert command is not None
        words = shlex.split(command[0].replace("HEAD", head.address))
        said = other.run(words, timeout_s=180)
        assert "succeeded" in said
        yield head


@pytest.fixture
async def castray(submitted: Host) -> AsyncIterator[Client]:
    """A client on the head."""
    async with submitted.http() as http:
        yield Client(http)


@pytest.fixture
def browser_host(submitted: Host) -> Host:
    return submitted


async def test_a_job_that_has_ended_leaves_castray_serving(castray: Client) -> None:
    health = await castray.fetch("/api/health")
    head = await castray.wait_for_node("h1", lambda node: node["load"] is not None, 30)

    assert health["service"] == "castray"
    assert head["is_head"] is True
    assert head["state"] == "alive"


async def test_castrays_own_api_is_never_taken_for_the_heads_monitor(castray: Client) -> None:
    head = await castray.wait_for_node(
        "h1", lambda node: node["monitor"]["reachable"] is not None, 30
    )
    classic = (await castray.fetch_dashboard_nodes())["h1"]

    assert head["work"]["status"] == "unknown"
    assert head["work"]["reason"]["code"] == "port_is_castray"
    assert "castray.io/monitor-port" in head["work"]["reason"]["detail"]
    assert classic["workStatus"] == "idle"
    assert classic["workStatusConfirmed"] is False
    assert "8000" in classic["monitor"]["error"]


async def test_what_nobody_measured_is_null_in_every_answer(castray: Client) -> None:
    head = await castray.wait_for_node("h1", lambda node: node["load"] is not None, 30)
    dashboard = (await castray.fetch("/api/ray-dashboard"))["data"]
    (classic,) = dashboard["nodes"]
    status = await castray.fetch("/api/status")

    assert head["work"] == {
        "status": "unknown",
        "since": None,
        "current_task": None,
        "stats": None,
        "reason": head["work"]["reason"],
    }
    assert head["monitor"]["last_seen"] is None
    assert classic["workStatusTimestamp"] is None
    assert (classic["gpu"] is None) == (head["load"]["gpus"] == [])
    assert 0 < classic["memory"] <= 100
    assert dashboard["summary"]["resources"]["cpu"]["total"] == 1
    assert status["total_nodes"] == 1


async def test_what_nobody_measured_is_no_number_on_the_page(castray: Client, page: Page) -> None:
    head = await castray.wait_for_node("h1", lambda node: node["load"] is not None, 30)

    await page.goto(UI)
    card = page.locator("[data-testid=node-card][data-node-name=h1][data-work-status=unknown]")
    await card.wait_for()

    assert await card.locator("[data-lit=true]").count() == 0
    assert "8000" in await card.get_by_test_id("reason").inner_text()
    rings = card.get_by_role("img", name=re.compile("GPU"))
    measured = [await ring.get_attribute("data-measured") for ring in await rings.all()]
    assert measured in ([], ["true" if head["load"]["gpus"] else "false"])


def test_the_registry_answers_a_typed_snapshot_to_any_driver(submitted: Host) -> None:
    said = submitted.run(["python", "-c", READ_SNAPSHOT])

    answer = re.search("^ANSWER (.*)$", said, re.MULTILINE)
    assert answer is not None
    assert json.loads(answer[1]) == [["h1", "unknown"]]
