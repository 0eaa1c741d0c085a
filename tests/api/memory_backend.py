"""The registry without its actor: a `Backend` over a `RegistryState` in this process."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from castray.cast_models import CastPage
from castray.core.casting import find_node
from castray.core.registry import RegistryState
from castray.core.versioned import Version
from castray.errors import InvalidRequestError, NotFoundError, RegistryUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from castray.cast_models import Cast, CastAction, CastRequest
    from castray.changes import Changes
    from castray.core.events import Event
    from castray.discovery.source import DiscoveryReport
    from castray.transfer.agent_link import AgentLink

__all__ = ["MemoryBackend"]

SIGN_OF_LIFE_S = 1.0


class MemoryBackend:
    """Answers like the registry's actor does, and can be taken down and restarted.

    Attributes:
        on_discover: What a discovery does, given whether on all nodes; None: nobody can look.
        on_connect: What connecting does, given address, name and token; None: nobody can.
        on_disconnect: What disconnecting does, given id and address; None: nobody can.
        on_cast: What asking for a cast does; None: nobody can cast.
        on_steer: What steering a cast does, given its id; None: nobody can.
        remembered: The casts that are in the store, the newest first.
        agents: By key of the node.
    """

    def __init__(self) -> None:
        self.registry = RegistryState(epoch=1)
        self.calls = 0
        self.on_discover: Callable[[bool], Awaitable[DiscoveryReport]] | None = None
        self.on_connect: Callable[[str, str | None, str | None], Awaitable[str]] | None = None
        self.on_disconnect: Callable[[str | None, str | None], Awaitable[list[str]]] | None = None
        self.on_cast: Callable[[CastRequest], Awaitable[Cast]] | None = None
        self.on_steer: Callable[[str, CastAction], Awaitable[Cast]] | None = None
        self.remembered: list[Cast] = []
        self.agents: dict[str, AgentLink] = {}
        self._is_up = True
        self._news = asyncio.Event()

    async def next_changes(self, since: str | None) -> Changes:
        """What the protocol says."""
        self.calls += 1
        version = None if since is None else Version.parse(since)
        if self._is_up and version == self.registry.version:
            await _wait_at_most(self._news, SIGN_OF_LIFE_S)
        if not self._is_up:
            raise RegistryUnavailableError
        return self.registry.changes_since(version)

    async def discover(self, *, all_nodes: bool) -> DiscoveryReport:
        """What the test says."""
        if self.on_discover is None:
            raise RegistryUnavailableError
        return await self.on_discover(all_nodes)

    async def connect(self, address: str, name: str | None, token: str | None) -> str:
        """What the test says."""
        if self.on_connect is None:
            raise RegistryUnavailableError
        return await self.on_connect(address, name, token)

    async def disconnect(self, cluster: str | None, address: str | None) -> list[str]:
        """What the test says."""
        if self.on_disconnect is None:
            raise RegistryUnavailableError
        return await self.on_disconnect(cluster, address)

    async def start_cast(self, request: CastRequest) -> Cast:
        """What the test says."""
        if self.on_cast is None:
            raise RegistryUnavailableError
        return await self.on_cast(request)

    async def cast(self, cast_id: str) -> Cast:
        """What the protocol says, of those that are remembered."""
        if not self._is_up:
            raise RegistryUnavailableError
        for cast in self.remembered:
            if cast.id == cast_id:
                return cast
        raise NotFoundError("cast", cast_id)

    async def casts(self, limit: int, cursor: str | None) -> CastPage:
        """What the protocol says; a cursor is a number of casts."""
        first = int(cursor or 0)
        rest = self.remembered[first + limit :]
        return CastPage(
            casts=tuple(self.remembered[first : first + limit]),
            next_cursor=str(first + limit) if rest else None,
        )

    async def steer_cast(self, cast_id: str, action: CastAction) -> Cast:
        """What the test says."""
        if self.on_steer is None:
            raise RegistryUnavailableError
        return await self.on_steer(cast_id, action)

    async def agent(self, node: str) -> AgentLink:
        """What the protocol says; a node whose agent is not in `agents` has none."""
        found = find_node(self.registry.snapshot().nodes, node)
        if found.key not in self.agents:
            raise InvalidRequestError(f"{found.name} is dead: no agent can be there.")
        return self.agents[found.key]

    def apply(self, *events: Event, now: datetime | None = None) -> None:
        """Have these events happen in the registry."""
        for event in events:
            self.registry.apply(event, now or datetime.now(timezone.utc))
        self._wake()

    def take_down(self) -> None:
        """From now on every call fails, also those under way."""
        self._is_up = False
        self._wake()

    def bring_back(self) -> None:
        """End that."""
        self._is_up = True

    def restart(self) -> None:
        """As a crash of the actor does it: the state is empty, the epoch larger."""
        self.registry = RegistryState(self.registry.version.epoch + 1)
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


async def _wait_at_most(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except asyncio.TimeoutError:
        return
