"""Nodes as a table for the terminal: a colour and a word for each status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from castray.models import Load, NodeState, WorkStatus

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from castray.models import Node

__all__ = ["nodes_table"]

LAMPS = {
    WorkStatus.IDLE: ("●", "green"),
    WorkStatus.DETECTING: ("●", "blue"),
    WorkStatus.SENDING: ("●", "red"),
    WorkStatus.UNKNOWN: ("○", "bright_black"),
}


def nodes_table(nodes: Iterable[Node], now: datetime) -> Table:
    """One row a node; what is unknown is a dash, with its reason in the last column."""
    table = Table("Node", "Address", "Role", "Status", "For", "CPU", "Memory", "GPU", box=None)
    table.add_column("Task, or why it is unknown", overflow="fold")
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
            _detail(node),
        )
    return table


def _lamp(node: Node) -> Text:
    if node.state is NodeState.DEAD:
        return Text("✕ dead", style="bright_black")
    symbol, colour = LAMPS[node.work.status]
    stale = " (stale)" if node.state is NodeState.STALE else ""
    return Text(f"{symbol} {node.work.status.value}{stale}", style=colour)


def _detail(node: Node) -> str:
    reason = node.state_reason or node.work.reason
    if node.work.status is WorkStatus.UNKNOWN:
        return reason.detail if reason else "–"
    return node.work.current_task or ", ".join(node.tasks) or "–"


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
