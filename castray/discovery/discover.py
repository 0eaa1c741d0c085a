"""Find Ray clusters: every source at once, every dashboard asked once, merged by session name."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from castray.discovery.source import (
    ClusterSummary,
    DiscoveryReport,
    FoundCluster,
    Rejected,
    Sightings,
    SourceReport,
)
from castray.errors import (
    ClusterTooSlowError,
    ExternalClusterError,
    InvalidRequestError,
    NotARayDashboardError,
    TokenMissingError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from castray.discovery.source import Candidate, Source

__all__ = ["Probe", "discover"]

logger = logging.getLogger(__name__)

MAX_PROBES = 32
"""At once: a thousand processes that look like Ray's must not make us open a thousand sockets."""

GCS_SCHEME = "gcs://"

T = TypeVar("T")


class Probe(Protocol):
    """Asks candidates who they are."""

    async def fetch_dashboard_url(self, ray_address: str) -> str:
        """Where the dashboard of the cluster is that is joined at that address.

        Raises:
            ExternalClusterError: Nobody says.
            InvalidRequestError: That is no address.
        """
        ...

    async def fetch_summary(self, dashboard_url: str) -> ClusterSummary:
        """What that dashboard says.

        Raises:
            ExternalClusterError: It cannot be read.
            InvalidRequestError: That is no address.
        """
        ...


class _Look(NamedTuple):
    """What one source answered."""

    source: str
    duration_s: float
    sightings: Sightings
    error: str | None


class _Sighting(NamedTuple):
    """A candidate, and what its dashboard said; those with the same key are one cluster."""

    source: str
    candidate: Candidate
    url: str | None
    answer: ClusterSummary | ExternalClusterError
    key: str

    @property
    def is_cluster(self) -> bool:
        certain = (ClusterSummary, TokenMissingError)
        return self.candidate.is_running or isinstance(self.answer, certain)

    @property
    def address(self) -> str:
        return self.url or self.candidate.ray_address or self.key


async def discover(
    sources: Sequence[Source],
    probe: Probe,
    deadline_s: float,
    exclude_session: str | None = None,
) -> DiscoveryReport:
    """Ask every source, then every dashboard that they saw; no failure of one hinders another.

    Args:
        sources: Where to look; what the first ones say of a cluster counts most.
        probe: How candidates are asked.
        deadline_s: For all of it; the sources have half of it, each by itself.
        exclude_session: Session name of a cluster to leave out: the home cluster.
    """
    started = time.monotonic()
    looks = await asyncio.gather(*(_look(source, deadline_s / 2) for source in sources))
    seen = [
        sighting
        for sighting in await _identify(looks, probe, deadline_s / 4)
        if sighting.key != exclude_session
    ]
    clusters: defaultdict[str, list[_Sighting]] = defaultdict(list)
    for sighting in seen:
        if sighting.is_cluster:
            clusters[sighting.key].append(sighting)
    # The same clusters in the same order each time, whichever source was faster.
    addresses = {key: sightings[0].address for key, sightings in clusters.items()}
    return DiscoveryReport(
        clusters=tuple(
            _found(clusters[key]) for key in sorted(clusters, key=addresses.__getitem__)
        ),
        sources=tuple(_report(look, seen) for look in looks),
        duration_s=time.monotonic() - started,
    )


async def _look(source: Source, deadline_s: float) -> _Look:
    started = time.monotonic()
    sightings, error = Sightings(), None
    try:
        sightings = await asyncio.wait_for(source.fetch(), deadline_s)
    except asyncio.TimeoutError:
        error = f"It was not ready after {deadline_s:g} s."
    except Exception as failure:
        logger.exception("the source %s failed", source.name)
        error = f"{type(failure).__name__}: {failure}"
    return _Look(source.name, time.monotonic() - started, sightings, error)


async def _identify(looks: Sequence[_Look], probe: Probe, deadline_s: float) -> list[_Sighting]:
    seen = [(look.source, candidate) for look in looks for candidate in look.sightings.candidates]
    urls: dict[str | None, str | ExternalClusterError] = {
        c.ray_address: c.dashboard_url for _, c in seen if c.ray_address and c.dashboard_url
    }
    unknown = [c.ray_address for _, c in seen if c.ray_address and not c.dashboard_url]
    urls.update(
        await _outcomes(set(unknown).difference(urls), probe.fetch_dashboard_url, deadline_s)
    )
    where = [(source, c, c.dashboard_url or urls[c.ray_address]) for source, c in seen]
    answers = await _outcomes(
        {url for _, _, url in where if isinstance(url, str)}, probe.fetch_summary, deadline_s
    )
    # Who asks for a token does not say which cluster it is, but its processes did.
    names = {url: c.session_name for _, c, url in reversed(where) if c.session_name}
    return [
        _sighting(source, c, url, answers[url] if isinstance(url, str) else url, names.get(url))
        for source, c, url in where
    ]


def _sighting(
    source: str,
    candidate: Candidate,
    url: str | ExternalClusterError,
    answer: ClusterSummary | ExternalClusterError,
    name: str | None,
) -> _Sighting:
    known_url = url if isinstance(url, str) else None
    claimed = candidate.session_name
    if isinstance(answer, ClusterSummary):
        if claimed in {None, answer.session_name}:
            return _Sighting(source, candidate, known_url, answer, answer.session_name)
        answer = NotARayDashboardError(
            known_url or "", f"is the dashboard of another cluster now, {answer.session_name}."
        )
    key = claimed or name or known_url or candidate.ray_address or ""
    return _Sighting(source, candidate, known_url, answer, key)


async def _outcomes(
    addresses: Iterable[str], fetch: Callable[[str], Awaitable[T]], deadline_s: float
) -> dict[str, T | ExternalClusterError]:
    """What each address answered, or why it did not; each is asked once."""
    slots = asyncio.Semaphore(MAX_PROBES)

    async def outcome(address: str) -> T | ExternalClusterError:
        try:
            async with slots:
                return await asyncio.wait_for(fetch(address), deadline_s)
        except ExternalClusterError as error:
            return error
        except InvalidRequestError as error:
            return NotARayDashboardError(address, str(error))
        except asyncio.TimeoutError:
            return ClusterTooSlowError(address, f"gave no answer within {deadline_s:g} s.")

    asked = list(addresses)
    return dict(zip(asked, await asyncio.gather(*map(outcome, asked)), strict=True))


def _found(sightings: Sequence[_Sighting]) -> FoundCluster:
    best = min(sightings, key=_doubt)
    summary = best.answer if isinstance(best.answer, ClusterSummary) else None
    gcs = (c.ray_address for _, c, *_ in sightings if (c.ray_address or "").startswith(GCS_SCHEME))
    names = (c.session_name for _, c, *_ in sightings if c.session_name)
    return FoundCluster(
        session_name=summary.session_name if summary else next(names, None),
        dashboard_url=best.url,
        gcs_address=(next(gcs, None) or "").removeprefix(GCS_SCHEME) or None,
        ray_version=summary.ray_version if summary else None,
        nodes=summary.nodes if summary else None,
        resources=summary.resources if summary else {},
        sources=tuple(dict.fromkeys(sighting.source for sighting in sightings)),
        needs_token=isinstance(best.answer, TokenMissingError),
        error=None if summary else str(best.answer),
    )


def _doubt(sighting: _Sighting) -> int:
    """How little an answer says: all, that it wants a token, nothing."""
    if isinstance(sighting.answer, ClusterSummary):
        return 0
    return 1 if isinstance(sighting.answer, TokenMissingError) else 2


def _report(look: _Look, seen: Sequence[_Sighting]) -> SourceReport:
    own = [sighting for sighting in seen if sighting.source == look.source]
    return SourceReport(
        name=look.source,
        duration_s=look.duration_s,
        error=look.error,
        clusters=tuple(dict.fromkeys(s.address for s in own if s.is_cluster)),
        rejected=tuple(
            Rejected(address=s.address, why=str(s.answer)) for s in own if not s.is_cluster
        ),
        notes=look.sightings.notes,
    )
