"""Agents on several hosts, told what to do as CastRay tells them: casts without Ray."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING

from bench.cast_agent import ROOT
from bench.programs import REPOSITORY
from castray.cast_models import CastState, IfExists
from castray.transfer.agent_link import OfferOrder, ReceiveOrder
from castray.transfer.hashing import choose_algorithm
from castray.transfer.http_link import HttpAgentLink
from castray.transfer.peer import PeerAddress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.hosts import Host

__all__ = ["Fleet"]

CONTROL_PORT = 28800
WAIT_S = 5.0


class Fleet:
    """An agent on each host; the first host is the source.

    Args:
        hosts: Where; the process of the bench reaches them at their addresses.
    """

    def __init__(self, hosts: Sequence[Host]) -> None:
        key = secrets.token_hex(16)
        self._hosts = hosts
        self._links = [
            HttpAgentLink(f"http://{host.address}:{CONTROL_PORT}", key) for host in hosts
        ]
        command = ["python", "-m", "bench.cast_agent"]
        processes = [
            host.start([*command, host.address, str(CONTROL_PORT), key], cwd=str(REPOSITORY))
            for host in hosts
        ]
        for process in processes:
            process.wait_for_output("ready")

    async def cast(self, path: str, destination: str) -> float:
        """Cast what lies there in the first host's root to all others; the seconds it took.

        Raises:
            RuntimeError: Some host has not got everything.
        """
        cast_id, secret = secrets.token_hex(8), secrets.token_hex(32)
        facts = await asyncio.gather(*(link.facts() for link in self._links))
        peers = [
            PeerAddress(host.name, host.address, each.port, is_source=number == 0)
            for number, (host, each) in enumerate(zip(self._hosts, facts, strict=True))
        ]
        source, *receivers = self._links
        began = time.perf_counter()
        await source.offer(
            OfferOrder(
                cast_id=cast_id,
                secret=secret,
                path=str(ROOT / path),
                algorithm=choose_algorithm([each.algorithms for each in facts]),
                is_chained=len(receivers) == 1,
            )
        )
        orders = [
            ReceiveOrder(
                cast_id=cast_id,
                secret=secret,
                me=me.name,
                destination=str(ROOT / destination),
                if_exists=IfExists.FAIL,
                peers=tuple(peer for peer in peers if peer is not me),
            )
            for me in peers[1:]
        ]
        await asyncio.gather(
            *(_receive(link, order) for link, order in zip(receivers, orders, strict=True))
        )
        seconds = time.perf_counter() - began
        await asyncio.gather(*(link.end(cast_id, keep_partial=False) for link in self._links))
        return seconds


async def _receive(link: HttpAgentLink, order: ReceiveOrder) -> None:
    await link.receive(order)
    sequence = 0
    while True:
        reports = await link.reports(sequence, WAIT_S)
        sequence = reports.sequence
        for report in reports.receivers:
            if report.cast_id != order.cast_id or report.state is CastState.RUNNING:
                continue
            if report.state is not CastState.COMPLETED:
                raise RuntimeError(f"{order.me}: {report}")
            return
