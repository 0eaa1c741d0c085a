"""What the HTTP layer needs of the rest of CastRay: over actors in production, plain in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from castray.models import Changes

__all__ = ["Backend"]


class Backend(Protocol):
    """The registry, seen from an API replica."""

    async def next_changes(self, since: str | None) -> Changes:
        """Wait until there is anything newer than version `since`, and return it.

        Returns after a few seconds without changes too, so that the caller sees that the
        registry lives. With `since` None: everything, at once.

        Raises:
            RegistryUnavailableError: The registry does not answer now.
        """
        ...
