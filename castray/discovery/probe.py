"""How discovery asks candidates who they are."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from castray.core.clusters import DEFAULT_ALLOWED_NETWORKS
from castray.discovery.dashboard import Dashboard
from castray.discovery.locate import Locator
from castray.discovery.source import ClusterSummary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from ipaddress import IPv4Network, IPv6Network

__all__ = ["NetworkProbe"]


class NetworkProbe:
    """Asks GCSs and dashboards over the network.

    Args:
        allowed: The networks that we may connect to.
        tokens: The tokens that are known, by URL of the dashboard: none is sent anywhere else.
    """

    def __init__(
        self,
        allowed: Sequence[IPv4Network | IPv6Network] = DEFAULT_ALLOWED_NETWORKS,
        tokens: Mapping[str, str] | None = None,
    ) -> None:
        self._allowed = tuple(allowed)
        self._tokens = dict(tokens or {})
        self._locator = Locator(allowed)

    async def fetch_dashboard_url(self, ray_address: str) -> str:
        """See `castray.discovery.discover.Probe`."""
        return await self._locator.fetch_dashboard_url(ray_address)

    async def fetch_summary(self, dashboard_url: str) -> ClusterSummary:
        """See `castray.discovery.discover.Probe`."""
        token = self._tokens.get(dashboard_url)
        dashboard = await Dashboard.open(dashboard_url, allowed=self._allowed, token=token)
        try:
            version = await dashboard.fetch_version()
            nodes = await dashboard.fetch_nodes()
        finally:
            await dashboard.aclose()
        alive = [node.facts for node in nodes if node.facts.alive]
        totals: defaultdict[str, float] = defaultdict(float)
        for name, amount in (item for facts in alive for item in facts.resources.items()):
            # `node:10.0.0.1` is there to place tasks, not to be given out.
            if ":" not in name:
                totals[name] += amount
        return ClusterSummary(
            session_name=version.session_name,
            ray_version=version.ray_version,
            nodes=len(alive),
            resources=dict(totals),
        )
