"""What the HTTP layer needs of the rest of CastRay: over actors in production, plain in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from castray.discovery.source import DiscoveryReport
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

    async def discover(self, *, all_nodes: bool) -> DiscoveryReport:
        """Look for external clusters, and connect to those that let us in.

        Raises:
            InvalidRequestError: The settings turn external clusters off.
            RegistryUnavailableError: Nobody is there to look.
        """
        ...

    async def connect(self, address: str, name: str | None, token: str | None) -> str:
        """Connect to an external cluster; its id.

        Raises:
            InvalidRequestError: That is no address, or CastRay's own cluster.
            ExternalClusterError: No cluster can be read there.
            RegistryUnavailableError: Nobody is there to connect.
        """
        ...

    async def disconnect(self, cluster: str | None, address: str | None) -> list[str]:
        """Disconnect the external clusters of that id or address, or all; their ids.

        Raises:
            NotFoundError: Nothing of that id or address is connected.
            RegistryUnavailableError: Nobody is there to disconnect.
        """
        ...
