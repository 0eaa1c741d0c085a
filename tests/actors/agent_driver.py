"""Casts between agents by their links alone; as a program, on a cluster, there and back again."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import ray

from castray.actors.agent_links import AgentAddress, link_to
from castray.actors.launch import start_agent, upload_code
from castray.actors.names import ActorSettings, agent_name
from castray.cast_models import CastState, IfExists
from castray.transfer.agent_link import OfferOrder, ReceiveOrder
from castray.transfer.hashing import choose_algorithm
from castray.transfer.peer import PeerAddress

if TYPE_CHECKING:
    from castray.transfer.agent_link import AgentFacts, AgentLink, ReceiverReport

__all__ = ["cast_between"]

AT_WORK = {CastState.RUNNING, CastState.PAUSED}

Place = tuple[Any, str]
"""The link to an agent, and the address that it serves on."""


async def cast_between(
    source: Place, target: Place, path: str, destination: str
) -> tuple[AgentFacts, ReceiverReport]:
    """Cast from one to the other; what the target is, and how the cast ended there."""
    sender: AgentLink = source[0]
    receiver: AgentLink = target[0]
    known = [await sender.facts(), await receiver.facts()]
    secret, cast_id = "5e" * 32, "cast1"
    await sender.offer(
        OfferOrder(
            cast_id=cast_id,
            secret=secret,
            path=path,
            algorithm=choose_algorithm([facts.algorithms for facts in known]),
            is_chained=True,
        )
    )
    await receiver.receive(
        ReceiveOrder(
            cast_id=cast_id,
            secret=secret,
            me="target",
            destination=destination,
            if_exists=IfExists.FAIL,
            peers=(PeerAddress("source", source[1], known[0].port, is_source=True),),
        )
    )
    reports = await receiver.reports(0, 0)
    while reports.receivers[0].state in AT_WORK:
        reports = await receiver.reports(reports.sequence, 5.0)
    for agent in (sender, receiver):
        await agent.end(cast_id, keep_partial=False)
    return known[1], reports.receivers[0]


async def main(cluster: str, *addresses: str) -> None:
    ray.init(address=cluster, log_to_driver=False)
    settings = ActorSettings(store_path="/tmp/home/castray.db")
    rows = ray.nodes()  # type: ignore[no-untyped-call]
    nodes = {row["NodeManagerAddress"]: row["NodeID"] for row in rows}
    code_uri = upload_code()
    places = []
    for address in addresses:
        start_agent(settings, nodes[address], code_uri)
        agent = AgentAddress(actor=agent_name(nodes[address]))
        places.append((link_to(agent, settings.namespace), address))
    first, second = places
    facts, there = await cast_between(first, second, "a.bin", "there.bin")
    _, back = await cast_between(second, first, "there.bin", "back.bin")
    for record in (facts, there, back):
        print(record.model_dump_json())  # noqa: T201 - this is how the program answers


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
