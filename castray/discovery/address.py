"""An address as somebody gave it, and the one checked place on the network that it means.

A name is resolved once, every result is held against the policy, and connections go to what was
checked: a name that means something else a moment later changes nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil
from aiohttp.abc import AbstractResolver, ResolveResult

from castray.core.clusters import DEFAULT_ALLOWED_NETWORKS, refusal
from castray.errors import AddressRefusedError, ClusterUnreachableError, InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Network, IPv6Network
    from urllib.parse import SplitResult

__all__ = [
    "AddressKind",
    "CheckedAddresses",
    "ClusterAddress",
    "Endpoint",
    "fetch_endpoint",
    "host_and_port",
    "is_loopback",
    "is_this_host",
    "own_networks",
    "parse_address",
]

DEFAULT_PORTS = {"http": 80, "https": 443, "ray": 10001, "gcs": 6379, "": 8265}
"""By scheme; without one, a host alone means its dashboard."""

MAX_ADDRESS_LENGTH = 300
HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)
LOOKS_NUMERIC = re.compile(r"(.*\.)?(0x[0-9a-f]*|[0-9]+)\.?", re.IGNORECASE)
"""Such a name is an IPv4 address to some resolvers, whatever it looks like to us."""

RESOLVE_TIMEOUT_S = 3.0


class AddressKind(str, Enum):
    """What an address leads to."""

    DASHBOARD = "dashboard"
    RAY_CLIENT = "ray client"
    GCS = "gcs"
    UNKNOWN = "dashboard or gcs"


KINDS = {"ray": AddressKind.RAY_CLIENT, "gcs": AddressKind.GCS, "": AddressKind.UNKNOWN}
"""What a scheme says, where it is not a URL of HTTP."""


@dataclass(frozen=True)
class ClusterAddress:
    """Where a cluster is said to be; `scheme` and `path` are those of its dashboard."""

    kind: AddressKind
    host: str
    port: int
    scheme: str = "http"
    path: str = ""

    @property
    def dashboard_url(self) -> str:
        """The URL of the dashboard, if this is the address of one."""
        return f"{self.scheme}://{host_and_port(self.host, self.port)}{self.path}"


@dataclass(frozen=True)
class Endpoint:
    """A host and port, and the addresses that the host had when it was checked."""

    host: str
    port: int
    ips: tuple[str, ...]


class CheckedAddresses(AbstractResolver):
    """For an HTTP client of that one host: gives the addresses that it had when it was checked."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses, whatever is asked for."""
        return [
            ResolveResult(
                hostname=host,
                host=ip,
                port=port,
                family=socket.AF_INET6 if ":" in ip else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for ip in self._endpoint.ips
        ]

    async def close(self) -> None:
        """Nothing is open."""


def host_and_port(host: str, port: int) -> str:
    """Both as one text; an IPv6 address gets its brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_address(text: str) -> ClusterAddress:
    """Read `host[:port]`, `http(s)://host[:port][/path]`, `ray://host[:port]` or `gcs://…`.

    Raises:
        InvalidRequestError: It is none of these; the text says what is wrong.
    """
    text = text.strip()
    if not text or len(text) > MAX_ADDRESS_LENGTH or not text.isprintable() or " " in text:
        raise _invalid(text[:MAX_ADDRESS_LENGTH], "it is empty, too long or has spaces in it")
    scheme, parts, port = _split(text)
    host, path = _checked_host(text, parts.hostname or ""), parts.path.rstrip("/")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise _invalid(text, "it has more than a host, a port and a path; give a token by itself")
    if scheme in {"http", "https"}:
        return ClusterAddress(AddressKind.DASHBOARD, host, port, scheme, path)
    if path:
        raise _invalid(text, "it has a path, which only a dashboard's URL can have")
    return ClusterAddress(KINDS[scheme], host, port)


async def fetch_endpoint(
    host: str, port: int, allowed: Sequence[IPv4Network | IPv6Network] = DEFAULT_ALLOWED_NETWORKS
) -> Endpoint:
    """Resolve a host once, and keep of its addresses those that the policy allows.

    Raises:
        ClusterUnreachableError: The name has no address.
        AddressRefusedError: It has, but none that we connect to.
    """
    where = host_and_port(host, port)
    loop = asyncio.get_running_loop()
    try:
        found = await asyncio.wait_for(
            loop.getaddrinfo(host, port, type=socket.SOCK_STREAM), RESOLVE_TIMEOUT_S
        )
    except (OSError, UnicodeError, asyncio.TimeoutError):
        raise ClusterUnreachableError(
            where, "cannot be found: no such host, or no name server answers; check the name."
        ) from None
    ips = dict.fromkeys(str(row[4][0]) for row in found)
    refused = {ip: why for ip in ips if (why := refusal(ipaddress.ip_address(ip), allowed))}
    if len(refused) == len(ips):
        ip, why = next(iter(refused.items()))
        raise AddressRefusedError(where, why if ip == host else f"is {ip}, which {why}")
    return Endpoint(host, port, tuple(ip for ip in ips if ip not in refused))


def is_loopback(host: str) -> bool:
    """Whether that address or name stands for the machine on which it is used."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_this_host(endpoint: Endpoint) -> bool:
    """Whether that is an address of the machine that we run on."""
    ours = _own_addresses()
    return any(is_loopback(ip) or ip in ours for ip in endpoint.ips)


def own_networks() -> tuple[IPv4Network | IPv6Network, ...]:
    """Each address of this machine, as a network: clusters on it may advertise any of them."""
    return tuple(map(ipaddress.ip_network, sorted(_own_addresses())))


def _own_addresses() -> set[str]:
    families = {socket.AF_INET, socket.AF_INET6}
    rows = (row for rows in psutil.net_if_addrs().values() for row in rows)
    return {row.address.partition("%")[0] for row in rows if row.family in families}


def _split(text: str) -> tuple[str, SplitResult, int]:
    """The scheme, or nothing; the parts of the URL; the port, or that of the scheme."""
    before, separator, _ = text.partition("://")
    scheme = before.lower() if separator else ""
    if scheme not in DEFAULT_PORTS:
        raise _invalid(text, f"CastRay does not speak {scheme}")
    try:
        parts = urlsplit(text if separator else f"//{text}")
        port = DEFAULT_PORTS[scheme] if parts.port is None else parts.port
    except ValueError as error:
        raise _invalid(text, str(error)) from None
    if port == 0:
        raise _invalid(text, "no cluster listens on port 0")
    return scheme, parts, port


def _checked_host(text: str, host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        if LOOKS_NUMERIC.fullmatch(host) or not HOST_NAME.fullmatch(host):
            raise _invalid(text, f"{host!r} is neither a host name nor an IP address") from None
        return host


def _invalid(text: str, problem: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"{text!r} is no address of a cluster: {problem}. One reads like 127.0.0.1:8265, "
        "http://host:8265, ray://host:10001, or host:6379 of its GCS."
    )
