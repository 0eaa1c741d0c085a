"""The steps of receiving a cast, one after the other."""

from __future__ import annotations

import os
import time
import zlib
from itertools import islice
from typing import TYPE_CHECKING

from castray.cast_models import CastProblem, IfExists
from castray.errors import CastError, PeerError, TargetFileError
from castray.transfer.buffers import new_buffer
from castray.transfer.chain import Chain
from castray.transfer.existing import ExistingCheck
from castray.transfer.journal import Journal
from castray.transfer.order import Outcome, Progress
from castray.transfer.pacing import Pace
from castray.transfer.pages import DIRECTORY, FILE, LINK
from castray.transfer.placing import Placer
from castray.transfer.proofs import Proofs
from castray.transfer.proving import Prover
from castray.transfer.reception import Reception
from castray.transfer.reshare import ReceiverShare
from castray.transfer.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable

    from castray.transfer.control import SourceControl
    from castray.transfer.destination import Destination
    from castray.transfer.manifest import Manifest
    from castray.transfer.order import Order
    from castray.transfer.partial import Partial
    from castray.transfer.steering import Steering

__all__ = ["Receiving"]

PROGRESS_S = 0.25
"""Progress is told at most this often."""

LOOK_AGAIN_BLOCKS = 32

MAX_PROBLEMS_TOLD = 100

WRONG_TWICE = "is damaged on this host's disk, twice in a row, though its blocks arrived right"


class Receiving:
    """One cast being received; each step expects those before it.

    Attributes:
        is_placing: Whether an earlier receiver had everything, and only names are missing.
        streams: Pull the blocks.
        share: Gives them to others.
    """

    def __init__(
        self,
        order: Order,
        root: int,
        manifest: Manifest,
        destination: Destination,
        partial: Partial,
        control: SourceControl,
        steering: Steering,
        source: str,
    ) -> None:
        self._order = order
        self._root = root
        self._manifest = manifest
        self._destination = destination
        self._partial = partial
        self._control = control
        self._steering = steering
        self._journal = Journal(partial.journal)
        self._done = self._journal.start(manifest.header.digest)
        self.is_placing = self._done.is_placing
        if not self._done.blocks and not self.is_placing:
            partial.clear()
        me = order.membership.me
        self._reception = Reception(
            manifest, partial, self._journal, source=source, seed=zlib.crc32(me.encode())
        )
        self._fetched_again: set[int] = set()
        for number, problem in self._done.problems.items():
            self._reception.refuse(number, problem)
        self._prover = Prover(self._reception, destination)
        self._proofs = Proofs(self._reception, control)
        self._pace = Pace(order.bytes_per_s)
        self.share = ReceiverShare(
            self._reception, destination, order.membership.secret, order.bytes_per_s
        )
        self.streams = Streams(
            order.membership,
            self._reception,
            self._prover,
            Chain(self._reception, self._prover),
            self._proofs,
            self._pace,
            steering,
            order.source_streams,
        )

    def check_room(self) -> None:
        """Make sure that the disk has room, as far as can be said before the start.

        Raises:
            TargetFileError: It has not.
        """
        needed = self._manifest.header.bytes_total
        disk = os.fstatvfs(self._partial.parent)
        free = disk.f_bavail * disk.f_frsize
        is_fresh = not self._done.blocks and self._order.if_exists is not IfExists.SKIP
        if is_fresh and needed > free:
            raise TargetFileError(
                str(self._order.destination), f"needs {needed} bytes, and the disk has {free} left"
            )

    def check_existing(self) -> None:
        """Decide about everything at whose place there is something already."""
        ExistingCheck(
            self._root,
            self._destination,
            self._order.if_exists,
            self._reception,
            self._control,
            self._steering,
        ).run()

    def look_again(self) -> None:
        """Believe what the journal claims as far as it is so."""
        claimed = sorted(block for block in self._done.blocks if block < self._manifest.blocks)
        buffer = new_buffer(self._manifest.header.block_bytes)
        for start in range(0, len(claimed), LOOK_AGAIN_BLOCKS):
            batch = claimed[start : start + LOOK_AGAIN_BLOCKS]
            for block, proofs in self._proofs.fetch(batch).items():
                self._steering.check()
                self._prover.look_again(block, proofs, buffer)

    def wait_until_complete(self, on_progress: Callable[[Progress], None]) -> None:
        """Wait for the streams, prove whole files, and tell how far we are.

        Raises:
            PeerError: Nothing has come for too long.
            CastCancelledError: The cast was ended.
        """
        told_at = float("-inf")
        patience = _Patience(self._order.patience_s)
        while not self._reception.is_complete:
            self._steering.check()
            if self._reception.failure is not None:
                raise self._reception.failure
            patience.look(self._reception.bytes_received, is_paused=self._steering.is_paused)
            if time.monotonic() - told_at >= PROGRESS_S:
                told_at = time.monotonic()
                on_progress(self._progress())
            number = self._reception.next_whole()
            if number is None:
                self._reception.wait_until_settled(PROGRESS_S)
            else:
                self._prove_whole(number)
        on_progress(self._progress())

    def complete(self) -> None:
        """Make what needs no blocks, finish large files, and bring all to the disk."""
        for number, entry in self._manifest.entries():
            if not self._reception.is_wanted(number):
                continue
            if entry.kind == LINK:
                self._partial.make_link(number, entry)
            elif entry.kind == FILE and not entry.size:
                self._partial.write_whole(number, entry, memoryview(b""))
            elif entry.size > self._manifest.header.block_bytes:
                self._partial.finish(number, entry)
        self._partial.sync()
        self._journal.start_placing()

    def place(self) -> Outcome:
        """Give everything its final name.

        Raises:
            OSError: The destination cannot be opened.
        """
        with self._destination.open(self._root) as directory:
            placer = Placer(
                directory,
                self._destination,
                self._order.if_exists,
                self._partial,
                self._journal,
                self._manifest,
                self._done.directories,
            )
            self.share.names = self._done.names
            self._done.names |= placer.run(self._is_due, self._reception.refuse)
        return self._outcome()

    def _is_due(self, number: int) -> bool:
        """Whether an entry is still to be placed: an earlier receiver may have placed it."""
        if not self._reception.is_wanted(number):
            return False
        is_directory = self._manifest.entry(number).kind == DIRECTORY
        return not self.is_placing or is_directory or self._partial.has(number)

    def _prove_whole(self, number: int) -> None:
        """Read a large file again and compare it with the source's; a second failure is final."""
        try:
            digest = self._control.ask(lambda source: source.fetch_whole(number))
        except PeerError:
            raise
        except CastError as error:
            self._reception.refuse(number, error.problem)
            return
        if self._prover.prove_whole(number, digest):
            return
        if number in self._fetched_again:
            self._reception.refuse(number, WRONG_TWICE)
        self._fetched_again.add(number)
        self._reception.fetch_again(number)

    def _progress(self) -> Progress:
        reception = self._reception
        total = self._manifest.header.bytes_total
        return Progress(total, reception.bytes_done, reception.bytes_received)

    def _outcome(self) -> Outcome:
        reception, header = self._reception, self._manifest.header
        problems = [
            CastProblem(path=self._destination.shown(self._manifest.entry(number)), problem=problem)
            for number, problem in islice(reception.problems.items(), MAX_PROBLEMS_TOLD)
        ]
        problems += [CastProblem(path=s.path, problem=s.problem) for s in header.skipped]
        refused = [self._manifest.entry(number) for number in reception.problems]
        return Outcome(
            path=self._path(),
            files=header.files - sum(entry.kind == FILE for entry in refused),
            bytes_done=header.bytes_total - sum(entry.size for entry in refused),
            bytes_received=reception.bytes_received,
            problems=tuple(problems[:MAX_PROBLEMS_TOLD]),
            problems_total=len(reception.problems) + header.skipped_total,
            bad_blocks=dict(reception.bad_blocks),
        )

    def _path(self) -> str:
        """Where the one thing is that was cast, or the directory that several are in."""
        tops = {entry.path.partition("/")[0] for _, entry in self._manifest.entries()}
        directory = "/".join(
            [self._order.destination.root.rstrip("/"), *self._destination.directory]
        )
        if len(tops) > 1:
            return f"{directory}/"
        first = self._manifest.entry(0)
        name = self._destination.parts(first)[0]
        return f"{directory}/{self._done.names.get(0, name) if first.kind != DIRECTORY else name}"


class _Patience:
    """Notices when nothing has come for too long."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._received = -1
        self._moved_at = 0.0

    def look(self, received: int, *, is_paused: bool) -> None:
        """Look at the number of bytes received so far.

        Raises:
            PeerError: It has not grown for too long.
        """
        now = time.monotonic()
        if received != self._received or is_paused:
            self._received, self._moved_at = received, now
        elif now - self._moved_at > self._limit_s:
            raise PeerError(
                "cast",
                f"received nothing for {self._limit_s:.0f} s from anybody; what has arrived is "
                "kept, and a retry goes on from there",
            )
