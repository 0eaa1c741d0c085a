"""The hosts themselves: what they have of their own, and what can be done to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.hosts import REPOSITORY, CommandFailedError, create_hosts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.hosts import Host, HostProcess

    MakeHosts = Callable[[int], list[Host]]

SERVER_PORT = 8000


def start_server(host: Host, bind: str) -> HostProcess:
    server = host.start(["python", "-m", "http.server", str(SERVER_PORT), "--bind", bind])
    server.wait_for_output("Serving HTTP")
    return server


def connect(host: Host, address: str) -> None:
    with host.new_socket() as client:
        client.settimeout(1)
        client.connect((address, SERVER_PORT))


async def test_each_host_has_its_own_localhost(make_hosts: MakeHosts) -> None:
    first, second = make_hosts(2)
    start_server(first, "127.0.0.1")

    async with first.http() as client, client.get(f"http://127.0.0.1:{SERVER_PORT}") as answer:
        assert answer.status == 200
    async with second.http() as client:
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.get(f"http://127.0.0.1:{SERVER_PORT}")


def test_each_host_sees_only_its_own_processes_and_temporary_files(make_hosts: MakeHosts) -> None:
    first, second = make_hosts(2)
    server = start_server(first, "127.0.0.1")
    first.run(["touch", "/tmp/mine"])

    assert "http.server" in first.run(["ps", "ax"])
    assert "http.server" not in second.run(["ps", "ax"])
    assert len(first.pids("http.server")) == 1
    assert second.pids() == []
    assert "mine" not in second.run(["ls", "/tmp"])
    assert server.is_running


def test_hosts_know_each_other_by_name(make_hosts: MakeHosts) -> None:
    first, second = make_hosts(2)

    assert first.run(["hostname"]).strip() == "h1"
    assert second.address in first.run(["getent", "hosts", "h2"])


def test_a_cut_host_cannot_be_reached_until_it_is_healed(make_hosts: MakeHosts) -> None:
    first, second = make_hosts(2)
    start_server(second, second.address)
    connect(first, second.address)

    second.cut()
    with pytest.raises(OSError, match=r"timed out|unreachable|No route"):
        connect(first, second.address)

    second.heal()
    connect(first, second.address)


def test_killing_takes_what_matches_and_refuses_to_kill_nothing(make_hosts: MakeHosts) -> None:
    (host,) = make_hosts(1)
    server = start_server(host, "127.0.0.1")

    host.kill("http.server")

    assert server.wait() != 0
    with pytest.raises(ProcessLookupError, match="h1"):
        host.kill("http.server")


def test_a_hidden_directory_is_empty_on_that_host_only(make_hosts: MakeHosts) -> None:
    first, second = make_hosts(2)

    first.hide(REPOSITORY)

    assert first.run(["ls", str(REPOSITORY)]) == ""
    assert "castray" in second.run(["ls", str(REPOSITORY)])


def test_a_failed_command_tells_what_it_wrote(make_hosts: MakeHosts) -> None:
    (host,) = make_hosts(1)

    with pytest.raises(CommandFailedError, match="no such place") as failure:
        host.run(["sh", "-c", "echo no such place; exit 3"])

    assert failure.value.code == 3


def test_everything_on_a_host_ends_with_it(can_make_hosts: None, tmp_path: Path) -> None:
    with create_hosts(1, tmp_path) as (host,):
        server = start_server(host, "127.0.0.1")

    server.wait()
    assert host.pids() == []
