"""What of a cast people are to see at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from castray.cast_models import Cast

__all__ = ["is_news"]


def is_news(before: Cast, now: Cast) -> bool:
    """Whether more of a cast changed than how far it is and how fast."""
    return _state(before) != _state(now)


def _state(cast: Cast) -> object:
    return cast.state, cast.source, [(t.node, t.state, t.route, t.waits_for) for t in cast.targets]
