"""Which CastRay a command asks, and as whom."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING

from castray.cli.client import find_target
from castray.cli.options import config_option, read_settings, token_option, url_option

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["target_options"]


def target_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options; what they say comes as the argument `target`."""

    @config_option
    @url_option
    @token_option
    @wraps(command)
    def with_target(
        config: str | None, url: str | None, token: str | None, **others: object
    ) -> None:
        command(find_target(read_settings(config, {"auth.token": token}), url), **others)

    return with_target
