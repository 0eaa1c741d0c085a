"""What `castray cp` and `castray cast` can be told beside what goes where."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import click

from castray.cast_models import CastMode, CastRequest, IfExists
from castray.cli.places import parse_rate
from castray.models import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from castray.cast_models import CastSource
    from castray.cli.places import Targets

__all__ = ["CastOptions", "cast_options"]

F = TypeVar("F", bound="Callable[..., object]")


class CastOptions(Record):
    """The options as they were given."""

    dry_run: bool
    bwlimit: int | None
    if_exists: IfExists
    mode: CastMode | None
    resume: bool
    detach: bool

    def request(self, source: CastSource, destination: str, targets: Targets) -> CastRequest:
        """The cast that is wanted."""
        return CastRequest(
            source=source,
            destination=destination,
            targets=targets,
            if_exists=self.if_exists,
            bandwidth_limit=self.bwlimit,
            mode=self.mode or CastMode.AUTO,
            dry_run=self.dry_run,
        )


def cast_options(command: F) -> F:
    """Add the options; they come as keyword arguments of `CastOptions`."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


OPTIONS = (
    click.option("--dry-run", is_flag=True, help="Only tell what would go where."),
    click.option(
        "--bwlimit",
        callback=lambda _context, _option, text: text if text is None else parse_rate(text),
        metavar="RATE",
        help="The most bytes per second on each node, such as 500K, 10M or 1.5G.",
    ),
    click.option(
        "--if-exists",
        type=click.Choice([choice.value for choice in IfExists]),
        default=IfExists.FAIL.value,
        show_default=True,
        help="Where something is there: refuse, replace it, keep what has the same content, or "
        "take another name.",
    ),
    click.option(
        "--mode",
        type=click.Choice([choice.value for choice in CastMode]),
        help="How a cast travels: host to host, through the head, or whichever works "
        "[default: auto].",
    ),
    click.option(
        "--resume",
        is_flag=True,
        help="Go on with the newest cast of the same that has not completed. With files of this "
        "machine: leave those that are there already, and go on with a file half fetched.",
    ),
    click.option(
        "--detach", is_flag=True, help="Print the id of the cast once it has begun, and end."
    ),
)
