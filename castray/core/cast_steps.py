"""What can be asked for the sake of casts; each step is one call of one agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from castray.cast_models import CastRoute  # noqa: TC001 - the steps are made of them

__all__ = [
    "End",
    "Offer",
    "Pause",
    "Peer",
    "Probe",
    "Receive",
    "Relay",
    "Release",
    "Step",
    "UseAgent",
]


class Peer(NamedTuple):
    """Where a host of a cast serves its blocks."""

    name: str
    host: str
    port: int
    is_source: bool = False


@dataclass(frozen=True)
class UseAgent:
    """Have an agent on that node, and listen to its reports from now on."""

    node: str
    cast_id: str = ""


@dataclass(frozen=True)
class Release:
    """The agent on that node is needed no more, or is gone with its node."""

    node: str
    is_gone: bool = False
    cast_id: str = ""


@dataclass(frozen=True)
class Offer:
    """Be the source of a cast; what the agents of all its hosts can verify is in `algorithms`."""

    node: str
    cast_id: str
    algorithms: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Probe:
    """Say whether a target can reach the source."""

    node: str
    cast_id: str
    peer: Peer


@dataclass(frozen=True)
class Relay:
    """Pass connections on to the source, for the targets that cannot reach it."""

    node: str
    cast_id: str
    peer: Peer


@dataclass(frozen=True)
class Receive:
    """Receive a cast, go on with it, or pull from other peers.

    Attributes:
        is_first: Whether this agent is to begin or to go on, not only to change its peers.
        is_afresh: Whether a receiver that gave up is in the way.
    """

    node: str
    cast_id: str
    peers: tuple[Peer, ...]
    route: CastRoute
    is_first: bool
    is_afresh: bool


@dataclass(frozen=True)
class Pause:
    """Ask for no more."""

    node: str
    cast_id: str


@dataclass(frozen=True)
class End:
    """Have nothing to do with a cast any more; `destination` is where it went there, if it did."""

    node: str
    cast_id: str
    keep_partial: bool
    destination: str | None = None


Step = UseAgent | Release | Offer | Probe | Relay | Receive | Pause | End
