"""`castray down`: takes CastRay away again, and what `castray up` started with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import psutil

from castray.cli.cluster import choose_address, find_addresses
from castray.cli.end import end_launched
from castray.cli.launched import Launched, state_directory
from castray.cli.options import address_option, config_option, read_settings

if TYPE_CHECKING:
    from castray.config import RayClusterSettings

__all__ = ["command"]

SUPERVISOR_GRACE_S = 60.0


@click.command("down")
@config_option
@address_option
def command(config: str | None, address: str | None) -> None:
    """Remove CastRay from its Ray cluster.

    A Ray that `castray up` started ends too; every other one goes on. Nothing to do is no error.
    """
    cluster = read_settings(config, {"ray_cluster.address": address}).ray_cluster
    state = state_directory() / "up.json"
    launched = Launched.load(state)
    if launched is not None and address in (None, launched.address):
        done = _end_supervised(launched) or end_launched(launched)
        state.unlink(missing_ok=True)
    else:
        done = _remove_from(cluster)
    for sentence in done or ["There was nothing to end."]:
        click.echo(sentence)


def _end_supervised(launched: Launched) -> list[str]:
    """Ask the `castray up` that is still there to end what it started."""
    if launched.supervisor is None or (supervisor := launched.supervisor.find()) is None:
        return []
    supervisor.terminate()
    try:
        supervisor.wait(SUPERVISOR_GRACE_S)
    except psutil.TimeoutExpired:
        raise click.ClickException(
            f"`castray up` (pid {supervisor.pid}) does not end: see what it says."
        ) from None
    return [f"`castray up` (pid {supervisor.pid}) has ended, and what it started with it."]


def _remove_from(cluster: RayClusterSettings) -> list[str]:
    found = find_addresses() if cluster.address == "auto" else frozenset[str]()
    if cluster.address == "auto" and not found:
        return []
    address = choose_address(cluster, found)
    if address is None:
        return []
    return end_launched(Launched(address=address, namespace=cluster.namespace))
