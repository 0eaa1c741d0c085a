"""What a node's agent is asked, whoever asks and by whichever way: a Ray actor call, or HTTP.

An agent takes part in casts: it offers what is cast, receives it, or both. It decides nothing
about a cast. Its reports are the whole truth of that moment, so that one that was lost costs
nothing, and every call may be made twice.
"""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from pydantic import Field

from castray.cast_models import CastProblem, CastState, IfExists
from castray.models import Record
from castray.transfer.hashing import Algorithm
from castray.transfer.peer import PeerAddress

__all__ = [
    "AgentFacts",
    "AgentLink",
    "AgentReports",
    "DirectoryListing",
    "FileStatus",
    "OfferOrder",
    "Offered",
    "ReceiveOrder",
    "ReceiverReport",
    "UploadOrder",
]


Id = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
"""Of a cast or an upload; hidden directories are called after it."""

Secret = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", repr=False)]
"""What only the hosts of a cast know, as hexadecimal digits."""


class AgentFacts(Record):
    """What an agent is; `incarnation` differs after each restart, when it knows of no cast."""

    incarnation: str
    port: int = Field(description="Where it serves blocks, on its node's address.")
    algorithms: tuple[Algorithm, ...]
    roots: tuple[str, ...]


class OfferOrder(Record):
    """Serve what a path stands for."""

    cast_id: Id
    secret: Secret
    path: str
    algorithm: Algorithm
    is_chained: bool
    bytes_per_s: float | None = None


class Offered(Record):
    """What a path stands for, as it was found; nothing was read yet but names and sizes."""

    files: int
    bytes_total: int
    skipped: tuple[CastProblem, ...] = Field((), description="The first of what is not cast.")
    skipped_total: int = 0


class ReceiveOrder(Record):
    """Receive a cast; the same order again only changes the peers.

    One that failed here begins anew, from what has arrived; one that ended otherwise stays as it
    is, until `end`.
    """

    cast_id: Id
    secret: Secret
    me: str = Field(description="Key of this node.")
    destination: str
    if_exists: IfExists
    peers: tuple[PeerAddress, ...] = Field(description="The source, and other receivers.")
    bytes_per_s: float | None = None


class ReceiverReport(Record):
    """How far this agent is with one cast that it receives.

    `state` is running, paused, completed, partial, failed or cancelled; `failed` with
    `can_retry` means that the others fell silent, and that going on later makes sense.
    """

    cast_id: str
    state: CastState
    path: str
    bytes_total: int | None = None
    bytes_done: int = 0
    files: int = 0
    error: str | None = None
    can_retry: bool = False
    problems: tuple[CastProblem, ...] = ()
    problems_total: int = 0


class AgentReports(Record):
    """All casts that an agent receives, or received and was not told to forget."""

    incarnation: str
    sequence: int = Field(description="Grows with every change of what is reported.")
    receivers: tuple[ReceiverReport, ...]
    offers: tuple[str, ...] = Field(description="Ids of the casts that it is the source of.")


class FileStatus(Record):
    """One name in a directory of a node."""

    name: str
    kind: Literal["file", "directory", "link", "other"]
    size_bytes: int
    modified_ms: int = Field(description="Milliseconds since 1970.")
    mode: int


class DirectoryListing(Record):
    """What a path beneath a root is; `entries` only where it is a directory."""

    path: str
    status: FileStatus
    entries: tuple[FileStatus, ...] = ()
    is_truncated: bool = False
    roots: tuple[str, ...] = Field(description="Every directory of that node that may be used.")


class UploadOrder(Record):
    """A file that somebody sends in pieces."""

    upload_id: Id
    path: str
    if_exists: IfExists


class AgentLink(Protocol):
    """An agent, seen from the head.

    Every method may raise PeerError: the agent is gone, or does not answer.
    """

    async def facts(self) -> AgentFacts:
        """What it is."""
        ...

    async def survey(self, path: str) -> Offered:
        """What a path stands for, without serving it.

        Raises:
            CastError: It may not be read, or there is nothing.
        """
        ...

    async def offer(self, order: OfferOrder) -> Offered:
        """Be a cast's source from now on; the same cast again changes nothing.

        Raises:
            CastError: It may not be read, or there is nothing.
        """
        ...

    async def receive(self, order: ReceiveOrder) -> None:
        """Begin to receive, or go on with, a cast; how it goes is in the reports.

        Raises:
            CastError: The destination may not be written.
        """
        ...

    async def pause(self, cast_id: str) -> None:
        """Ask for no more of that cast."""
        ...

    async def resume(self, cast_id: str) -> None:
        """Ask for more again."""
        ...

    async def end(
        self, cast_id: str, *, keep_partial: bool, destination: str | None = None
    ) -> None:
        """Have nothing to do with that cast any more: receive, offer and report nothing of it.

        Args:
            cast_id: The cast; one that is unknown here is no error.
            keep_partial: Whether what has arrived is kept, so that the cast can go on later.
            destination: Where it went here, if it did: an agent that was begun anew finds there
                what the one before it left.
        """
        ...

    async def reports(self, since: int, wait_s: float) -> AgentReports:
        """All reports, once they differ from those of sequence `since`, or after `wait_s`."""
        ...

    async def reach(self, peer: PeerAddress) -> str | None:
        """Try to connect to another agent's port: None where that works, else what was seen."""
        ...

    async def relay(self, cast_id: str, peer: PeerAddress) -> int:
        """Pass connections on to a peer of that cast until its end; the port that they go to."""
        ...

    async def list_files(self, path: str) -> DirectoryListing:
        """What lies at a path; an empty one is the first root.

        Raises:
            CastError: It may not be read, or there is nothing.
        """
        ...

    async def read_file(self, path: str, offset: int, length: int) -> bytes:
        """Bytes of a file, fewer at its end, `MAX_PIECE_BYTES` at the most.

        Raises:
            CastError: It may not be read, or is no file.
        """
        ...

    async def begin_upload(self, order: UploadOrder) -> None:
        """Make ready to take a file in; its pieces follow in their order.

        Raises:
            CastError: It may not be written there, or exists.
        """
        ...

    async def append_upload(self, upload_id: str, offset: int, data: bytes) -> None:
        """Take the next piece; one that came before is taken for granted.

        Raises:
            CastError: It cannot be written, or a piece is missing before it.
        """
        ...

    async def finish_upload(self, upload_id: str) -> str:
        """Give the file its final name, synced to the disk; its path.

        Raises:
            CastError: That cannot be done; nothing is left of it.
        """
        ...

    async def abort_upload(self, upload_id: str) -> None:
        """Forget it, with everything that came."""
        ...


MAX_PIECE_BYTES = 4 << 20
"""How much of a file goes through one call."""
