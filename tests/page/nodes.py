"""What a test says of a node, as its registry hears it, and where the page shows it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from castray.core.events import MembershipObserved, NodeFacts, NodeReported
from castray.models import (
    Load,
    MonitorKind,
    MonitorView,
    NodeReport,
    Reason,
    ReasonCode,
    WorkReport,
    WorkStatus,
)

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

__all__ = ["facts", "membership", "node_card", "now", "report"]


def now() -> datetime:
    """The current time."""
    return datetime.now(timezone.utc)


def facts(name: str, *, is_head: bool = False, alive: bool = True, last_byte: int = 0) -> NodeFacts:
    """A row of Ray's node table: a wired node of that name with 8 cores."""
    return NodeFacts(
        node_id=f"id-of-{name}",
        host_name=f"host-of-{name}",
        address=f"10.30.2.{last_byte}",
        is_head=is_head,
        alive=alive,
        labels={"castray.io/name": name},
        resources={"CPU": 8.0, "Wired": 1.0},
    )


def membership(*names: str) -> MembershipObserved:
    """Ray's whole node table; the first node is the head."""
    rows = [facts(name, is_head=i == 0, last_byte=i + 1) for i, name in enumerate(names)]
    return MembershipObserved(tuple(rows))


def report(
    name: str,
    status: WorkStatus | None,
    *,
    task: str | None = None,
    load: Load | None = None,
) -> NodeReported:
    """That node's poller speaks; a status of None is: no monitor answers there."""
    reason = Reason(code=ReasonCode.NO_MONITOR, detail="Connection refused.")
    work = WorkReport(reason=reason)
    if status is not None:
        work = WorkReport(status=status, since=now(), current_task=task)
    monitor = MonitorView(
        reachable=status is not None,
        port=8000,
        kind=MonitorKind.STREAM,
        last_seen=now(),
        error=None if status else reason,
    )
    return NodeReported(NodeReport(node_id=f"id-of-{name}", work=work, monitor=monitor, load=load))


def node_card(page: Page, name: str) -> Locator:
    """The card of the node with that name."""
    return page.locator(f'[data-testid="node-card"][data-node-name="{name}"]')
