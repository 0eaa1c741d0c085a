"""The agent of an outpost, seen from the head: `AgentLink` over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from castray.errors import PeerError
from castray.transfer.agent_link import AgentFacts, AgentReports, DirectoryListing, Offered
from castray.transfer.http_agent import NodeNews
from castray.transfer.keyed_http import KeyedClient

if TYPE_CHECKING:
    from typing import TypeVar

    from castray.transfer.agent_link import OfferOrder, ReceiveOrder, UploadOrder
    from castray.transfer.peer import PeerAddress

    T = TypeVar("T")

__all__ = ["HttpAgentLink"]

CALL_S = 30.0
"""Enough for everything but what grows with the number of files."""

SCAN_S = 300.0
"""Enough to list some millions of files."""

GRACE_S = 10.0
"""A call that waits for news may take so long beyond that."""

ARGUMENTS: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
NOTHING: TypeAdapter[None] = TypeAdapter(None)
TEXT_OR_NOTHING: TypeAdapter[str | None] = TypeAdapter(str | None)


@dataclass(frozen=True)
class HttpAgentLink(KeyedClient):
    """An `AgentLink`; nothing has to be closed."""

    async def node_news(self, since: int, wait_s: float) -> NodeNews:
        """What the node says of itself, once it differs from sequence `since` or after `wait_s`.

        Raises:
            PeerError: The agent is gone, or does not answer; so may every method below.
        """
        query = {"since": str(since), "wait_s": str(wait_s)}
        body = await self.call("GET", "/report", timeout_s=wait_s + GRACE_S, query=query)
        return self._parse(body, TypeAdapter(NodeNews))

    async def facts(self) -> AgentFacts:
        """What it is."""
        return await self._call("facts", TypeAdapter(AgentFacts))

    async def survey(self, path: str) -> Offered:
        """What a path stands for, without serving it."""
        return await self._call("survey", TypeAdapter(Offered), SCAN_S, path=path)

    async def offer(self, order: OfferOrder) -> Offered:
        """Be a cast's source from now on."""
        return await self._call("offer", TypeAdapter(Offered), SCAN_S, order=order)

    async def receive(self, order: ReceiveOrder) -> None:
        """Begin to receive, or go on with, a cast."""
        await self._call("receive", NOTHING, order=order)

    async def pause(self, cast_id: str) -> None:
        """Ask for no more of that cast."""
        await self._call("pause", NOTHING, cast_id=cast_id)

    async def resume(self, cast_id: str) -> None:
        """Ask for more again."""
        await self._call("resume", NOTHING, cast_id=cast_id)

    async def end(
        self, cast_id: str, *, keep_partial: bool, destination: str | None = None
    ) -> None:
        """Have nothing to do with that cast any more."""
        options = {"keep_partial": keep_partial, "destination": destination}
        await self._call("end", NOTHING, SCAN_S, cast_id=cast_id, **options)

    async def reports(self, since: int, wait_s: float) -> AgentReports:
        """All reports, once they differ from those of sequence `since`, or after `wait_s`."""
        kind = TypeAdapter(AgentReports)
        timeout_s = wait_s + GRACE_S
        return await self._call("reports", kind, timeout_s, since=since, wait_s=wait_s)

    async def reach(self, peer: PeerAddress) -> str | None:
        """Try to connect to another agent's port: None where that works, else what was seen."""
        return await self._call("reach", TEXT_OR_NOTHING, peer=peer)

    async def relay(self, cast_id: str, peer: PeerAddress) -> int:
        """Pass connections on to a peer of that cast; the port that they go to."""
        return await self._call("relay", TypeAdapter(int), cast_id=cast_id, peer=peer)

    async def list_files(self, path: str) -> DirectoryListing:
        """What lies at a path; an empty one is the first root."""
        return await self._call("list_files", TypeAdapter(DirectoryListing), path=path)

    async def read_file(self, path: str, offset: int, length: int) -> bytes:
        """Bytes of a file, fewer at its end."""
        query = {"path": path, "offset": str(offset), "length": str(length)}
        return await self.call("POST", "/agent/read_file", timeout_s=CALL_S, query=query)

    async def begin_upload(self, order: UploadOrder) -> None:
        """Make ready to take a file in."""
        await self._call("begin_upload", NOTHING, order=order)

    async def append_upload(self, upload_id: str, offset: int, data: bytes) -> None:
        """Take the next piece."""
        query = {"upload_id": upload_id, "offset": str(offset)}
        await self.call("POST", "/agent/append_upload", timeout_s=CALL_S, query=query, body=data)

    async def finish_upload(self, upload_id: str) -> str:
        """Give the file its final name, synced to the disk; its path."""
        return await self._call("finish_upload", TypeAdapter(str), SCAN_S, upload_id=upload_id)

    async def abort_upload(self, upload_id: str) -> None:
        """Forget it, with everything that came."""
        await self._call("abort_upload", NOTHING, upload_id=upload_id)

    async def _call(
        self, name: str, result: TypeAdapter[T], timeout_s: float = CALL_S, /, **given: Any
    ) -> T:
        arguments = ARGUMENTS.dump_json(given)
        body = await self.call("POST", f"/agent/{name}", timeout_s=timeout_s, body=arguments)
        return self._parse(body, result)

    def _parse(self, body: bytes, result: TypeAdapter[T]) -> T:
        try:
            return result.validate_json(body)
        except ValidationError as error:
            raise PeerError(self.url, "answers as no outpost of ours does") from error
