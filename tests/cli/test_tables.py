"""The table of nodes."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from castray.cli.tables import nodes_view
from castray.models import Load, Node, NodeState, Reason, ReasonCode, WorkReport, WorkStatus
from tests.core.given import NOON, later, node

LOAD = Load(measured_at=NOON, cpu_percent=12.4, memory_percent=40.0)
REASON = Reason(code=ReasonCode.NO_MONITOR, detail="Nothing answers on port 8000.")


def lines_of(*shown: Node, seconds: float = 30) -> list[str]:
    """What a terminal without colours shows of these nodes, below the head of the table."""
    output = io.StringIO()
    Console(file=output, width=100).print(nodes_view(shown, later(seconds)))
    return [" ".join(line.split()) for line in output.getvalue().splitlines()[1:]]


def row_of(shown: Node, seconds: float = 30) -> str:
    """The row of that node."""
    return lines_of(shown, seconds=seconds)[0]


def test_a_node_at_work_is_shown_with_everything_that_is_known() -> None:
    work = WorkReport(status=WorkStatus.DETECTING, since=NOON, current_task="camera 2")

    row = row_of(node(work=work, load=LOAD, is_head=True))

    assert row == "M1 10.0.0.1 head ● detecting 30 s 12 % 40 % – camera 2"


def test_what_is_unknown_is_a_dash_and_its_reason_follows() -> None:
    work = WorkReport(status=WorkStatus.IDLE, since=NOON)

    lines = lines_of(node("m1", work=WorkReport(reason=REASON)), node("m2", work=work))

    assert lines == [
        "M1 10.0.0.1 worker ○ unknown – – – – –",
        "M2 10.0.0.1 worker ● idle 30 s – – – –",
        "",
        "M1: Nothing answers on port 8000.",
    ]


def test_a_dead_node_is_called_dead_whatever_it_did() -> None:
    work = WorkReport(status=WorkStatus.SENDING, since=NOON)

    assert "✕ dead" in row_of(node(state=NodeState.DEAD, work=work))


def test_a_stale_node_is_marked() -> None:
    assert "○ unknown (stale)" in row_of(node(state=NodeState.STALE))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (2e5, "2 d")],
)
def test_an_age_is_told_in_the_unit_that_fits(seconds: float, text: str) -> None:
    work = WorkReport(status=WorkStatus.IDLE, since=NOON)

    assert f"● idle {text} –" in row_of(node(work=work), seconds)


def test_a_clock_that_runs_ahead_gives_no_negative_age() -> None:
    work = WorkReport(status=WorkStatus.IDLE, since=later(60))

    assert "● idle 0 s" in row_of(node(work=work), 0)
