"""`castray doctor`: looks at everything that CastRay needs, and says what to do."""

from __future__ import annotations

import asyncio
import json
import platform
import sys
from importlib import metadata
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from castray.api.page import PAGE_DIRECTORY
from castray.api.token_file import DEFAULT_TOKEN_FILE
from castray.cli.client import fetch_nodes, find_target
from castray.cli.cluster import choose_address, find_addresses
from castray.cli.findings import (
    Finding,
    check_cluster,
    check_haproxy,
    check_node,
    check_page,
    check_port,
    check_python,
    check_ray,
    check_token_file,
)
from castray.cli.options import (
    address_option,
    config_option,
    json_option,
    port_option,
    read_settings,
    token_option,
    url_option,
)
from castray.cli.probes import ClusterVersions, fetch_cluster_versions, look_at_port
from castray.config import Settings
from castray.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from castray.config import RayClusterSettings

__all__ = ["command"]

STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


@click.command("doctor")
@config_option
@address_option
@port_option
@url_option
@token_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    config: str | None,
    address: str | None,
    port: int | None,
    url: str | None,
    token: str | None,
    as_json: bool,
) -> None:
    """Look at everything that CastRay needs, and say what to do. Exits 1 where something fails."""
    flags = {"ray_cluster.address": address, "web_server.port": port, "auth.token": token}
    findings = list(_look(config, flags, url))
    if as_json:
        click.echo(json.dumps([finding._asdict() for finding in findings], indent=2))
    else:
        Console().print(_table(findings))
    ctx.exit(1 if any(finding.level == "fail" for finding in findings) else 0)


def _look(config: str | None, flags: Mapping[str, object], url: str | None) -> Iterator[Finding]:
    settings = Settings()
    try:
        settings = read_settings(config, flags)
    except SettingsError as error:
        yield Finding("fail", "Settings", f"{error}; the defaults are looked at instead.")
    else:
        yield Finding("ok", "Settings", "valid")
    yield check_python(sys.version_info[:3])
    ray_version = _installed_version("ray")
    yield check_ray(ray_version)
    if ray_version is not None:
        yield _look_at_cluster(settings.ray_cluster, ray_version)
    yield check_page(PAGE_DIRECTORY / "index.html")
    yield _look_at_token_file((settings.auth.token_file or DEFAULT_TOKEN_FILE).expanduser())
    user = look_at_port(settings.web_server.port)
    yield check_port(settings.web_server.port, user)
    if user is not None and user.is_castray:
        yield check_haproxy(user)
    if url is not None or (user is not None and user.is_castray):
        yield from _look_at_nodes(settings, url)


def _look_at_cluster(settings: RayClusterSettings, ray_version: str) -> Finding:
    found = find_addresses() if settings.address == "auto" else frozenset[str]()
    try:
        address = choose_address(settings, found)
    except click.ClickException as error:
        return Finding("fail", "Ray cluster", error.message)
    if address is None:
        return Finding("warn", "Ray cluster", "None runs here: `castray up` starts one.")
    own = ClusterVersions(ray_version, platform.python_version())
    return check_cluster(address, fetch_cluster_versions(address), own)


def _look_at_token_file(path: Path) -> Finding:
    return check_token_file(path, path.stat().st_mode if path.exists() else None)


def _look_at_nodes(settings: Settings, url: str | None) -> Iterator[Finding]:
    try:
        nodes = asyncio.run(fetch_nodes(find_target(settings, url)))
    except (click.ClickException, SettingsError) as error:
        yield Finding("fail", "CastRay", str(error))
        return
    yield Finding("ok", "CastRay", f"answers, and knows {len(nodes)} nodes")
    yield from map(check_node, nodes)


def _installed_version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _table(findings: Iterable[Finding]) -> Table:
    table = Table(box=None, show_header=False)
    for column in (8, 20, None):
        table.add_column(width=column, overflow="fold")
    for finding in findings:
        level = f"[{STYLES[finding.level]}]{finding.level}[/]"
        table.add_row(level, escape(finding.subject), escape(finding.detail))
    return table
