"""The `TransferAgent` actor: a node's part in all casts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ray.util import get_node_ip_address

from castray.actors.background import BackgroundLoops
from castray.transfer.agent import SWEEP_EVERY_S, CastAgent

if TYPE_CHECKING:
    from castray.actors.names import ActorSettings

__all__ = ["TransferAgent"]


class TransferAgent(CastAgent):
    """Pinned to one node; whoever needs it creates it, and ends it when it is idle.

    It stays as far in the background as Ray puts its workers: what a node infers, and what its
    poller reports, comes before files.

    Args:
        settings: What the actors were started with.
        node_id: Ray's NodeID of the node that this runs on.
    """

    def __init__(self, settings: ActorSettings, node_id: str) -> None:
        transfer = settings.transfer
        ports = range(transfer.first_port, transfer.last_port + 1)
        # The address by which Ray knows the node: the other nodes reach it there.
        address = get_node_ip_address()  # type: ignore[no-untyped-call]
        super().__init__(transfer.roots, ports, address)
        self._node_id = node_id
        self._loops = BackgroundLoops()
        self._loops.start("sweep", self.sweep, SWEEP_EVERY_S)

    async def ready(self) -> str:
        """Answers once the agent runs, with the id of its node."""
        return self._node_id
