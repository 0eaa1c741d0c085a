"""What a receiver is asked to do, what it tells meanwhile, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from castray.cast_models import CastProblem, IfExists

if TYPE_CHECKING:
    from castray.core.paths import RootedPath
    from castray.transfer.peer import Membership

__all__ = ["Order", "Outcome", "Progress"]


@dataclass(frozen=True)
class Order:
    """What a receiver is to do.

    Attributes:
        membership: In which cast, and as whom.
        destination: Where the files go.
        if_exists: What to do where something is there already.
        bytes_per_s: The most to receive, and the most to send to others; None: no limit.
        source_streams: How many connections to a source that has no other receivers.
        patience_s: After so long without a byte the cast is given up, to be resumed later.
        keeps_trace: Whether an empty partial stays when everything is placed, from which the
            next receiver of this cast knows that it was, and does not find its files in the way.
    """

    membership: Membership
    destination: RootedPath
    if_exists: IfExists = IfExists.FAIL
    bytes_per_s: float | None = None
    source_streams: int = 2
    patience_s: float = 60.0
    keeps_trace: bool = False


@dataclass(frozen=True)
class Progress:
    """How far a receiver is; `bytes_done` are verified, or were there already."""

    bytes_total: int
    bytes_done: int
    bytes_received: int


@dataclass(frozen=True)
class Outcome:
    """How it ended: everything is in its place but what `problems` names, the first of them.

    Attributes:
        path: Where the file, the directory, or all of several things are now.
        files: How many files are in their places, those that were there already included.
        bytes_done: Their bytes.
        bytes_received: What came over the network.
        bad_blocks: How many damaged blocks came from each peer.
    """

    path: str
    files: int
    bytes_done: int
    bytes_received: int
    problems: tuple[CastProblem, ...]
    problems_total: int
    bad_blocks: dict[str, int]
