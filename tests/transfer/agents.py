"""Agents within one process, each with a root of its own, and what tests ask of them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from castray.cast_models import CastState, IfExists
from castray.transfer.agent import CastAgent
from castray.transfer.agent_link import OfferOrder, ReceiveOrder
from castray.transfer.peer import PeerAddress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from castray.transfer.agent_link import AgentReports, Offered, ReceiverReport

__all__ = ["DEADLINE_S", "ENDED", "SECRET", "Node"]

SECRET = "5e" * 32
DEADLINE_S = 60.0

ENDED = {CastState.COMPLETED, CastState.PARTIAL, CastState.FAILED, CastState.CANCELLED}


@dataclass
class Node:
    """A node: its agent and its root."""

    name: str
    root: Path
    agent: CastAgent

    @classmethod
    def create(cls, name: str, root: Path) -> Node:
        root.mkdir(exist_ok=True)
        return cls(name, root, CastAgent([str(root)], [0], "127.0.0.1"))

    async def address(self, *, is_source: bool = False) -> PeerAddress:
        port = (await self.agent.facts()).port
        return PeerAddress(self.name, "127.0.0.1", port, is_source=is_source)

    async def offer(self, path: str, cast_id: str = "cast1", **order: Any) -> Offered:
        """Be a cast's source."""
        algorithm: Any = {"algorithm": "sha256", "is_chained": True, **order}
        return await self.agent.offer(
            OfferOrder(cast_id=cast_id, secret=SECRET, path=path, **algorithm)
        )

    async def receive(
        self, destination: str, *peers: PeerAddress, cast_id: str = "cast1", **order: Any
    ) -> None:
        """Begin to receive."""
        await self.agent.receive(
            ReceiveOrder(
                cast_id=cast_id,
                secret=SECRET,
                me=self.name,
                destination=destination,
                peers=peers,
                **{"if_exists": IfExists.FAIL, **order},
            )
        )

    async def reports_when(self, holds: Callable[[AgentReports], bool]) -> AgentReports:
        """The first reports that hold, following the agent's own news."""
        deadline = time.monotonic() + DEADLINE_S
        reports = await self.agent.reports(0, 0)
        while not holds(reports):
            assert time.monotonic() < deadline, f"never held: {reports}"
            reports = await self.agent.reports(reports.sequence, 1.0)
        return reports

    async def report_when(self, holds: Callable[[ReceiverReport], bool]) -> ReceiverReport:
        """The first report of the one cast received here that holds."""
        reports = await self.reports_when(lambda all_: any(map(holds, all_.receivers)))
        (report,) = reports.receivers
        return report

    async def ended(self) -> ReceiverReport:
        """How the one cast received here ended."""
        return await self.report_when(lambda report: report.state in ENDED)

    def litter(self) -> list[Path]:
        """What is left of casts and uploads."""
        return list(self.root.rglob(".castray-*"))

    async def aclose(self) -> None:
        await asyncio.wait_for(self.agent.aclose(), DEADLINE_S)
