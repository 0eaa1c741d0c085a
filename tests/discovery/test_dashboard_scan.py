from __future__ import annotations

import socket
from ipaddress import ip_network

from castray.discovery.address import Endpoint
from castray.discovery.dashboard_scan import DashboardScan, fetch_open_ports
from castray.discovery.source import Candidate

HERE = Endpoint("127.0.0.1", 0, ("127.0.0.1",))


def listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def closed_port() -> int:
    """A port on which nobody listens: it is taken and given back."""
    with listener() as server:
        port: int = server.getsockname()[1]
    return port


async def test_what_listens_on_a_port_is_a_candidate() -> None:
    with listener() as first, listener() as second:
        ports = [first.getsockname()[1], closed_port(), second.getsockname()[1]]

        sightings = await DashboardScan(ports).fetch()

    assert sightings.candidates == tuple(
        Candidate(dashboard_url=f"http://127.0.0.1:{port}") for port in (ports[0], ports[2])
    )


async def test_every_host_is_tried() -> None:
    with listener() as server:
        port = server.getsockname()[1]

        sightings = await DashboardScan([port], ["127.0.0.1", "localhost"]).fetch()

    urls = [candidate.dashboard_url for candidate in sightings.candidates]
    assert urls == [f"http://127.0.0.1:{port}", f"http://localhost:{port}"]


async def test_a_host_that_is_not_allowed_is_told_and_hinders_no_other() -> None:
    with listener() as server:
        port = server.getsockname()[1]
        scan = DashboardScan([port], ["10.0.0.1", "127.0.0.1"], [ip_network("127.0.0.0/8")])

        sightings = await scan.fetch()

    assert len(sightings.candidates) == 1
    (note,) = sightings.notes
    assert note.startswith(f"10.0.0.1:{port} is in none of external_cluster.allowed_networks")


async def test_more_ports_than_are_tried_at_once_are_all_tried() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=200) as server:
        port = server.getsockname()[1]

        found = await fetch_open_ports(HERE, [closed_port(), *[port] * 200])

    assert found == [port] * 200


async def test_a_port_is_open_if_any_address_of_its_host_accepts() -> None:
    with listener() as server:
        port = server.getsockname()[1]
        endpoint = Endpoint("two-addresses", 0, ("127.0.0.9", "127.0.0.1"))

        found = await fetch_open_ports(endpoint, [port])

    assert found == [port]
