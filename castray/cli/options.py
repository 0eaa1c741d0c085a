"""Options that several commands share, and the settings with flags over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from castray.config import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from castray.config import Settings

__all__ = [
    "FLAGS",
    "address_option",
    "config_option",
    "host_option",
    "json_option",
    "port_option",
    "read_settings",
    "token_option",
    "url_option",
]

FLAGS = {
    "ray_cluster.address": "--address",
    "web_server.host": "--host",
    "web_server.port": "--port",
    "monitor.port": "--port",
    "auth.token": "--token",
}
"""The flag of each setting that has one; `--port` is the monitor's for `castray monitor`."""

PORT = click.IntRange(1, 65535)

config_option = click.option(
    "--config", metavar="FILE", help="Settings file, JSON or YAML [env: CASTRAY_CONFIG]."
)
address_option = click.option(
    "--address",
    help="Ray cluster: auto, local, HOST:PORT or ray://HOST:PORT [env: RAY_ADDRESS].",
)
host_option = click.option("--host", help="Address to listen on.")
port_option = click.option("--port", type=PORT, help="Port to listen on.")
url_option = click.option(
    "--url", envvar="CASTRAY_URL", help="Which CastRay to ask [env: CASTRAY_URL]."
)
token_option = click.option("--token", help="Its token [env: CASTRAY_AUTH__TOKEN].")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def read_settings(config: str | None = None, flags: Mapping[str, object] | None = None) -> Settings:
    """The settings: file, environment, and the flags over them.

    Args:
        config: The settings file, instead of that of the environment.
        flags: Values by key, such as `web_server.port`; None where a flag was not given.

    Raises:
        SettingsError: Something in them is wrong.
    """
    return load_settings(flags, file=config, flag_names=FLAGS)
