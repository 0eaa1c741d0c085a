from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from castray.discovery.process_scan import LocalCluster, ProcessScan, parse_processes
from castray.discovery.source import Candidate

if TYPE_CHECKING:
    from collections.abc import Iterator

SESSION = "session_2026-11-22_13-08-47_229157_10"
RAY = "/opt/ray/lib/python3.11/site-packages/ray"
WORKER_COMMAND = (
    f"/opt/ray/bin/python3 {RAY}/_private/workers/setup_worker.py "
    f"{RAY}/_private/workers/default_worker.py --node-ip-address=10.0.0.1 --redis-address=None "
    "--runtime-env-agent-port=21002 --gcs-address=10.0.0.1:6379 "
    f"--session-name={SESSION} --temp-dir=/data/ray --webui=10.0.0.1:8265 "
    "--cluster-id=489e676584071e3b443f11bd9cc7f12ed RAY_WORKER_DYNAMIC_OPTION_PLACEHOLDER"
)
RAYLET = (
    f"{RAY}/core/src/ray/raylet/raylet",
    f"--raylet_socket_name=/data/ray/{SESSION}/sockets/raylet",
    "--node_ip_address=10.0.0.1",
    "--static_resource_list=M1,1,node:10.0.0.1,1.0,CPU,1",
    f"--python_worker_command={WORKER_COMMAND}",
    "--cpp_worker_command=",
    "--temp_dir=/data/ray",
    f"--session_dir=/data/ray/{SESSION}",
    "--gcs-address=10.0.0.1:6379",
    f"--session-name={SESSION}",
    '--labels={"castray.io/zone": "z1"}',
    "--head",
)
GCS = (
    f"{RAY}/core/src/ray/gcs/gcs_server",
    f"--log_dir=/data/ray/{SESSION}/logs",
    "--gcs_server_port=6379",
    "--node-ip-address=10.0.0.1",
    f"--session-name={SESSION}",
)
DASHBOARD = (
    "/opt/ray/bin/python3",
    f"{RAY}/dashboard/dashboard.py",
    "--host=10.0.0.1",
    "--port=8265",
    "--port-retries=0",
    "--temp-dir=/data/ray",
    f"--session-dir=/data/ray/{SESSION}",
    "--gcs-address=10.0.0.1:6379",
    "--node-ip-address=10.0.0.1",
)
CLIENT_SERVER = (
    "/opt/ray/bin/python3",
    "-m",
    "ray.util.client.server",
    "--address=10.0.0.1:6379",
    "--host=10.0.0.1",
    "--port=10001",
    "--mode=proxy",
)
"""Command lines as Ray 2.60.0 has them, shortened; 2.52.1 has the same flags."""

CLUSTER = LocalCluster(
    session_name=SESSION,
    gcs_address="10.0.0.1:6379",
    dashboard_url="http://10.0.0.1:8265",
    temp_dir="/data/ray",
)


def changed(command_line: tuple[str, ...], flag: str, value: str) -> tuple[str, ...]:
    """The command line with another value of that flag."""
    return tuple(
        f"{flag}={value}" if part.startswith(f"{flag}=") else part for part in command_line
    )


def test_a_raylet_tells_all_of_its_cluster() -> None:
    assert parse_processes([RAYLET]) == (CLUSTER,)


def test_a_dashboard_tells_all_of_its_cluster() -> None:
    assert parse_processes([DASHBOARD]) == (CLUSTER,)


def test_a_gcs_alone_tells_where_it_is() -> None:
    assert parse_processes([GCS]) == (LocalCluster(SESSION, gcs_address="10.0.0.1:6379"),)


def test_the_processes_of_one_cluster_are_one_cluster() -> None:
    (cluster,) = parse_processes([GCS, CLIENT_SERVER, DASHBOARD, RAYLET, RAYLET])

    assert cluster.client_port == 10001
    assert cluster.dashboard_url == "http://10.0.0.1:8265"
    assert cluster.temp_dir == "/data/ray"


def test_two_clusters_stay_two() -> None:
    other = changed(changed(GCS, "--gcs_server_port", "6380"), "--session-name", "session_2")

    clusters = parse_processes([RAYLET, other])

    assert [cluster.gcs_address for cluster in clusters] == ["10.0.0.1:6379", "10.0.0.1:6380"]


def test_a_cluster_without_a_dashboard_has_none() -> None:
    raylet = tuple(part.replace("--webui=10.0.0.1:8265", "--webui=None") for part in RAYLET)

    (cluster,) = parse_processes([raylet])

    assert cluster.dashboard_url is None
    assert cluster.gcs_address == "10.0.0.1:6379"


def test_a_dashboard_on_all_interfaces_is_at_its_nodes_address() -> None:
    (cluster,) = parse_processes([changed(DASHBOARD, "--host", "0.0.0.0")])

    assert cluster.dashboard_url == "http://10.0.0.1:8265"


def test_a_dashboard_that_may_have_taken_another_port_does_not_tell_its_own() -> None:
    (cluster,) = parse_processes([changed(DASHBOARD, "--port-retries", "50")])

    assert cluster.dashboard_url is None


def test_a_gcs_whose_port_the_system_chose_does_not_tell_it() -> None:
    (cluster,) = parse_processes([changed(GCS, "--gcs_server_port", "0")])

    assert cluster.gcs_address is None


@pytest.mark.parametrize(
    "command_line",
    [
        (),
        ("bash",),
        ("ray::DashboardAgent", "", ""),
        ("vim", "raylet.py", f"--session-name={SESSION}"),
        ("/opt/raylet-exporter", f"--session-name={SESSION}"),
        ("raylet",),
        ("raylet", "--session-name="),
        ("python3", "-m", "ray.util.client.server", "--port=many"),
        ("python3", "dashboard.py", f"--session-dir=/tmp/ray/{SESSION}"),
    ],
)
def test_processes_of_anything_else_are_ignored(command_line: tuple[str, ...]) -> None:
    assert parse_processes([command_line]) == ()


@pytest.fixture
def raylet() -> Iterator[str]:
    """The session name of a process that looks like a raylet."""
    session = "session_of_test_process_scan"
    flags = [f"--session-name={session}", "--gcs-address=10.255.0.1:6379"]
    with subprocess.Popen(
        ["raylet", "-c", "print(flush=True); input()", *flags],
        executable=sys.executable,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield session
        process.kill()


async def test_a_running_raylet_is_found_and_vouches_for_its_cluster(raylet: str) -> None:
    sightings = await ProcessScan().fetch()

    expected = Candidate(ray_address="gcs://10.255.0.1:6379", session_name=raylet, is_running=True)
    assert expected in sightings.candidates


async def test_processes_that_hide_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hidden:
        def cmdline(self) -> list[str]:
            raise psutil.AccessDenied(1)

    class Ended:
        def cmdline(self) -> list[str]:
            raise psutil.NoSuchProcess(2)

    monkeypatch.setattr(psutil, "process_iter", lambda: [Hidden(), Ended(), Hidden()])

    sightings = await ProcessScan().fetch()

    assert sightings.candidates == ()
    assert sightings.notes == ("Processes that hide their command lines: 2.",)
