"""The agents of all nodes: started where they are needed, ended where they are not."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util import list_named_actors

from castray.actors.agent_links import AgentAddress, link_to
from castray.actors.names import AGENT_PREFIX, CONNECTOR_NAME, agent_name, get_handle
from castray.core.nodes import node_key
from castray.errors import CastRayError, PeerError
from castray.models import HOME_CLUSTER, NodeSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from castray.actors.names import ActorSettings
    from castray.models import Node
    from castray.transfer.agent_link import AgentLink

__all__ = ["ActorAgents", "AgentPool"]

logger = logging.getLogger(__name__)

START_S = 60.0
"""An outpost takes longest: a job is submitted, and its actors start."""


class AgentPool(Protocol):
    """Where the agents of nodes come from."""

    async def address(self, node: Node) -> AgentAddress:
        """Where that node's agent answers; it is started where it does not run.

        Raises:
            InvalidRequestError: There can be none.
            PeerError: It does not start now.
        """
        ...

    async def link(self, node: Node) -> AgentLink:
        """A link to that node's agent; it is started where it does not run.

        Raises:
            InvalidRequestError: There can be none.
            PeerError: It does not start now.
        """
        ...

    async def release(self, node: str) -> None:
        """End the agent on the node with that key; one that is gone already is no error."""
        ...

    async def running(self) -> list[str]:
        """The keys of the nodes on which agents run, whoever started them."""
        ...


class ActorAgents:
    """An `AgentPool` of actors at home; on other clusters the connector knows the agents.

    Args:
        settings: What the actors were started with.
        code_uri: Where our code was uploaded to.
        start_agent: Creates the agent of a node where there is none.
    """

    def __init__(
        self,
        settings: ActorSettings,
        code_uri: str,
        start_agent: Callable[[ActorSettings, str, str], Any],
    ) -> None:
        self._settings = settings
        self._code_uri = code_uri
        self._start_agent = start_agent

    async def address(self, node: Node) -> AgentAddress:
        """See `AgentPool`."""
        try:
            return await asyncio.wait_for(self._address(node), START_S)
        except asyncio.TimeoutError as error:
            problem = f"did not start within {START_S:.0f} s"
            raise PeerError(f"the agent on {node.name}", problem) from error
        except RayTaskError as error:
            if isinstance(error.cause, CastRayError):
                raise error.cause from error
            raise
        except (RayError, ValueError) as error:
            problem = f"cannot be started: {str(error).strip().partition(chr(10))[0]}"
            raise PeerError(f"the agent on {node.name}", problem) from error

    async def link(self, node: Node) -> AgentLink:
        """See `AgentPool`."""
        return link_to(await self.address(node), self._settings.namespace)

    async def release(self, node: str) -> None:
        """See `AgentPool`; an outpost's agents stay until its cluster is disconnected."""
        cluster, _, node_id = node.partition("/")
        if cluster == HOME_CLUSTER:
            await asyncio.to_thread(self._end, agent_name(node_id))

    async def running(self) -> list[str]:
        """See `AgentPool`."""
        rows = await asyncio.to_thread(list_named_actors, all_namespaces=True)
        return [
            node_key(HOME_CLUSTER, row["name"].removeprefix(AGENT_PREFIX))
            for row in rows
            if row["namespace"] == self._settings.namespace and row["name"].startswith(AGENT_PREFIX)
        ]

    async def _address(self, node: Node) -> AgentAddress:
        if node.source is NodeSource.EXTERNAL:
            connector = await asyncio.to_thread(
                get_handle, CONNECTOR_NAME, self._settings.namespace
            )
            address: AgentAddress = await connector.outpost_agent.remote(node.cluster, node.node_id)
            return address
        await asyncio.to_thread(self._ensure, node.node_id)
        return AgentAddress(actor=agent_name(node.node_id))

    def _ensure(self, node_id: str) -> None:
        try:
            get_handle(agent_name(node_id), self._settings.namespace)
        except ValueError:
            self._start_agent(self._settings, node_id, self._code_uri)

    def _end(self, name: str) -> None:
        try:
            ray.kill(get_handle(name, self._settings.namespace), no_restart=True)
        except ValueError:
            logger.debug("%s ended by itself", name)
