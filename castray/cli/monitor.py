"""`castray monitor`: the CM-ZSB monitor of this node."""

from __future__ import annotations

import click

from castray.cli.options import config_option, port_option, read_settings
from castray.monitor.service import run_monitor

__all__ = ["command"]


@click.command("monitor")
@config_option
@click.option("--host", default="0.0.0.0", show_default=True, help="Address to listen on.")
@port_option
@click.option(
    "--allow-remote-updates",
    is_flag=True,
    help="Take reports from other machines too: anyone who reaches the port can then send one.",
)
def command(config: str | None, host: str, port: int | None, allow_remote_updates: bool) -> None:
    """Run this node's monitor, which the inference script reports to. Needs no Ray.

    The port is monitor.port of the settings (8000) where --port does not say another.
    """
    settings = read_settings(config, {"monitor.port": port})
    run_monitor(host, settings.monitor.port, allow_remote_updates=allow_remote_updates)
