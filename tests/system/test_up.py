"""`castray up` and `castray down` on real hosts: what they start, use, leave and end."""

from __future__ import annotations

import re
import shlex
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.hosts import RAYLET, CommandFailedError, RayCluster
from tests.system.cast_site import until
from tests.system.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hosts import Host, HostProcess

    MakeHosts = Callable[[int], list[Host]]

pytestmark = pytest.mark.timeout(400)

CASTRAY = ["python", "-c", "from castray.cli import main; main()"]

START_S = 200.0

REPORTER = """
import time
from castray import StatusReporter
StatusReporter().sending("sample 7")
time.sleep(600)
"""


@pytest.fixture
def host(make_hosts: MakeHosts) -> Host:
    """A host on which nothing runs."""
    return make_hosts(1)[0]


def start_up(host: Host, *arguments: str) -> HostProcess:
    """`castray up`, once it is up."""
    process = host.start([*CASTRAY, "up", *arguments])
    process.wait_for_output("Ctrl-C ends it", START_S)
    return process


def castray(host: Host, *arguments: str) -> str:
    """What a command that ends by itself says."""
    return host.run([*CASTRAY, *arguments], timeout_s=START_S)


def refusal(host: Host, *arguments: str) -> str:
    """What a command says that fails."""
    with pytest.raises(CommandFailedError) as caught:
        castray(host, *arguments)
    assert caught.value.code == 1
    return caught.value.output


def living(host: Host) -> list[int]:
    """What runs on that host: a process without a command line has ended already."""
    return host.pids(".")


def files_of(host: Host) -> list[str]:
    """The names of the files that it has of its own."""
    return host.run(["find", "/tmp", "-xdev", "-type", "f", "-printf", "%f\\n"]).splitlines()


def castray_actors(host: Host) -> list[int]:
    """CastRay's own processes in Ray on that host."""
    return host.pids("^ray::(ClusterRegistry|ClusterConnector|StatusPoller|ServeReplica:castray)")


async def test_on_an_empty_machine_it_starts_ray_and_leaves_nothing_behind(host: Host) -> None:
    command = shlex.join([sys.executable, "-c", REPORTER])

    up = start_up(host, "--run", command)
    async with host.http() as http:
        client = Client(http)
        [name] = await client.fetch_nodes()
        node = await client.wait_for_status(name, "sending", 90)
        async with http.get(f"{client.url}/ui/") as page:
            page_status = page.status
    doctor = castray(host, "doctor")
    code = up.stop(signal.SIGINT)

    assert node["work"]["current_task"] == "sample 7"
    assert node["monitor"]["kind"] == "embedded"
    assert node["labels"]["castray.io/monitor-port"] == "8001"
    assert page_status == 200
    assert " fail " not in doctor
    assert re.search(r"HAProxy +on", doctor)
    assert "report to http://127.0.0.1:8001" in up.output()
    assert code == 0
    assert living(host) == []
    assert not {"up.json", "ray_current_cluster"} & set(files_of(host))


def test_detached_it_goes_on_until_down_and_is_not_started_twice(host: Host) -> None:
    started = castray(host, "up", "--detach")

    status = castray(host, "status")
    second = refusal(host, "up")
    ended, again = castray(host, "down"), castray(host, "down")

    assert "`castray down` ends it" in started
    assert host.name in status
    assert "up already" in second
    assert "its own Ray" in ended
    assert again == "There was nothing to end.\n"
    assert living(host) == []


async def test_a_ray_that_runs_is_used_and_goes_on(host: Host) -> None:
    RayCluster(host, labels={"castray.io/name": "M1"})
    raylets = host.pids(RAYLET)

    up = start_up(host)
    status = castray(host, "status")
    actors = castray_actors(host)
    code = up.stop(signal.SIGTERM)

    assert "M1" in status
    assert actors
    assert "CastRay has port 8000" in up.output()
    assert code == 0
    await until(lambda: castray_actors(host) == [])
    await until(lambda: host.pids("^ray::(ServeController|ProxyActor)") == [])
    assert host.pids(RAYLET) == raylets
    # Its port is free again for another try.
    castray(host, "up", "--detach")
    assert castray_actors(host)
    assert "goes on" in castray(host, "down")
    await until(lambda: castray_actors(host) == [])
    assert host.pids(RAYLET) == raylets


def test_what_a_killed_up_left_is_ended_by_down(host: Host) -> None:
    start_up(host)

    host.kill(r"main\(\) up")
    left = host.pids(RAYLET)
    ended = castray(host, "down")

    assert left
    assert "its own Ray" in ended
    assert living(host) == []


def test_a_ray_that_ends_by_itself_ends_it_with_the_reason(host: Host) -> None:
    up = start_up(host)

    host.kill("gcs_server")

    assert up.wait(60) == 1
    assert "Error: Ray ended by itself" in up.output()
    assert living(host) == []


async def test_beyond_loopback_it_makes_a_token_and_shows_it_once(make_hosts: MakeHosts) -> None:
    host, other = make_hosts(2)

    up = start_up(host, "--host", "0.0.0.0")
    match = re.search(r"Page +http://([\d.]+):8000/ui/#token=(\S+)", up.output())
    assert match is not None
    async with other.http() as http:
        url = f"http://{host.address}:8000/api/nodes"
        async with http.get(url) as answer:
            without = answer.status
        async with http.get(url, headers={"Authorization": f"Bearer {match[2]}"}) as answer:
            with_token = answer.status
    status = castray(host, "status")
    up.stop(signal.SIGINT)

    assert match[1] == host.address
    assert (without, with_token) == (401, 200)
    assert host.name in status


def test_a_taken_port_is_told_with_who_has_it(host: Host) -> None:
    host.start(["python", "-m", "http.server", "8000"]).wait_for_output("Serving HTTP")

    told = refusal(host, "up")

    assert re.search(r"Error: Port 8000 is taken by python\S* \(pid \d+\): end it", told)
    assert host.pids("raylet") == []
