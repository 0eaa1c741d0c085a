"""Calls of an agent, wherever it lives: an actor of this cluster, or an outpost on another."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ray.exceptions import RayError, RayTaskError

from castray.actors.names import get_handle
from castray.errors import CastError, CastRayError, PeerError

if TYPE_CHECKING:
    from castray.transfer.agent_link import (
        AgentFacts,
        AgentLink,
        AgentReports,
        DirectoryListing,
        Offered,
        OfferOrder,
        ReceiveOrder,
        UploadOrder,
    )
    from castray.transfer.peer import PeerAddress

__all__ = ["AgentAddress", "link_to"]

CALL_S = 30.0
"""Enough for everything but what grows with the number of files."""

SCAN_S = 300.0
"""Enough to list some millions of files."""

GRACE_S = 15.0
"""How much longer than it was told a long-poll may take."""


@dataclass(frozen=True)
class AgentAddress:
    """Where an agent answers: the name of its actor, or its outpost's URL with the key to it."""

    actor: str | None = None
    url: str | None = None
    key: str | None = field(default=None, repr=False)


def link_to(address: AgentAddress, namespace: str) -> AgentLink:
    """A link to the agent there; nothing is asked yet.

    Args:
        address: Where it answers.
        namespace: Of our actors.
    """
    if address.actor is not None:
        return _ActorLink(address.actor, namespace)
    # Not at the top: only a process that reaches for other clusters pays for it.
    from castray.transfer.http_link import HttpAgentLink

    return HttpAgentLink(address.url or "", address.key or "")


class _ActorLink:
    """The agent is a Ray actor, which is looked up when first needed and when it is gone."""

    def __init__(self, name: str, namespace: str) -> None:
        self._name = name
        self._namespace = namespace
        self._handle: Any = None

    async def facts(self) -> AgentFacts:
        facts: AgentFacts = await self._call(CALL_S, "facts")
        return facts

    async def survey(self, path: str) -> Offered:
        offered: Offered = await self._call(SCAN_S, "survey", path)
        return offered

    async def offer(self, order: OfferOrder) -> Offered:
        offered: Offered = await self._call(SCAN_S, "offer", order)
        return offered

    async def receive(self, order: ReceiveOrder) -> None:
        await self._call(CALL_S, "receive", order)

    async def pause(self, cast_id: str) -> None:
        await self._call(CALL_S, "pause", cast_id)

    async def resume(self, cast_id: str) -> None:
        await self._call(CALL_S, "resume", cast_id)

    async def end(
        self, cast_id: str, *, keep_partial: bool, destination: str | None = None
    ) -> None:
        options = {"keep_partial": keep_partial, "destination": destination}
        await self._call(SCAN_S, "end", cast_id, **options)

    async def reports(self, since: int, wait_s: float) -> AgentReports:
        reports: AgentReports = await self._call(wait_s + GRACE_S, "reports", since, wait_s)
        return reports

    async def reach(self, peer: PeerAddress) -> str | None:
        seen: str | None = await self._call(CALL_S, "reach", peer)
        return seen

    async def relay(self, cast_id: str, peer: PeerAddress) -> int:
        port: int = await self._call(CALL_S, "relay", cast_id, peer)
        return port

    async def list_files(self, path: str) -> DirectoryListing:
        listing: DirectoryListing = await self._call(CALL_S, "list_files", path)
        return listing

    async def read_file(self, path: str, offset: int, length: int) -> bytes:
        data: bytes = await self._call(CALL_S, "read_file", path, offset, length)
        return data

    async def begin_upload(self, order: UploadOrder) -> None:
        await self._call(CALL_S, "begin_upload", order)

    async def append_upload(self, upload_id: str, offset: int, data: bytes) -> None:
        await self._call(CALL_S, "append_upload", upload_id, offset, data)

    async def finish_upload(self, upload_id: str) -> str:
        path: str = await self._call(SCAN_S, "finish_upload", upload_id)
        return path

    async def abort_upload(self, upload_id: str) -> None:
        await self._call(CALL_S, "abort_upload", upload_id)

    async def _call(self, timeout_s: float, method: str, *arguments: Any, **options: Any) -> Any:
        try:
            if self._handle is None:
                self._handle = await asyncio.to_thread(get_handle, self._name, self._namespace)
            call = getattr(self._handle, method).remote(*arguments, **options)
            return await asyncio.wait_for(call, timeout_s)
        except RayTaskError as error:
            raise _told(self._name, error) from error
        except asyncio.TimeoutError as error:
            raise PeerError(self._name, f"did not answer {method} in {timeout_s:.0f} s") from error
        except (RayError, ValueError) as error:
            # A handle to an actor that was ended for good never works again.
            self._handle = None
            raise PeerError(self._name, f"is gone: {_first_line(error)}") from error


def _told(name: str, error: RayTaskError) -> CastRayError:
    """What the agent itself raised; a fault of its own is told as one, and not tried again."""
    if isinstance(error.cause, CastRayError):
        return error.cause
    return CastError(name, f"met a fault of CastRay's: {error.cause!r}; its log has more")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
