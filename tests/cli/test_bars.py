"""How far something is, in a terminal and elsewhere."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from castray.cli.bars import Bars, Row, shown_bytes, shown_time

MIB = 1 << 20

MOVING = Row("M2", "running", 3 * MIB, 12 * MIB, rate_bytes_per_s=1.5 * MIB, eta_s=6)


def test_in_a_terminal_each_row_has_its_amount_rate_and_time_left() -> None:
    screen = StringIO()
    console = Console(file=screen, force_terminal=True, width=120)

    with Bars(console) as bars:
        bars.show({"a": MOVING, "b": Row("M3", "queued", 0, None, note="M1 is busy [4]")})

    shown = screen.getvalue()
    assert "3.0 MiB of 12.0 MiB" in shown
    assert "1.5 MiB/s, 0:06 left" in shown
    assert "M1 is busy [4]" in shown


def test_elsewhere_there_is_one_line_for_each_new_state() -> None:
    lines = StringIO()

    with Bars(Console(file=lines)) as bars:
        bars.show({"a": MOVING})
        bars.show({"a": MOVING._replace(bytes_done=6 * MIB)})
        bars.show({"a": Row("M2", "failed", 6 * MIB, 12 * MIB, note="the disk is full")})

    assert lines.getvalue().splitlines() == [
        "M2 running, 3.0 MiB of 12.0 MiB",
        "M2 failed, 6.0 MiB of 12.0 MiB: the disk is full",
    ]


def test_what_was_just_said_is_not_said_again() -> None:
    lines = StringIO()

    with Bars(Console(file=lines)) as bars:
        for sentence in ("no answer", "no answer", "there it is", "no answer"):
            bars.say(sentence)

    assert lines.getvalue().splitlines() == ["no answer", "there it is", "no answer"]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (200 * MIB, "200 MiB"),
        (5 << 40, "5120 GiB"),
    ],
)
def test_bytes_are_shown_as_people_read_them(count: int, text: str) -> None:
    assert shown_bytes(count) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (65, "1:05"), (3661.4, "1:01:01")])
def test_durations_are_shown_as_people_read_them(seconds: float, text: str) -> None:
    assert shown_time(seconds) == text
