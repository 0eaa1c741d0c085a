"""The threads that pull blocks: several from the source when it is alone, else one from each peer.

A stream asks for its next block when the one before has been written, and those before that in
the same file: so a sudden end costs at most one block for each stream. The other streams keep the
link busy meanwhile.
"""

from __future__ import annotations

import logging
import time
from threading import Thread
from typing import TYPE_CHECKING

from castray.errors import CastCancelledError, PeerError
from castray.transfer.buffers import new_buffer
from castray.transfer.control import FIRST_RETRY_S, LAST_RETRY_S
from castray.transfer.layout import MAX_PACKED_FILES
from castray.transfer.peer import PeerConnection
from castray.transfer.protocol import SegmentState
from castray.transfer.share import LaterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from castray.core.swarm import Ask
    from castray.transfer.chain import Chain
    from castray.transfer.pacing import Pace
    from castray.transfer.peer import Membership, PeerAddress
    from castray.transfer.proofs import Proofs
    from castray.transfer.protocol import Head
    from castray.transfer.proving import Prover
    from castray.transfer.reception import Reception
    from castray.transfer.steering import Steering

__all__ = ["Streams"]

logger = logging.getLogger(__name__)

RECEIVE_BYTES = 1 << 20
"""Progress is noted at least this often."""

NEWS_WAIT_S = 1.0
NEWS_EVERY_S = 0.5
"""How long to wait for a peer's news when it has nothing for us, and how old they may get."""

DECLINED_S = 0.25
"""How long after the source gave us nothing it is asked again, if nothing else happens."""

MAX_REASON_BYTES = 4096
SPARE_BYTES = MAX_PACKED_FILES * MAX_REASON_BYTES
"""The reason why a file cannot be sent may be longer than the file."""

MAX_BAD_BLOCKS = 3
"""A peer, other than the source, that sent so many damaged blocks is asked no more."""


class Streams:
    """Pulls blocks from peers until all are here.

    Args:
        membership: In which cast, and as whom.
        reception: What is missing.
        prover: Takes blocks in.
        chain: Takes those in that are proved behind their arrival.
        proofs: Digests from the source, for what others send.
        pace: Keeps us below the cast's limit.
        steering: Pauses and ends it.
        source_streams: How many connections to a source that has no other receivers.
    """

    def __init__(
        self,
        membership: Membership,
        reception: Reception,
        prover: Prover,
        chain: Chain,
        proofs: Proofs,
        pace: Pace,
        steering: Steering,
        source_streams: int,
    ) -> None:
        self._membership = membership
        self._reception = reception
        self._prover = prover
        self._chain = chain
        self._proofs = proofs
        self._pace = pace
        self._steering = steering
        self._source_streams = source_streams
        self._peers: dict[str, PeerAddress] = {}
        self._threads: dict[tuple[str, int], Thread] = {}
        self._is_done = False

    def set_peers(self, peers: Iterable[PeerAddress]) -> None:
        """From now on pull from these, and from nobody else."""
        wanted = {peer.name: peer for peer in peers}
        for name in self._peers.keys() - wanted.keys():
            self._reception.remove_peer(name)
        self._peers = wanted
        for peer in wanted.values():
            is_chained = self._reception.manifest.header.is_chained
            for number in range(self._source_streams if peer.is_source and is_chained else 1):
                self._start(peer, number)

    def stop(self) -> None:
        """Pull no more."""
        self._is_done = True
        self._chain.stop()
        self._steering.abort_connections()

    def join(self) -> None:
        """Wait until all threads have ended, after `stop`."""
        for thread in self._threads.values():
            thread.join()

    def _start(self, peer: PeerAddress, number: int) -> None:
        thread = self._threads.get((peer.name, number))
        if thread is None or not thread.is_alive():
            name = f"castray-pull-{peer.name}-{number}"
            thread = Thread(target=self._run, args=[peer.name], name=name, daemon=True)
            self._threads[peer.name, number] = thread
            thread.start()

    def _run(self, name: str) -> None:
        try:
            self._pull_until_done(name)
        except CastCancelledError:
            logger.debug("the stream from %s ends with its cast", name)
        except Exception as error:  # noqa: BLE001 - the receiver raises it to its owner
            self._reception.fail(error)

    def _pull_until_done(self, name: str) -> None:
        delay_s = FIRST_RETRY_S
        while (peer := self._peers.get(name)) and not self._is_over(name):
            before = self._reception.bytes_received
            try:
                self._pull(peer)
            except (PeerError, OSError) as error:
                if self._is_over(name):
                    return
                has_moved = self._reception.bytes_received > before
                delay_s = FIRST_RETRY_S if has_moved else min(2 * delay_s, LAST_RETRY_S)
                logger.info("trying again in %.1f s: %s", delay_s, error)
                self._steering.sleep(delay_s)

    def _is_over(self, name: str) -> bool:
        bad = self._reception.bad_blocks.get(name, 0)
        peer = self._peers.get(name)
        is_bad = peer is not None and not peer.is_source and bad >= MAX_BAD_BLOCKS
        return self._is_done or peer is None or is_bad or self._reception.failure is not None

    def _pull(self, peer: PeerAddress) -> None:
        """Pull from a peer over one connection."""
        connection = PeerConnection(peer, self._membership)
        size = self._reception.manifest.header.block_bytes + SPARE_BYTES
        buffer = new_buffer(size)
        news = _News(connection, self._reception)
        try:
            with self._steering.watch(connection):
                while not self._is_over(peer.name):
                    self._steering.wait_while_paused()
                    if not peer.is_source:
                        news.fetch(0, NEWS_EVERY_S)
                    ask = self._reception.plan(peer.name)
                    if ask is not None:
                        buffer = self._fetch(connection, ask, buffer)
                    elif peer.is_source:
                        self._reception.wait(DECLINED_S)
                    else:
                        news.fetch(NEWS_WAIT_S, 0)
        finally:
            connection.close()
            if not peer.is_source:
                self._reception.remove_peer(peer.name)

    def _fetch(self, connection: PeerConnection, ask: Ask, buffer: memoryview) -> memoryview:
        """Bring one block here, through that buffer; the buffer for the next one."""
        peer = connection.address
        block = ask.candidates[0]
        try:
            proofs = None if peer.is_source else self._proofs.get(block)
            block, heads = connection.start_block(ask.candidates, insists=ask.insists)
            self._reception.start(block, peer.name)
            self._check(block, heads, peer)
            data = buffer[: sum(head.length for head in heads)]
            self._receive(connection, data)
            if self._chain.takes(block, heads):
                return self._chain.add(block, peer.name, heads[0].digest, buffer)
            self._prover.accept(block, peer.name, heads, proofs or heads, data)
        except LaterError:
            self._reception.stop(block, peer.name, was_sent=False)
            self._reception.wait(DECLINED_S)
        except BaseException:
            self._reception.stop(block, peer.name, was_sent=True)
            raise
        return buffer

    def _receive(self, connection: PeerConnection, data: memoryview) -> None:
        step = min(self._pace.chunk_bytes or RECEIVE_BYTES, RECEIVE_BYTES)
        for start in range(0, len(data), step):
            part = data[start : start + step]
            self._pace.wait(len(part))
            connection.receive(part)
            self._reception.bytes_received += len(part)

    def _check(self, block: int, heads: Sequence[Head], peer: PeerAddress) -> None:
        """Make sure that a peer sends neither more nor less than the block."""
        segments = self._reception.manifest.segments(block)
        lengths = [
            head.length == segment.length
            if head.state is SegmentState.OK
            else head.length <= MAX_REASON_BYTES
            for head, segment in zip(heads, segments, strict=False)
        ]
        if len(heads) != len(segments) or not all(lengths):
            raise PeerError(peer.name, f"sends something else than block {block}")


class _News:
    """What a peer has, as far as we heard."""

    def __init__(self, connection: PeerConnection, reception: Reception) -> None:
        self._connection = connection
        self._reception = reception
        self._heard = 0
        self._asked_at = float("-inf")

    def fetch(self, wait_s: float, max_age_s: float) -> None:
        """Hear what is new, if the last time was longer ago than that."""
        if time.monotonic() - self._asked_at >= max_age_s:
            blocks = self._connection.fetch_news(self._heard, wait_s)
            self._asked_at = time.monotonic()
            self._heard += len(blocks)
            self._reception.announce(self._connection.address.name, blocks)
