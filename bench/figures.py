"""What a bench prints: on which machine it ran, its tables, and whether each limit is met."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

import psutil

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Limit", "describe_machine", "percentile", "print_limits", "print_table"]

GIB = 1024**3


class Limit(NamedTuple):
    """One promise of the speed table, and what was measured."""

    what: str
    limit: str
    measured: str
    is_met: bool


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of all are at or below; of values that were measured, no mean."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)  # rounded up
    return ordered[max(int(rank), 1) - 1]


def describe_machine() -> str:
    """One line: what the figures below it depend on."""
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), "
        f"{psutil.virtual_memory().total / GIB:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, Ray {version('ray')}, "
        f"load average {os.getloadavg()[0]:.1f} at the start"
    )


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table as Markdown, its columns aligned; all but the first are figures."""
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    for row in (head, rule, *rows):
        first, *others = zip(row, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        print(f"| {' | '.join(cells)} |")
    print()


def print_limits(limits: Sequence[Limit]) -> None:
    """Print each limit with what was measured and whether that meets it."""
    rows = [
        (each.what, each.limit, each.measured, "yes" if each.is_met else "NO") for each in limits
    ]
    print_table(("", "limit", "measured", "met"), rows)
