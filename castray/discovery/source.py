"""What a source of clusters is, and what is known of what it saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pydantic import computed_field

from castray.chinese import in_chinese
from castray.models import Record, ToldInBoth

__all__ = [
    "Candidate",
    "ClusterSummary",
    "DiscoveryReport",
    "FoundCluster",
    "Rejected",
    "Sightings",
    "Source",
    "SourceReport",
]


@dataclass(frozen=True)
class Candidate:
    """What may be a cluster; at least one of the addresses is known.

    Attributes:
        dashboard_url: Where its dashboard is said to be.
        ray_address: Where Ray itself is joined: `gcs://host:port` or `ray://host:port`.
        session_name: Which cluster it is said to be.
        is_running: A living process vouches for it, even if its dashboard does not answer.
    """

    dashboard_url: str | None = None
    ray_address: str | None = None
    session_name: str | None = None
    is_running: bool = False


@dataclass(frozen=True)
class Sightings:
    """What a source saw, and what people should know of how it looked."""

    candidates: tuple[Candidate, ...] = ()
    notes: tuple[str, ...] = ()


class Source(Protocol):
    """One way to find clusters.

    `fetch` looks once and returns all that it sees. It need not check that a candidate is a
    cluster, but claims `is_running` only for what a living process showed. It may raise anything:
    that is reported, and hinders no other source. It never blocks the event loop, and ends soon
    after its task is cancelled, which is what a deadline does. It reads no environment and no
    settings: what it has to know, it was made with.
    """

    @property
    def name(self) -> str:
        """What settings and reports call it."""
        ...

    async def fetch(self) -> Sightings:
        """Look once."""
        ...


class ClusterSummary(Record):
    """What a dashboard says of its cluster: living nodes, and the sum of their resources."""

    session_name: str
    ray_version: str
    nodes: int
    resources: dict[str, float]


class FoundCluster(ToldInBoth):
    """A cluster that runs; what could not be read of it is None, and `error` says why."""

    session_name: str | None
    dashboard_url: str | None
    gcs_address: str | None
    ray_version: str | None
    nodes: int | None
    resources: dict[str, float]
    sources: tuple[str, ...]
    needs_token: bool
    error: str | None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def error_zh(self) -> str | None:
        """The same as `error` in Chinese, where there is a text for it."""
        return None if self.error is None else in_chinese(self.error)


class Rejected(ToldInBoth):
    """What a source saw that is no running cluster, and why not."""

    address: str
    why: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def why_zh(self) -> str | None:
        """The same in Chinese, where there is a text for it."""
        return in_chinese(self.why)


class SourceReport(ToldInBoth):
    """What one source saw; `clusters` names them by dashboard, or else by another address."""

    name: str
    duration_s: float
    error: str | None
    clusters: tuple[str, ...]
    rejected: tuple[Rejected, ...]
    notes: tuple[str, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def error_zh(self) -> str | None:
        """The same as `error` in Chinese, where there is a text for it."""
        return None if self.error is None else in_chinese(self.error)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def notes_zh(self) -> tuple[str | None, ...]:
        """Each of the notes in Chinese, where there is a text for it."""
        return tuple(map(in_chinese, self.notes))


class DiscoveryReport(Record):
    """What one discovery found, and how."""

    clusters: tuple[FoundCluster, ...]
    sources: tuple[SourceReport, ...]
    duration_s: float
