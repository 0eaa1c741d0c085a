from __future__ import annotations

from ipaddress import ip_network

import pytest

from castray.discovery.probe import NetworkProbe
from castray.errors import AddressRefusedError, TokenMissingError
from tests.discovery.server import RecordedDashboard, recorded, serve


async def test_a_summary_counts_living_nodes_and_what_they_have_together() -> None:
    async with serve(RecordedDashboard("2.52.1").handle) as url:
        summary = await NetworkProbe().fetch_summary(url)

    assert summary.ray_version == "2.52.1"
    assert summary.nodes == 2
    assert summary.resources["CPU"] == 2
    assert summary.resources["object_store_memory"] == 160_000_000
    assert not any(name.startswith("node:") for name in summary.resources)


async def test_a_dead_node_has_nothing_to_give() -> None:
    dashboard = RecordedDashboard()
    dashboard.answers["/api/v0/nodes"] = recorded("2.60.0-with-dead-node", "nodes")

    async with serve(dashboard.handle) as url:
        summary = await NetworkProbe().fetch_summary(url)

    assert summary.nodes == 1
    assert summary.resources["CPU"] == 1


async def test_a_known_token_is_sent_to_its_dashboard_and_to_no_other() -> None:
    known, stranger = RecordedDashboard(token="sesame"), RecordedDashboard(token="sesame")
    async with serve(known.handle) as url, serve(stranger.handle) as other:
        probe = NetworkProbe(tokens={url: "sesame"})

        summary = await probe.fetch_summary(url)
        with pytest.raises(TokenMissingError):
            await probe.fetch_summary(other)

    assert summary.nodes == 2
    assert not any("Authorization" in request.headers for request in stranger.requests)


async def test_the_policy_holds_for_what_sources_saw_too() -> None:
    probe = NetworkProbe(allowed=[ip_network("10.0.0.0/8")])

    with pytest.raises(AddressRefusedError):
        await probe.fetch_summary("http://127.0.0.1:8265")
    with pytest.raises(AddressRefusedError):
        await probe.fetch_dashboard_url("gcs://127.0.0.1:6379")
