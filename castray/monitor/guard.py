"""Who may report to a monitor: programs on its own machine, and no web page.

A monitor's reports light a lamp that people trust. Anyone on the network could send one, and so
could a page in a browser on the monitor's own machine; both are refused.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from castray.monitor.problems import Problem

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["is_same_machine", "refuse_strangers", "refuse_web_pages"]


def refuse_strangers(request: web.Request) -> None:
    """Let only this machine report.

    Raises:
        Problem: The caller is on another machine.
    """
    if request.transport is None:
        raise Problem(403, "The connection is gone.")
    peer = request.transport.get_extra_info("peername")[0]
    if not is_same_machine(peer, request.transport.get_extra_info("sockname")[0]):
        raise Problem(
            403,
            f"Reports are taken from this machine only, not from {peer}: report to a monitor on "
            "the script's own machine, or start this one with --allow-remote-updates.",
        )


def refuse_web_pages(request: web.Request) -> None:
    """Refuse what a foreign page can make a browser send.

    A page says where it comes from, even one whose name was made to point here; and it needs a
    permission to send JSON, which is never given.

    Raises:
        Problem: It comes from a foreign page, or is not declared as JSON.
    """
    origin = request.headers.get("Origin")
    if origin is not None and not _is_loopback_origin(origin):
        raise Problem(403, f"Reports from web pages of {origin[:100]} are refused.")
    if request.content_type != "application/json":
        raise Problem(415, "Send JSON, with the header Content-Type: application/json.")


def is_same_machine(peer: str, own: str) -> bool:
    """Whether a connection comes from the machine that it goes to, by its two addresses."""
    peer, own = _bare(peer), _bare(own)
    return peer == own or ip_address(peer).is_loopback


def _bare(address: str) -> str:
    # The scope of a link-local address is a matter of one end; a socket for both families writes
    # IPv4 addresses as IPv6 ones.
    bare = ip_address(address.partition("%")[0])
    mapped = bare.ipv4_mapped if isinstance(bare, IPv6Address) else None
    return str(mapped or bare)


def _is_loopback_origin(origin: str) -> bool:
    try:
        host = urlsplit(origin).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
