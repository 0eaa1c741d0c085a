"""Nodes as a table for the terminal: a colour and a word for each status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from castray.models import Load, NodeState, WorkStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from castray.models import Node

__all__ = ["nodes_view"]

LAMPS = {
    WorkStatus.IDLE: ("●", "green"),
    WorkStatus.DETECTING: ("●", "blue"),
    WorkStatus.SENDING: ("●", "red"),
    WorkStatus.UNKNOWN: ("○", "bright_black"),
}


def nodes_view(nodes: Sequence[Node], now: datetime) -> Group:
    """One row a node, where what is unknown is a dash; then the reasons of what is unknown."""
    table = Table("Node", "Address", "Role", "Status", "For", "CPU", "Memory", "GPU", box=None)
    table.add_column("Task", overflow="fold")
    for node in nodes:
        load = node.load or Load(measured_at=now)
        table.add_row(
            node.name,
            node.address,
            "head" if node.is_head else "worker",
            _lamp(node),
            _age(node.work.since, now),
            _percent(load.cpu_percent),
            _percent(load.memory_percent),
            _percent(load.gpu_percent),
            node.work.current_task or "–",
        )
    return Group(table, *filter(None, map(_reason, nodes)))


def _lamp(node: Node) -> Text:
    if node.state is NodeState.DEAD:
        return Text("✕ dead", style="bright_black")
    symbol, colour = LAMPS[node.work.status]
    stale = " (stale)" if node.state is NodeState.STALE else ""
    return Text(f"{symbol} {node.work.status.value}{stale}", style=colour)


def _reason(node: Node) -> Padding | None:
    reason = node.state_reason or node.work.reason
    if reason is None:
        return None
    return Padding(Text(f"{node.name}: {reason.detail}"), (1, 1, 0, 1))


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} %"


def _age(since: datetime | None, now: datetime) -> str:
    if since is None:
        return "–"
    seconds = max(0, int((now - since).total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
