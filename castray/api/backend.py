"""What the HTTP layer needs of the rest of CastRay: over actors in production, plain in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from castray.cast_models import Cast, CastAction, CastPage, CastRequest
    from castray.changes import Changes
    from castray.discovery.source import DiscoveryReport
    from castray.transfer.agent_link import AgentLink

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

    async def start_cast(self, request: CastRequest) -> Cast:
        """Begin a cast, which is on disk when this returns; or only plan it, for a dry run.

        Raises:
            InvalidRequestError: It makes no sense.
            NotFoundError: A node or cluster of it does not exist.
            AmbiguousNameError: A name fits several nodes.
            CastError: The source cannot be read.
            RegistryUnavailableError: Nobody is there to cast.
        """
        ...

    async def cast(self, cast_id: str) -> Cast:
        """One cast as it is now.

        Raises:
            NotFoundError: There is none of that id.
            RegistryUnavailableError: Nobody is there to ask.
        """
        ...

    async def casts(self, limit: int, cursor: str | None) -> CastPage:
        """All casts that are remembered, the newest first.

        Raises:
            InvalidRequestError: That is no cursor of ours.
            RegistryUnavailableError: Nobody is there to ask.
        """
        ...

    async def steer_cast(self, cast_id: str, action: CastAction) -> Cast:
        """Cancel, pause, resume or retry a cast; it as it is then.

        Raises:
            NotFoundError: There is none of that id.
            InvalidRequestError: Its state does not allow that.
            RegistryUnavailableError: Nobody is there to steer.
        """
        ...

    async def agent(self, node: str) -> AgentLink:
        """The agent of the node with that name, id or key, started where it does not run.

        Raises:
            NotFoundError: There is no such node.
            AmbiguousNameError: The name fits several nodes.
            InvalidRequestError: No agent can be there: the node is dead, or its cluster has none.
            PeerError: It does not start now.
            RegistryUnavailableError: Nobody is there to ask.
        """
        ...
