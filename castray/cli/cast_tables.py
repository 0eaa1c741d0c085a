"""Casts for the terminal: as rows, as a table, and how one ended."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from castray.cast_models import CastRoute, CastState
from castray.cli.bars import Row, shown_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from castray.cast_models import Cast, CastTarget
    from castray.models import Node

__all__ = ["cast_lines", "casts_table", "node_names", "plan_lines", "target_rows"]

STATES = {
    CastState.QUEUED: ("○", "bright_black"),
    CastState.RUNNING: ("●", "blue"),
    CastState.PAUSED: ("○", "yellow"),
    CastState.COMPLETED: ("✓", "green"),
    CastState.PARTIAL: ("✕", "yellow"),
    CastState.FAILED: ("✕", "red"),
    CastState.CANCELLED: ("✕", "bright_black"),
}


def node_names(nodes: Iterable[Node]) -> dict[str, str]:
    """What to call each node, by its key: its name, or its short id where several share that."""
    nodes = list(nodes)
    counts = Counter(node.name for node in nodes)
    return {node.key: node.name if counts[node.name] == 1 else node.id for node in nodes}


def target_rows(cast: Cast, names: Mapping[str, str]) -> dict[str, Row]:
    """A row for each target, by its key."""
    return {
        target.node: Row(
            names.get(target.node, target.node),
            target.state.value,
            target.bytes_done,
            target.bytes_total,
            target.rate_bytes_per_s,
            target.eta_s,
            _note(target),
        )
        for target in cast.targets
    }


def cast_lines(cast: Cast, names: Mapping[str, str]) -> list[str]:
    """One line for each target, and below it the files that it has not got."""
    lines = []
    for target in cast.targets:
        name, state = names.get(target.node, target.node), target.state
        symbol = STATES[state][0]
        if state is CastState.COMPLETED:
            lines.append(f"{symbol} {name} has {target.path}")
            continue
        why = target.error or target.waits_for
        lines.append(f"{symbol} {name} {state.value}{f': {why}' if why else ''}")
        lines += [f"    {problem.path}: {problem.problem}" for problem in target.problems]
        if (more := target.problems_total - len(target.problems)) > 0 and target.problems:
            lines.append(f"    and {more} more")
    return lines


def plan_lines(cast: Cast, names: Mapping[str, str]) -> list[str]:
    """What a dry run found: where everything would go, and how many bytes."""
    source = f"{names.get(cast.source, cast.source)}:{cast.request.source.path}"
    total = "" if cast.bytes_total is None else f", {shown_bytes(cast.bytes_total)} in all"
    lines = [f"{source} would go to {len(cast.targets)} nodes{total}:"]
    for target in cast.targets:
        size = "" if target.bytes_total is None else f", {shown_bytes(target.bytes_total)}"
        lines.append(f"  {names.get(target.node, target.node)}:{target.path}{size}")
    return lines


def casts_table(casts: Iterable[Cast], names: Mapping[str, str]) -> Table:
    """One row a cast."""
    casts = list(casts)
    table = Table(box=None)
    # An id that is cut off is of no use.
    table.add_column("Cast", min_width=max((len(cast.id) for cast in casts), default=0))
    for heading in ("State", "Begun"):
        table.add_column(heading)
    for heading in ("From", "To"):
        table.add_column(heading, overflow="fold")
    table.add_column("Done", justify="right")
    for cast in casts:
        symbol, colour = STATES[cast.state]
        table.add_row(
            cast.id,
            Text(f"{symbol} {cast.state.value}", style=colour),
            f"{cast.created.astimezone():%Y-%m-%d %H:%M:%S}",
            Text(f"{names.get(cast.source, cast.source)}:{cast.request.source.path}"),
            Text(", ".join(names.get(target.node, target.node) for target in cast.targets)),
            Row("", "", cast.bytes_done, cast.bytes_total).amount,
        )
    return table


def _note(target: CastTarget) -> str:
    route = "through the head" if target.route is CastRoute.RELAY else ""
    return target.error or target.waits_for or route
