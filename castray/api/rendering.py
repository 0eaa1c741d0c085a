"""What is rendered from a view, and shared by everybody who asks while it lasts."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from castray import __version__
from castray.api.bodies import Body, Fragments
from castray.api.notices import render_notice
from castray.api.paging import take_page
from castray.changes import Changes
from castray.core.external_status import render_external_info
from castray.core.ray_dashboard import render_node, render_summary
from castray.core.system_status import (
    render_ray_account,
    render_system_node,
)
from castray.errors import RegistryUnavailableError
from castray.models import Node, NodeState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from castray.api.feed import ReplicaFeed
    from castray.changes import CollectionChanges
    from castray.core.replica import View
    from castray.models import Record, WorkStatus

__all__ = ["Rendering"]

MAX_ENCODED_CHANGES = 256
"""Sockets mostly hold the same few versions; those that do not are few."""

MAX_PAGES = 256
"""Readers mostly ask for the same few pages."""

COLLECTIONS = [name for name in Changes.model_fields if name not in ("version", "since")]

VIEW_S_PER_NODE = 100e-6
"""How long readers share a view, for each node in it. To render and compress it takes a tenth of
that: so the share of its time that a replica is busy with it, and that others wait for it, is
bounded, however many nodes there are and however fast versions follow each other."""


class Rendering:
    """Encodes what readers are shown: each record once for each shape, each text once for a view.

    Args:
        feed: Where the views come from.
        fallback: What old clients are shown where a work status is unknown.
    """

    def __init__(self, feed: ReplicaFeed, fallback: WorkStatus) -> None:
        self._feed = feed
        self._nodes = Fragments[Node](Node.model_dump_json)
        self._system_nodes = Fragments[Node](lambda n: render_system_node(n).model_dump_json())
        self._dashboard_nodes = Fragments[Node](
            lambda node: render_node(node, fallback).model_dump_json()
        )
        self._view: View | None = None
        self._viewed_at_s = 0.0
        self._texts: dict[str, str] = {}
        self._dashboards: dict[tuple[int | None, str | None], Body] = {}
        self._changes: dict[str | None, str] = {}
        self._changes_version: str | None = None
        self._notices: list[str] = []
        self._notices_span: tuple[str, str | None] | None = None

    def view(self) -> View:
        """What readers are shown: the newest view, or one that is hardly older.

        Raises:
            RegistryUnavailableError: Nothing is known yet.
        """
        if self._view is None or self._view.feed_lost_since != self._feed.lost_since:
            return self._newest_view()
        age_s = time.monotonic() - self._viewed_at_s
        is_old = age_s > VIEW_S_PER_NODE * len(self._view.nodes)
        return self._newest_view() if is_old else self._view

    def ray_dashboard(self, limit: int | None = None, after: str | None = None) -> Body:
        """The body of `GET /api/ray-dashboard`.

        Args:
            limit: How many nodes at most, where not all are wanted.
            after: The key of the last node on the page before, where there is one.
        """
        view, page = self.view(), (limit, after)
        if page not in self._dashboards:
            if len(self._dashboards) >= MAX_PAGES:
                self._dashboards = {}
            self._dashboards[page] = Body(self._ray_dashboard_text(view, limit, after))
        return self._dashboards[page]

    def cluster_status(self) -> str:
        """The `cluster_status` message, always of the newest view: no other follows soon."""
        view = self._newest_view()

        def make() -> str:
            data = self._nodes_and_summary(view, view.nodes)
            return f'{{"type":"cluster_status","data":{{{data}}}}}'

        return self._once("cluster_status", make)

    def system_status(self, uptime_s: float) -> Body:
        """The body of `GET /api/status`; only its up-time is not shared."""
        view = self.view()
        shared = self._once("system_status", lambda: self._system_status_text(view))
        return Body(f'{{"service":"castray","uptime_s":{uptime_s:.3f},{shared}}}')

    def node(self, node: Node) -> str:
        """A node's own record."""
        return self._nodes.get(node)

    def nodes(self, nodes: Sequence[Node]) -> str:
        """The records of these nodes, with commas between."""
        return self._nodes.join(nodes)

    def changes(self, since: str | None) -> tuple[str, str]:
        """The `delta` from that version, or the `snapshot` where it is not known.

        Returns:
            The version that who applies it holds then, and the message.

        Raises:
            InvalidRequestError: `since` is no version.
            RegistryUnavailableError: Nothing is known yet.
        """
        version = self._feed.version
        if version is None:
            raise RegistryUnavailableError
        if version != self._changes_version or len(self._changes) >= MAX_ENCODED_CHANGES:
            self._changes_version, self._changes = version, {}
        if since not in self._changes:
            changes = self._feed.changes_since(since)
            # However many unknown versions are asked for, they get one and the same snapshot.
            if changes.since not in self._changes:
                self._changes[changes.since] = self._changes_text(changes)
            self._changes[since] = self._changes[changes.since]
        return version, self._changes[since]

    def notices(self, since: str) -> list[str]:
        """A message for each notice after that version; none where that is not known."""
        # Sockets that are woken together mostly ask for the same.
        span = since, self._feed.version
        if span != self._notices_span:
            changes = self._feed.changes_since(since)
            news = changes.notices.changed if changes.since else ()
            self._notices_span, self._notices = span, [render_notice(notice) for notice in news]
        return self._notices

    def _newest_view(self) -> View:
        view = self._feed.view()
        if view is not self._view:
            self._view, self._viewed_at_s = view, time.monotonic()
            self._texts, self._dashboards = {}, {}
            keys = [node.key for node in view.nodes]
            for fragments in (self._nodes, self._system_nodes, self._dashboard_nodes):
                fragments.keep_only(keys)
        return view

    def _once(self, name: str, make: Callable[[], str]) -> str:
        if name not in self._texts:
            self._texts[name] = make()
        return self._texts[name]

    def _nodes_and_summary(self, view: View, nodes: Sequence[Node]) -> str:
        summary = self._once(
            "summary", lambda: render_summary(view.nodes, view.home).model_dump_json()
        )
        return f'"nodes":[{self._dashboard_nodes.join(nodes)}],"summary":{summary}'

    def _ray_dashboard_text(self, view: View, limit: int | None, after: str | None) -> str:
        nodes: Sequence[Node] = view.nodes
        next_cursor: str | None = None
        if (limit, after) != (None, None):
            nodes, next_cursor = take_page(nodes, limit, after)
        message = "the registry is silent" if view.feed_lost_since else "ok"
        url = json.dumps(view.home and view.home.dashboard_url)
        return (
            f'{{"result":true,"msg":"{message}","timestamp":"{view.as_of.isoformat()}",'
            f'"data":{{{self._nodes_and_summary(view, nodes)},"dashboardUrl":{url},'
            f'"nextCursor":{json.dumps(next_cursor)}}}}}'
        )

    def _system_status_text(self, view: View) -> str:
        active = sum(node.state is not NodeState.DEAD for node in view.nodes)
        external = render_external_info(view.nodes, view.clusters).model_dump_json()
        account = render_ray_account(view.home).model_dump_json()
        return (
            f'"version":"{__version__}","timestamp":"{view.as_of.isoformat()}",'
            f'"total_nodes":{len(view.nodes)},"active_nodes":{active},'
            f'"external":{external},"ray_cluster":{account},'
            f'"nodes":[{self._system_nodes.join(view.nodes)}]'
        )

    def _changes_text(self, changes: Changes) -> str:
        kind = "delta" if changes.since else "snapshot"
        collections = ",".join(
            f'"{name}":{self._collection_text(getattr(changes, name))}' for name in COLLECTIONS
        )
        return (
            f'{{"type":"{kind}","data":{{"version":"{changes.version}",'
            f'"since":{json.dumps(changes.since)},{collections}}}}}'
        )

    def _collection_text(self, changes: CollectionChanges[Any]) -> str:
        changed = ",".join([self._record_text(record) for record in changes.changed])
        return f'{{"changed":[{changed}],"removed":{json.dumps(changes.removed)}}}'

    def _record_text(self, record: Record) -> str:
        # Nodes are many and change often; of everything else there is little.
        return self._nodes.get(record) if isinstance(record, Node) else record.model_dump_json()
