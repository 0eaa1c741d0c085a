"""What the value of a setting may look like: each type refuses what could never work."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

__all__ = ["NodePath", "Origin", "Port", "PortRange", "RayAddress", "Seconds", "Token", "WebHost"]

HOST_NAME = re.compile(r"(?!-)[a-zA-Z0-9-]{1,63}(\.(?!-)[a-zA-Z0-9-]{1,63})*\.?")
TOKEN = re.compile(r"[\x21-\x7e]+")


def _check_host(host: str) -> str:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # Digits and dots alone are an address that is wrong, not a name.
        if not HOST_NAME.fullmatch(host) or re.fullmatch(r"[0-9.]+", host):
            raise ValueError("should be an IP address or a host name") from None
    return host


def _check_web_host(host: str) -> str:
    # Ray Serve never becomes ready on an IPv6 address.
    if ":" in host:
        raise ValueError("should be an IPv4 address or a host name")
    return _check_host(host)


def _check_ray_address(address: str) -> str:
    parts = urlsplit(address if "://" in address else f"gcs://{address}")
    if address in {"auto", "local"}:
        return address
    if parts.scheme not in {"gcs", "ray"} or not parts.hostname or not _port_of(parts.netloc):
        raise ValueError("should be auto, local, HOST:PORT of the GCS, or ray://HOST:PORT")
    _check_host(parts.hostname)
    return address


def _check_origin(origin: str) -> str:
    parts = urlsplit(origin)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or origin != f"{parts.scheme}://{parts.netloc}"
        or "@" in parts.netloc
        or (":" in parts.netloc.rpartition("]")[2] and not _port_of(parts.netloc))
    ):
        raise ValueError("should be an origin like https://example.org:8443, with no path")
    return origin


def _check_ordered(ports: tuple[int, int]) -> tuple[int, int]:
    if ports[0] > ports[1]:
        raise ValueError("should be two ports, the lower one first")
    return ports


def _check_node_path(path: str) -> str:
    # It is used on a node of the cluster, and `~` is expanded there.
    if not path.startswith(("/", "~/")) or "\0" in path or ".." in path.split("/"):
        raise ValueError("should be an absolute path or one that starts with ~/, without ..")
    return path


def _check_token(token: SecretStr) -> SecretStr:
    if not TOKEN.fullmatch(token.get_secret_value()):
        raise ValueError("should be visible ASCII characters without spaces")
    return token


def _port_of(netloc: str) -> int | None:
    port = netloc.rpartition(":")[2]
    return int(port) if port.isdecimal() and 0 < int(port) < 65536 else None


Port = Annotated[int, Field(ge=1, le=65535)]
PortRange = Annotated[tuple[Port, Port], AfterValidator(_check_ordered)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
RayAddress = Annotated[str, AfterValidator(_check_ray_address)]
Origin = Annotated[str, AfterValidator(_check_origin)]
WebHost = Annotated[str, AfterValidator(_check_web_host)]
NodePath = Annotated[str, AfterValidator(_check_node_path)]
Token = Annotated[SecretStr, AfterValidator(_check_token)]
