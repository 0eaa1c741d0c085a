"""A dispatcher of casts with real agents, real files and a real store, all in one process."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from castray.actors.casts import CastDispatcher
from castray.errors import InvalidRequestError, PeerError
from castray.store import Store
from castray.transfer.agent import CastAgent
from tests.core.given import key_of, node

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from castray.actors.agent_links import AgentAddress
    from castray.cast_models import Cast
    from castray.models import Node, NodeState
    from castray.transfer.agent_link import AgentLink
    from castray.transfer.peer import PeerAddress

__all__ = ["House", "LocalAgents"]

DEADLINE_S = 60.0


class LocalAgents:
    """An `AgentPool` of agents in this process.

    Attributes:
        walls: Pairs of names, the first of which cannot reach the second.
        without: Names of nodes on which there can be no agent.
        orders: What agents were asked, with the names of their nodes.
        released: The names of the nodes whose agents were ended.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._agents: dict[str, CastAgent] = {}
        self._ending: dict[str, asyncio.Task[None]] = {}
        self.walls: set[tuple[str, str]] = set()
        self.without: set[str] = set()
        self.orders: list[tuple[str, str]] = []
        self.released: list[str] = []
        self.changed = asyncio.Condition()

    def root(self, name: str) -> Path:
        """Where that node's files are."""
        root = self._directory / name
        root.mkdir(exist_ok=True)
        return root

    def is_current(self, name: str, agent: CastAgent) -> bool:
        """Whether that agent was not killed."""
        return self._agents.get(name) is agent

    async def address(self, node: Node) -> AgentAddress:
        raise AssertionError(f"nobody asks for {node.name}")

    async def link(self, node: Node) -> AgentLink:
        if node.name in self.without:
            raise InvalidRequestError(f"There can be no agent on {node.name}.")
        if node.name in self._ending:
            await self._ending[node.name]
        if node.name not in self._agents:
            root = str(self.root(node.name))
            self._agents[node.name] = CastAgent([root], [0], "127.0.0.1")
        link: Any = _Line(self, node.name, self._agents[node.name])
        return link  # type: ignore[no-any-return]

    async def release(self, node: str) -> None:
        name = node.removeprefix("home/").upper()
        await self.kill(name)
        async with self.changed:
            self.released.append(name)
            self.changed.notify_all()

    async def running(self) -> list[str]:
        return [key_of(name.lower()) for name in self._agents]

    async def kill(self, name: str) -> None:
        """End an agent as a sudden death does: nobody is told, and what arrived stays."""
        if name in self._agents:
            self._ending[name] = asyncio.create_task(self._agents.pop(name).aclose())
            await self._ending[name]

    async def aclose(self) -> None:
        for name in list(self._agents):
            await self.kill(name)


class _Line:
    """A link to one agent until that is killed."""

    def __init__(self, pool: LocalAgents, name: str, agent: CastAgent) -> None:
        self._pool = pool
        self._name = name
        self._agent = agent

    def __getattr__(self, method: str) -> Callable[..., Any]:
        async def call(*arguments: Any, **options: Any) -> Any:
            self._check()
            self._pool.orders.append((self._name, method))
            try:
                return await getattr(self._agent, method)(*arguments, **options)
            finally:
                self._check()  # whatever one that was killed meanwhile says is not heard

        return call

    async def reach(self, peer: PeerAddress) -> str | None:
        self._check()
        if (self._name, peer.name) in self._pool.walls:
            return "no route to host"
        return await self._agent.reach(peer)

    def _check(self) -> None:
        if not self._pool.is_current(self._name, self._agent):
            raise PeerError(self._name, "is gone")


class House:
    """Nodes of the home cluster, of which M1 is the head, and the dispatcher of their casts."""

    def __init__(self, directory: Path, *names: str, **settings: Any) -> None:
        self._directory = directory
        self._settings = {"places": 4, "idle_s": 600.0, **settings}
        self.nodes = {
            name: node(name.lower(), address="127.0.0.1", is_head=name == "M1") for name in names
        }
        self.agents = LocalAgents(directory)
        self.told: dict[str, Cast] = {}
        self.states: list[str] = []
        self._news = asyncio.Event()
        self.open()

    def open(self) -> None:
        """Start a dispatcher on what is in the store."""
        self.store = Store(self._directory / "castray.db")
        self.casts = CastDispatcher(
            self.store,
            self.agents,
            lambda: list(self.nodes.values()),
            self._take,
            **self._settings,
        )

    async def restart(self) -> None:
        """Have another dispatcher go on, as after a sudden end of the first."""
        await self.casts.aclose()
        self.store.close()
        self.told.clear()
        self.open()

    async def aclose(self) -> None:
        await self.casts.aclose()
        await self.agents.aclose()
        self.store.close()

    def write(self, name: str, path: str, content: bytes) -> None:
        """Put a file on a node."""
        (self.agents.root(name) / path).write_bytes(content)

    def read(self, name: str, path: str) -> bytes | None:
        """What a file on a node holds, or None."""
        file = self.agents.root(name) / path
        return file.read_bytes() if file.exists() else None

    def set_state(self, name: str, state: NodeState) -> None:
        """Have a node be in that state from now on."""
        self.nodes[name] = self.nodes[name].model_copy(update={"state": state})

    async def start(self, source: str, path: str, *targets: str, **request: Any) -> str:
        """Begin a cast of a path to one of the same name; its id."""
        whole = {
            "source": {"node": source, "path": path},
            "destination": path,
            "targets": list(targets) or "all",
            **request,
        }
        return (await self.casts.start_cast(whole)).id

    async def until(self, cast_id: str, holds: Callable[[Cast], bool]) -> Cast:
        """The first record of a cast, among those told to everybody, that holds."""
        deadline = time.monotonic() + DEADLINE_S
        while cast_id not in self.told or not holds(self.told[cast_id]):
            left_s = deadline - time.monotonic()
            assert left_s > 0, f"never held: {self.told.get(cast_id)}"
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), left_s)
        return self.told[cast_id]

    async def end_of(self, cast_id: str) -> Cast:
        """A cast once it has ended."""
        return await self.until(cast_id, lambda cast: cast.ended is not None)

    async def until_released(self, *names: str) -> None:
        """Return once the agents of these nodes have been ended."""
        async with self.agents.changed:
            waiting = self.agents.changed.wait_for(lambda: {*names} <= {*self.agents.released})
            await asyncio.wait_for(waiting, DEADLINE_S)

    def _take(self, cast: Cast) -> None:
        self.told[cast.id] = cast
        self.states.append(f"{cast.id} {cast.state.value}")
        self._news.set()
