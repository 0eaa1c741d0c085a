from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest

from castray.discovery.address import (
    AddressKind,
    Endpoint,
    fetch_endpoint,
    host_and_port,
    is_loopback,
    is_this_host,
    parse_address,
)
from castray.errors import AddressRefusedError, ClusterUnreachableError, InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("text", "kind", "host", "port"),
    [
        ("127.0.0.1:8265", AddressKind.UNKNOWN, "127.0.0.1", 8265),
        ("  127.0.0.1:8265 ", AddressKind.UNKNOWN, "127.0.0.1", 8265),
        ("ray-head", AddressKind.UNKNOWN, "ray-head", 8265),
        ("[::1]:6379", AddressKind.UNKNOWN, "::1", 6379),
        ("ray://10.0.0.1:10001", AddressKind.RAY_CLIENT, "10.0.0.1", 10001),
        ("ray://head.lan", AddressKind.RAY_CLIENT, "head.lan", 10001),
        ("gcs://10.0.0.1:6379", AddressKind.GCS, "10.0.0.1", 6379),
        ("http://10.0.0.1:8265/", AddressKind.DASHBOARD, "10.0.0.1", 8265),
        ("HTTPS://ray.example", AddressKind.DASHBOARD, "ray.example", 443),
        ("http://[fd00::1]:8265", AddressKind.DASHBOARD, "fd00::1", 8265),
    ],
)
def test_every_way_to_write_an_address_is_understood(
    text: str, kind: AddressKind, host: str, port: int
) -> None:
    address = parse_address(text)

    assert (address.kind, address.host, address.port) == (kind, host, port)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("127.0.0.1:8265", "http://127.0.0.1:8265"),
        ("[::1]:8265", "http://[::1]:8265"),
        ("https://ray.example/one/", "https://ray.example:443/one"),
    ],
)
def test_the_url_of_a_dashboard_has_no_slash_at_its_end(text: str, url: str) -> None:
    assert parse_address(text).dashboard_url == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "a b:1",
        "host\n:1",
        "x" * 301,
        "ftp://host:21",
        "file:///etc/passwd",
        "http://",
        "http://user:password@host:8265",
        "http://host:8265/?next=1",
        "http://host:8265/#x",
        "host:8265/path",
        "ray://host:10001/path",
        "host:0",
        "host:65536",
        "host:port",
        "[::1:8265",
        "2130706433:8265",
        "127.1:8265",
        "0x7f000001:8265",
        "0x7f.1:8265",
        "1.2.3.4.5:8265",
        "-host:8265",
        "ho$t:8265",
        "host..lan:8265",
    ],
)
def test_what_is_no_address_is_refused_with_examples_of_some(text: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"One reads like 127\.0\.0\.1:8265"):
        parse_address(text)


def test_a_host_and_a_port_become_one_text() -> None:
    assert host_and_port("10.0.0.1", 80) == "10.0.0.1:80"
    assert host_and_port("fd00::1", 80) == "[fd00::1]:80"


async def test_an_allowed_address_is_its_own_endpoint() -> None:
    assert await fetch_endpoint("127.0.0.1", 1) == Endpoint("127.0.0.1", 1, ("127.0.0.1",))


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "8.8.8.8", "224.0.0.1"])
async def test_an_address_outside_the_policy_is_refused(host: str) -> None:
    with pytest.raises(AddressRefusedError) as caught:
        await fetch_endpoint(host, 80)

    assert caught.value.address == f"{host}:80"


async def test_a_name_keeps_only_those_of_its_addresses_that_are_allowed(
    resolves_to: Callable[..., None],
) -> None:
    resolves_to("169.254.169.254", "10.0.0.7", "8.8.8.8", "fd00::7")

    endpoint = await fetch_endpoint("head.example", 8265)

    assert endpoint.ips == ("10.0.0.7", "fd00::7")


async def test_a_name_that_leads_outside_the_policy_only_is_refused_and_says_where(
    resolves_to: Callable[..., None],
) -> None:
    resolves_to("169.254.169.254")

    with pytest.raises(AddressRefusedError, match=r"is 169\.254\.169\.254, which"):
        await fetch_endpoint("metadata.example", 80)


async def test_the_policy_is_what_it_is_told(resolves_to: Callable[..., None]) -> None:
    resolves_to("203.0.113.9")

    endpoint = await fetch_endpoint("head.example", 1, [ip_network("203.0.113.0/24")])

    assert endpoint.ips == ("203.0.113.9",)


async def test_a_name_without_an_address_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object, **__: object) -> object:
        raise socket.gaierror

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", fails)

    with pytest.raises(ClusterUnreachableError, match="no such host"):
        await fetch_endpoint("nowhere.example", 80)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_is_known_by_address_and_name(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "localhost.example", "::2"])
def test_other_hosts_are_no_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_this_host_knows_itself() -> None:
    assert is_this_host(Endpoint("localhost", 1, ("127.0.0.1",)))
    assert not is_this_host(Endpoint("other", 1, ("192.0.2.1",)))


@pytest.fixture
def resolves_to(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes every name resolve to these addresses: there is no name server in a test."""

    def set_up(*ips: str) -> None:
        async def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
            return [(0, 0, 0, "", (ip, port)) for ip in ips]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)

    return set_up
