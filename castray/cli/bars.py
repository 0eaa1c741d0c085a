"""How far something is: a bar for each part in a terminal, elsewhere a line for each new state."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.progress import BarColumn, Progress, TextColumn

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console
    from rich.progress import TaskID

__all__ = ["Bars", "Row", "shown_bytes", "shown_time"]

UNITS = ("B", "KiB", "MiB", "GiB")


class Row(NamedTuple):
    """One part; what is not known is None."""

    name: str
    state: str
    bytes_done: int
    bytes_total: int | None = None
    rate_bytes_per_s: float | None = None
    eta_s: float | None = None
    note: str = ""

    def __str__(self) -> str:
        note = f": {self.note}" if self.note else ""
        return f"{self.name} {self.state}, {self.amount}{note}"

    @property
    def amount(self) -> str:
        """How much of how much there is."""
        if self.bytes_total is None:
            return shown_bytes(self.bytes_done)
        return f"{shown_bytes(self.bytes_done)} of {shown_bytes(self.bytes_total)}"


class Bars:
    """Shows rows by their keys, while its block lasts.

    Args:
        console: Where; in a terminal the bars move.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[row].state}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[row].amount}"),
            TextColumn("{task.fields[speed]}"),
            TextColumn("{task.fields[row].note}", style="dim", markup=False),
            console=console,
            auto_refresh=False,
        )
        self._tasks: dict[str, TaskID] = {}
        self._states: dict[str, str] = {}
        self._said = ""

    def __enter__(self) -> Bars:
        if self._console.is_terminal:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._progress.stop()

    def show(self, rows: dict[str, Row]) -> None:
        """Show these rows as they are now."""
        for key, row in rows.items():
            if self._console.is_terminal:
                self._draw(key, row)
            elif self._states.get(key) != row.state:
                self._states[key] = row.state
                self._console.print(str(row), markup=False, highlight=False, soft_wrap=True)
        if self._console.is_terminal:
            self._progress.refresh()

    def say(self, sentence: str) -> None:
        """Say something beside the rows, unless it was said last."""
        if sentence == self._said:
            return
        self._said = sentence
        self._console.print(sentence, markup=False, highlight=False, soft_wrap=True)

    def _draw(self, key: str, row: Row) -> None:
        speed = ""
        if row.rate_bytes_per_s is not None:
            speed = f"{shown_bytes(row.rate_bytes_per_s)}/s"
        if row.eta_s is not None:
            speed += f", {shown_time(row.eta_s)} left"
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task(row.name, total=None, row=row, speed=speed)
        # An empty file is there at once.
        done, total = (1, 1) if row.bytes_total == 0 else (row.bytes_done, row.bytes_total)
        self._progress.update(self._tasks[key], completed=done, total=total, row=row, speed=speed)


def shown_bytes(count: float) -> str:
    """A number of bytes as people read it, such as `1.5 GiB`."""
    for unit in UNITS:
        if count < 1024 or unit == UNITS[-1]:
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"


def shown_time(seconds: float) -> str:
    """A duration as people read it, such as `1:05`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
