"""A node's part in all casts: what it offers, receives, passes on, lists and takes in."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakValueDictionary

from castray.cast_models import CastProblem
from castray.errors import CastError, PeerError
from castray.transfer.agent_link import AgentFacts, AgentReports, Offered
from castray.transfer.hashing import available_algorithms
from castray.transfer.listing import fetch_listing, fetch_piece
from castray.transfer.news import News
from castray.transfer.peer import Membership, PeerConnection
from castray.transfer.receiver_thread import ReceiverThread, discard_partial
from castray.transfer.relay import Relay
from castray.transfer.roots import Roots
from castray.transfer.scanning import scan
from castray.transfer.server import BlockServer
from castray.transfer.source import SourceShare
from castray.transfer.sweeping import sweep_partials
from castray.transfer.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from castray.transfer.agent_link import (
        DirectoryListing,
        OfferOrder,
        ReceiveOrder,
        UploadOrder,
    )
    from castray.transfer.manifest import ManifestHeader
    from castray.transfer.peer import PeerAddress

__all__ = ["SWEEP_EVERY_S", "CastAgent"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

MAX_FILE_THREADS = 16
"""As many calls may wait for disks at once; those beyond wait for them."""

REACH_S = 3.0
"""A host that does not greet within so long counts as out of reach."""

SWEEP_EVERY_S = 3600.0


class CastAgent:
    """An `AgentLink` to the node that it runs on. Belongs to the loop that it was made in.

    Its port is opened when it is first needed, so that whoever needs it hears what is wrong.

    Args:
        roots: The directories that may be read and written, as the settings have them.
        ports: The ports that it may listen on.
        address: This node's own, on which it listens.
    """

    def __init__(self, roots: Sequence[str], ports: Sequence[int], address: str) -> None:
        self._incarnation = secrets.token_hex(8)
        self._roots = Roots(roots)
        self._ports = ports
        self._address = address
        self._opened: BlockServer | None = None
        self._news = News()
        self._offers: dict[str, Offered] = {}
        self._receivers: dict[str, ReceiverThread] = {}
        self._relays: dict[tuple[str, str], Relay] = {}
        self._uploads = Uploads()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._threads = ThreadPoolExecutor(MAX_FILE_THREADS, "castray-files")

    async def facts(self) -> AgentFacts:
        """What it is."""
        return AgentFacts(
            incarnation=self._incarnation,
            port=self._server.port,
            algorithms=available_algorithms(),
            roots=self._roots.paths,
        )

    async def survey(self, path: str) -> Offered:
        """What a path stands for, without serving it."""
        return await self._in_thread(self._survey, path)

    async def offer(self, order: OfferOrder) -> Offered:
        """Be a cast's source from now on."""
        server = self._server
        async with self._turn(order.cast_id):
            if order.cast_id not in self._offers:
                share = await self._in_thread(self._make_share, order)
                server.add(order.cast_id, share)
                self._offers[order.cast_id] = _offered(share.manifest.header)
                self._news.tell(at_once=True)
            return self._offers[order.cast_id]

    async def receive(self, order: ReceiveOrder) -> None:
        """Begin to receive, or go on with, a cast; how it goes is in the reports."""
        server = self._server
        async with self._turn(order.cast_id):
            receiver = self._receivers.get(order.cast_id)
            if receiver is not None and not receiver.has_failed:
                await self._in_thread(receiver.set_peers, order.peers)
                return
            # The source itself may be a target: then it gives nothing out as a receiver.
            giver = None if order.cast_id in self._offers else server
            receiver = ReceiverThread(order, self._roots, giver, self._news.tell)
            self._receivers[order.cast_id] = receiver
            receiver.start()
            self._news.tell(at_once=True)

    async def pause(self, cast_id: str) -> None:
        """Ask for no more of that cast."""
        if receiver := self._receivers.get(cast_id):
            receiver.pause()

    async def resume(self, cast_id: str) -> None:
        """Ask for more again."""
        if receiver := self._receivers.get(cast_id):
            receiver.resume()

    async def end(
        self, cast_id: str, *, keep_partial: bool, destination: str | None = None
    ) -> None:
        """Have nothing to do with that cast any more."""
        async with self._turn(cast_id):
            receiver = self._receivers.get(cast_id)
            if receiver is not None:
                await self._in_thread(lambda: receiver.end(keep_partial=keep_partial))
                del self._receivers[cast_id]
            if self._offers.pop(cast_id, None) is not None:
                self._server.remove(cast_id)
            for key in [key for key in self._relays if key[0] == cast_id]:
                await self._in_thread(self._relays.pop(key).close)
            self._news.tell(at_once=True)
            if receiver is None and destination is not None and not keep_partial:
                path = self._roots.plan(destination)
                await self._in_thread(discard_partial, path, cast_id)

    async def reports(self, since: int, wait_s: float) -> AgentReports:
        """All reports, once they differ from those of sequence `since`, or after `wait_s`."""
        await self._news.wait(since, wait_s)
        return AgentReports(
            incarnation=self._incarnation,
            sequence=self._news.sequence,
            receivers=tuple(receiver.report for receiver in self._receivers.values()),
            offers=tuple(self._offers),
        )

    async def reach(self, peer: PeerAddress) -> str | None:
        """Try to connect to another agent's port: None where that works, else what was seen."""
        return await self._in_thread(_reach, peer)

    async def relay(self, cast_id: str, peer: PeerAddress) -> int:
        """Pass connections on to a peer of that cast until its end; the port that they go to."""
        key = (cast_id, peer.name)
        if key in self._relays:
            self._relays[key].lead_to(peer)
        else:
            self._relays[key] = self._open(Relay, peer)
        return self._relays[key].port

    async def list_files(self, path: str) -> DirectoryListing:
        """What lies at a path; an empty one is the first root."""
        return await self._in_thread(
            lambda: fetch_listing(self._roots.find(path), self._roots.paths)
        )

    async def read_file(self, path: str, offset: int, length: int) -> bytes:
        """Bytes of a file, fewer at its end, `MAX_PIECE_BYTES` at the most."""
        return await self._in_thread(lambda: fetch_piece(self._roots.find(path), offset, length))

    async def begin_upload(self, order: UploadOrder) -> None:
        """Make ready to take a file in; its pieces follow in their order."""
        await self._in_thread(lambda: self._uploads.begin(order, self._roots.find(order.path)))

    async def append_upload(self, upload_id: str, offset: int, data: bytes) -> None:
        """Take the next piece; one that came before is taken for granted."""
        await self._in_thread(self._uploads.append, upload_id, offset, data)

    async def finish_upload(self, upload_id: str) -> str:
        """Give the file its final name, synced to the disk; its path."""
        return await self._in_thread(self._uploads.finish, upload_id)

    async def abort_upload(self, upload_id: str) -> None:
        """Forget it, with everything that came."""
        await self._in_thread(self._uploads.abort, upload_id)

    async def sweep(self) -> None:
        """Remove what nobody went on with; to be called every `SWEEP_EVERY_S`."""
        await self._in_thread(self._sweep)

    async def aclose(self) -> None:
        """End every part in every cast; what has arrived is kept, to go on later."""
        for cast_id in {*self._receivers, *self._offers, *(key[0] for key in self._relays)}:
            await self.end(cast_id, keep_partial=True)
        await self._in_thread(self._uploads.close)
        if self._opened is not None:
            await self._in_thread(self._opened.close)
        self._threads.shutdown()

    @property
    def _server(self) -> BlockServer:
        """Gives out the blocks.

        Raises:
            CastError: No port is free.
        """
        if self._opened is None:
            self._opened = self._open(BlockServer)
        return self._opened

    def _open(self, kind: Callable[..., T], *arguments: object) -> T:
        """Something that listens."""
        try:
            return kind(self._address, self._ports, *arguments)
        except OSError as error:
            raise CastError(
                self._address,
                f"none of the ports {self._ports[0]} to {self._ports[-1]} can be listened on "
                f"({error.strerror}); change the setting transfer.port_range",
            ) from error

    def _turn(self, cast_id: str) -> asyncio.Lock:
        """Held by whoever changes what is done for a cast: one after the other."""
        return self._turns.setdefault(cast_id, asyncio.Lock())

    async def _in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        """Do what waits for a disk or the network where it holds nobody up."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def _survey(self, path: str) -> Offered:
        found = scan(self._roots.find(path), "sha256", is_chained=False)
        return _offered(found.manifest.header)

    def _make_share(self, order: OfferOrder) -> SourceShare:
        path = self._roots.find(order.path)
        found = scan(path, order.algorithm, is_chained=order.is_chained)
        return SourceShare(found, bytes.fromhex(order.secret), order.bytes_per_s)

    def _sweep(self) -> None:
        self._uploads.drop_idle(time.monotonic())
        for root in self._roots.paths:
            try:
                removed = sweep_partials(root, time.time())
            except OSError as error:
                logger.info("cannot look for what is left in %s: %s", root, error)
                continue
            for path in removed:
                logger.info("removed %s, with which nobody went on", path)


def _reach(peer: PeerAddress) -> str | None:
    stranger = Membership("", b"", "")
    try:
        PeerConnection(peer, stranger, REACH_S).close()
    except PeerError as error:
        return error.problem
    return None


def _offered(header: ManifestHeader) -> Offered:
    return Offered(
        files=header.files,
        bytes_total=header.bytes_total,
        skipped=tuple(CastProblem(path=s.path, problem=s.problem) for s in header.skipped),
        skipped_total=header.skipped_total,
    )
