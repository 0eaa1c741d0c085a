"""Ends what one `castray up` started, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from castray.cli.cluster import connected, reaches, remove_castray, withdraw_outposts
from castray.cli.local_ray import forget_address
from castray.cli.processes import end_session

if TYPE_CHECKING:
    from castray.cli.launched import Launched

__all__ = ["end_launched", "kill_launched"]

COMMAND_GRACE_S = 5.0
RAY_GRACE_S = 15.0


def end_launched(launched: Launched) -> list[str]:
    """End the command, then CastRay, and Ray with it where it was started for it.

    Returns:
        What was done, in sentences.

    Raises:
        click.ClickException: The cluster is there, but cannot be worked with.
    """
    done = []
    if launched.command and end_session(launched.command, COMMAND_GRACE_S):
        done.append("The command was ended.")
    if launched.ray is not None:
        done += _withdraw_from(launched)
        if end_session(launched.ray, RAY_GRACE_S):
            done.append(f"CastRay and its own Ray at {launched.address} were ended.")
        forget_address(launched.address)
    elif reaches(launched.address):
        with connected(launched.address, launched.namespace, carries_code=False):
            done += withdraw_outposts(launched.namespace)
            if remove_castray(launched.namespace, serve_is_ours=launched.serve_is_ours):
                done.append(f"CastRay was removed; the Ray cluster at {launched.address} goes on.")
    return done


def _withdraw_from(launched: Launched) -> list[str]:
    """Take away what runs elsewhere, before the Ray that knows of it ends."""
    if launched.ray is None or launched.ray.find() is None:
        return []
    try:
        with connected(launched.address, launched.namespace, carries_code=False):
            return withdraw_outposts(launched.namespace)
    except click.ClickException as error:
        return [f"Outposts on other clusters may stay for a day: {error.message}"]


def kill_launched(launched: Launched) -> None:
    """End the processes at once, and leave a cluster that was there before as it is."""
    for process in (launched.command, launched.ray):
        if process is not None:
            end_session(process, grace_s=0.0)
