"""`castray up`: CastRay on a Ray cluster, which is started here where there is none."""

from __future__ import annotations

import shlex
import shutil

import click

from castray.cli.launched import state_directory
from castray.cli.options import (
    address_option,
    config_option,
    host_option,
    port_option,
    read_settings,
)
from castray.cli.session import Session, interrupt_on_signals

__all__ = ["command"]


def _parse_command(_: click.Context, __: click.Parameter, text: str | None) -> list[str] | None:
    """Find a mistake in the command before anything is started for it."""
    if text is None:
        return None
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} cannot be read: {error}.") from None
    if not words or shutil.which(words[0]) is None:
        raise click.BadParameter(f"{text!r} does not begin with a program that is here.")
    return words


@click.command("up")
@config_option
@address_option
@host_option
@port_option
@click.option("--detach", is_flag=True, help="Leave everything running; `castray down` ends it.")
@click.option(
    "--run",
    "words",
    metavar="COMMAND",
    callback=_parse_command,
    help="Run this beside it, and end it with it.",
)
def command(
    config: str | None,
    address: str | None,
    host: str | None,
    port: int | None,
    detach: bool,
    words: list[str] | None,
) -> None:
    """Put CastRay on a Ray cluster, and keep it there until Ctrl-C.

    Uses the Ray cluster that runs on this machine, or the one that --address names. Where there
    is none, it starts a Ray of its own, which ends with it.
    """
    flags = {"ray_cluster.address": address, "web_server.host": host, "web_server.port": port}
    session = Session(read_settings(config, flags), state_directory())
    interrupt_on_signals()
    try:
        session.start()
        if words:
            session.start_command(words, keep_output=detach)
        if detach:
            session.detach()
        else:
            click.echo("Ctrl-C ends it.")
            session.wait()
    except KeyboardInterrupt:
        click.echo("\nEnding …")
    finally:
        session.end()
