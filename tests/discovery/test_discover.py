from __future__ import annotations

import asyncio

import pytest

from castray.discovery.discover import discover
from castray.discovery.source import Candidate, ClusterSummary, Sightings
from castray.errors import (
    ClusterUnreachableError,
    ExternalClusterError,
    InvalidRequestError,
    NotARayDashboardError,
    TokenMissingError,
)

URL = "http://10.0.0.1:8265"
OTHER_URL = "http://10.0.0.2:8265"
GCS = "gcs://10.0.0.1:6379"
ONE = ClusterSummary(
    session_name="session_1", ray_version="2.60.0", nodes=2, resources={"CPU": 4.0}
)
TWO = ONE.model_copy(update={"session_name": "session_2"})
LOCKED = TokenMissingError(URL, "wants a token.")
STRANGER = NotARayDashboardError(URL, "is something else.")
GONE = ClusterUnreachableError(URL, "cannot be reached.")


class FakeSource:
    """Sees these candidates."""

    def __init__(self, name: str, *candidates: Candidate, notes: tuple[str, ...] = ()) -> None:
        self.name = name
        self._sightings = Sightings(candidates, notes)

    async def fetch(self) -> Sightings:
        return self._sightings


class FakeProbe:
    """Knows what dashboards and GCSs answer; whatever else is asked does not exist."""

    def __init__(
        self,
        dashboards: dict[str, ClusterSummary | Exception] | None = None,
        gcs: dict[str, str | Exception] | None = None,
    ) -> None:
        self._dashboards = dashboards or {}
        self._gcs = gcs or {}
        self.asked: list[str] = []

    async def fetch_dashboard_url(self, ray_address: str) -> str:
        self.asked.append(ray_address)
        answer = self._gcs.get(ray_address, GONE)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def fetch_summary(self, dashboard_url: str) -> ClusterSummary:
        self.asked.append(dashboard_url)
        answer = self._dashboards.get(dashboard_url, GONE)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_what_several_sources_see_is_one_cluster_that_was_asked_once() -> None:
    probe = FakeProbe({URL: ONE})
    sources = [
        FakeSource("process_scan", Candidate(URL, GCS, "session_1", is_running=True)),
        FakeSource("ray_status", Candidate(ray_address=GCS)),
        FakeSource("dashboard_scan", Candidate(URL)),
        FakeSource("temp_dir", Candidate(URL, session_name="session_1")),
    ]

    report = await discover(sources, probe, 10)

    (found,) = report.clusters
    assert found.session_name == "session_1"
    assert found.dashboard_url == URL
    assert found.gcs_address == "10.0.0.1:6379"
    assert found.ray_version == "2.60.0"
    assert found.nodes == 2
    assert found.resources == {"CPU": 4.0}
    assert found.sources == ("process_scan", "ray_status", "dashboard_scan", "temp_dir")
    assert found.error is None
    assert probe.asked == [URL]


async def test_one_cluster_at_two_addresses_is_one_cluster() -> None:
    probe = FakeProbe({URL: ONE, OTHER_URL: ONE})

    report = await discover([FakeSource("a", Candidate(URL), Candidate(OTHER_URL))], probe, 10)

    assert len(report.clusters) == 1


async def test_two_clusters_are_two() -> None:
    probe = FakeProbe({URL: ONE, OTHER_URL: TWO})

    report = await discover([FakeSource("a", Candidate(URL), Candidate(OTHER_URL))], probe, 10)

    assert [found.session_name for found in report.clusters] == ["session_1", "session_2"]


async def test_a_gcs_is_asked_for_its_dashboard() -> None:
    probe = FakeProbe({URL: ONE}, {GCS: URL})

    report = await discover([FakeSource("ray_status", Candidate(ray_address=GCS))], probe, 10)

    (found,) = report.clusters
    assert found.dashboard_url == URL
    assert probe.asked == [GCS, URL]


@pytest.mark.parametrize("dashboard", [ONE, LOCKED])
async def test_the_home_cluster_is_left_out_even_where_it_wants_a_token(
    dashboard: ClusterSummary | ExternalClusterError,
) -> None:
    probe = FakeProbe({URL: dashboard, OTHER_URL: TWO})
    sources = [
        FakeSource("process_scan", Candidate(URL, GCS, "session_1", is_running=True)),
        FakeSource("dashboard_scan", Candidate(URL), Candidate(OTHER_URL)),
    ]

    report = await discover(sources, probe, 10, exclude_session="session_1")

    assert [found.session_name for found in report.clusters] == ["session_2"]
    assert [source.clusters for source in report.sources] == [(), (OTHER_URL,)]


async def test_a_cluster_that_wants_a_token_is_found_and_named_by_its_processes() -> None:
    sources = [
        FakeSource("dashboard_scan", Candidate(URL)),
        FakeSource("process_scan", Candidate(URL, GCS, "session_1", is_running=True)),
    ]

    report = await discover(sources, FakeProbe({URL: LOCKED}), 10)

    (found,) = report.clusters
    assert found.needs_token
    assert found.session_name == "session_1"
    assert found.nodes is None
    assert found.sources == ("dashboard_scan", "process_scan")


async def test_a_cluster_that_wants_a_token_is_found_even_where_nothing_names_it() -> None:
    report = await discover(
        [FakeSource("dashboard_scan", Candidate(URL))], FakeProbe({URL: LOCKED}), 10
    )

    (found,) = report.clusters
    assert found.needs_token
    assert found.session_name is None


@pytest.mark.parametrize("answer", [STRANGER, GONE])
async def test_what_is_no_cluster_is_reported_with_why(answer: ExternalClusterError) -> None:
    probe = FakeProbe({URL: answer})

    report = await discover([FakeSource("dashboard_scan", Candidate(URL))], probe, 10)

    (source,) = report.sources
    (rejected,) = source.rejected
    assert report.clusters == ()
    assert rejected.address == URL
    assert rejected.why == str(answer)


async def test_a_running_cluster_whose_dashboard_does_not_answer_is_found_with_why() -> None:
    running = Candidate(URL, GCS, "session_1", is_running=True)

    report = await discover([FakeSource("process_scan", running)], FakeProbe(), 10)

    (found,) = report.clusters
    assert found.session_name == "session_1"
    assert found.error == str(GONE)
    assert not found.needs_token


async def test_an_old_session_whose_address_another_cluster_took_is_not_that_cluster() -> None:
    probe = FakeProbe({URL: TWO})
    sources = [
        FakeSource("temp_dir", Candidate(URL, session_name="session_1")),
        FakeSource("dashboard_scan", Candidate(URL)),
    ]

    report = await discover(sources, probe, 10)

    (found,) = report.clusters
    (rejected,) = report.sources[0].rejected
    assert found.session_name == "session_2"
    assert found.sources == ("dashboard_scan",)
    assert "is the dashboard of another cluster now, session_2" in rejected.why


async def test_a_source_that_fails_is_reported_and_hinders_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(FakeSource):
        async def fetch(self) -> Sightings:
            raise PermissionError("no proc")

    sources = [Broken("process_scan"), FakeSource("dashboard_scan", Candidate(URL))]

    report = await discover(sources, FakeProbe({URL: ONE}), 10)

    broken, healthy = report.sources
    assert broken.error == "PermissionError: no proc"
    assert healthy.error is None
    assert len(report.clusters) == 1
    assert "the source process_scan failed" in caplog.text


async def test_a_source_that_hangs_is_cut_off_and_hinders_no_other() -> None:
    class Hanging(FakeSource):
        async def fetch(self) -> Sightings:
            await asyncio.Event().wait()
            return Sightings()

    sources = [Hanging("temp_dir"), FakeSource("dashboard_scan", Candidate(URL))]

    report = await discover(sources, FakeProbe({URL: ONE}), 0.2)

    hanging, _ = report.sources
    assert hanging.error == "It was not ready after 0.1 s."
    assert hanging.duration_s >= 0.1
    assert len(report.clusters) == 1


async def test_a_dashboard_that_hangs_is_cut_off_and_hinders_no_other() -> None:
    class HangingProbe(FakeProbe):
        async def fetch_summary(self, dashboard_url: str) -> ClusterSummary:
            if dashboard_url == OTHER_URL:
                await asyncio.Event().wait()
            return await super().fetch_summary(dashboard_url)

    source = FakeSource("dashboard_scan", Candidate(OTHER_URL), Candidate(URL))

    report = await discover([source], HangingProbe({URL: ONE}), 0.4)

    (rejected,) = report.sources[0].rejected
    assert len(report.clusters) == 1
    assert rejected.why == f"{OTHER_URL} gave no answer within 0.1 s."


async def test_an_address_that_is_none_is_rejected_and_hinders_no_other() -> None:
    nonsense = InvalidRequestError("'gcs://x y' is no address of a cluster.")
    probe = FakeProbe({URL: ONE}, {"gcs://x y": nonsense})
    source = FakeSource("temp_dir", Candidate(ray_address="gcs://x y"), Candidate(URL))

    report = await discover([source], probe, 10)

    (rejected,) = report.sources[0].rejected
    assert len(report.clusters) == 1
    assert rejected.address == "gcs://x y"


async def test_what_a_source_notes_is_reported() -> None:
    source = FakeSource("temp_dir", notes=("Session directories of clusters that ended: 3.",))

    report = await discover([source], FakeProbe(), 10)

    assert report.sources[0].notes == ("Session directories of clusters that ended: 3.",)


async def test_without_sources_nothing_is_found() -> None:
    report = await discover([], FakeProbe(), 10)

    assert report.clusters == ()
    assert report.sources == ()
