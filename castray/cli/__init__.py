"""The command line: `castray up`, `status`, `watch` and the others, one command a file."""

from __future__ import annotations

import importlib
from typing import Any

import click

from castray import __version__
from castray.errors import CastRayError

__all__ = ["main"]

COMMANDS = (
    "up",
    "down",
    "status",
    "watch",
    "discover",
    "connect",
    "disconnect",
    "clusters",
    "cp",
    "cast",
    "casts",
    "monitor",
    "doctor",
)
"""Each is `command` in the module of its name, which is loaded only when it is asked for."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"castray.cli.{cmd_name}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CastRayError as error:
            raise click.ClickException(str(error)) from error


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="castray")
def main() -> None:
    """One pane over several Ray clusters: what every node is doing, live."""
