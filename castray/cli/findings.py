"""What `castray doctor` makes of what it saw: each finding, and what to do. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from castray.models import NodeState, WorkStatus

if TYPE_CHECKING:
    from pathlib import Path

    from castray.cli.probes import ClusterVersions, PortUser
    from castray.models import Node

__all__ = [
    "Finding",
    "check_cluster",
    "check_haproxy",
    "check_node",
    "check_page",
    "check_port",
    "check_python",
    "check_ray",
    "check_token_file",
]

RAY_SERIES = "2.60."
RAY_REQUIREMENT = "ray[default,serve]>=2.60,<2.61"
FIRST_PYTHON, LAST_PYTHON = (3, 10), (3, 13)

Level = Literal["ok", "warn", "fail"]


class Finding(NamedTuple):
    """One thing that was looked at."""

    level: Level
    subject: str
    detail: str
    """What was seen and, unless it is well, what to do."""


def check_python(version: tuple[int, int, int]) -> Finding:
    """Whether CastRay runs on this Python."""
    text = ".".join(map(str, version))
    if FIRST_PYTHON <= version[:2] <= LAST_PYTHON:
        return Finding("ok", "Python", text)
    return Finding("fail", "Python", f"{text}: install CastRay on Python 3.10 to 3.13.")


def check_ray(version: str | None) -> Finding:
    """Whether the installed Ray is one that CastRay was made for."""
    if version is None:
        return Finding("fail", "Ray", f"Not installed: pip install '{RAY_REQUIREMENT}'.")
    if not version.startswith(RAY_SERIES):
        return Finding("fail", "Ray", f"{version}: pip install '{RAY_REQUIREMENT}'.")
    return Finding("ok", "Ray", version)


def check_cluster(address: str, versions: ClusterVersions | None, own: ClusterVersions) -> Finding:
    """Whether the cluster can be worked with from here.

    Args:
        address: Of its GCS.
        versions: What it runs; None where it does not say.
        own: What this process runs.
    """
    if versions is None:
        return Finding(
            "fail",
            "Ray cluster",
            f"{address} does not answer: check the address and `ray status --address {address}`; "
            "a cluster with token authentication wants RAY_AUTH_MODE=token.",
        )
    seen = f"{address}: Ray {versions.ray}, Python {versions.python}"
    if versions != own:
        return Finding(
            "fail",
            "Ray cluster",
            f"{seen}; here are Ray {own.ray} and Python {own.python}: install the same versions.",
        )
    return Finding("ok", "Ray cluster", seen)


def check_port(port: int, user: PortUser | None) -> Finding:
    """Whether CastRay has the port that it should have."""
    subject = f"Port {port}"
    if user is None:
        return Finding("warn", subject, "Free: CastRay is not up here; start it: `castray up`.")
    if user.is_castray:
        return Finding("ok", subject, f"{user}")
    if user.is_monitor:
        return Finding(
            "fail",
            subject,
            f"{user}: start CastRay with another --port, or the monitor, and label the node "
            "castray.io/monitor-port.",
        )
    return Finding("fail", subject, f"{user}: end it, or start CastRay with another --port.")


def check_haproxy(user: PortUser) -> Finding:
    """Whether CastRay is reached through HAProxy."""
    if user.process == "haproxy":
        return Finding("ok", "HAProxy", "on")
    if user.process is None:
        return Finding("warn", "HAProxy", "Cannot be seen by this user: run doctor as Ray's user.")
    return Finding(
        "warn",
        "HAProxy",
        "Off, so Ray Serve's own proxy is used, which is several times slower: set "
        "RAY_SERVE_ENABLE_HA_PROXY=1 and RAY_SERVE_THROUGHPUT_OPTIMIZED=1 before `ray start`.",
    )


def check_page(index: Path) -> Finding:
    """Whether the page was built."""
    if index.is_file():
        return Finding("ok", "Page", "built")
    return Finding("warn", "Page", "Not built, so /ui is empty: `make page` builds it, with npm.")


def check_token_file(path: Path, mode: int | None) -> Finding:
    """Whether only its owner can read the token.

    Args:
        path: Where it is.
        mode: Its permissions; None where there is no such file.
    """
    if mode is None:
        return Finding("ok", "Token file", f"{path} is not there: it is made when it is needed.")
    if mode & 0o077:
        return Finding("fail", "Token file", f"{path} is open to others: chmod 600 {path}.")
    return Finding("ok", "Token file", f"{path}, mode 600")


def check_node(node: Node) -> Finding:
    """Whether a node says what it is doing."""
    subject = f"Node {node.name}"
    reason = node.state_reason or node.work.reason or node.monitor.error
    detail = reason.detail if reason else "Nobody says why."
    if node.state is NodeState.STALE:
        return Finding("fail", subject, detail)
    if node.state is NodeState.DEAD or node.work.status is WorkStatus.UNKNOWN:
        return Finding("warn", subject, detail)
    return Finding("ok", subject, f"{node.work.status.value}, monitor on port {node.monitor.port}")
