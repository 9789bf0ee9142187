"""What commands print: results on stdout, everything else on stderr."""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from relapse_risk.errors import RelapseError

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout; everything else goes to stderr.")
]

#: Width of output to files and pipes, wide enough that no column is lost.
_WIDE = 140
#: How often a line says how far a step is, where there is no terminal to show a bar.
_SECONDS_BETWEEN_LINES = 10


def _console(stream: TextIO) -> Console:
    return Console(file=stream, highlight=False, width=None if stream.isatty() else _WIDE)


def say(text: str) -> None:
    """Print a line for people, on stderr."""
    _console(sys.stderr).print(text, markup=False, soft_wrap=True)


def show(table: Table, *, as_json: bool) -> None:
    """Print a table for people; on stderr if JSON is printed on stdout."""
    _console(sys.stderr if as_json else sys.stdout).print(table)


def emit(value: dict[str, Any]) -> None:
    """Print the command's JSON object on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str, allow_nan=False) + "\n")


def report_error(error: RelapseError, *, as_json: bool) -> None:
    """Print an error on stderr, and with ``as_json`` also as JSON on stdout."""
    say(f"error: {error}")
    if as_json:
        emit({"error": {"kind": type(error).__name__, "exit_code": error.exit_code, "message": str(error)}})


def simple_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    """Return a table, with numbers aligned to the right."""
    table = Table(title=title, title_justify="left")
    filled = [list(row) for row in rows]
    for position, column in enumerate(columns):
        numeric = bool(filled) and all(isinstance(row[position], (int, float)) for row in filled)
        table.add_column(column, justify="right" if numeric else "left", no_wrap=numeric, overflow="fold")
    for row in filled:
        table.add_row(*(_cell(value) for value in row))
    return table


def _cell(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


class Report:
    """Shows what a command is doing, and how far it is; ``progress`` makes one.

    Call it with the text of a step as the step begins. It may be called from any thread.

    Parameters
    ----------
    bar : rich.progress.Progress
        Where a terminal shows it. Elsewhere a step is a line, and how far it is another one now and then.
    """

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._lines = not bar.console.is_terminal
        self._step, self._task = "", bar.add_task("starting", total=None, count="")
        self._begun = self._printed = time.monotonic()

    def __call__(self, step: str) -> None:
        """Begin a step."""
        self._bar.remove_task(self._task)
        self._step, self._task = step, self._bar.add_task(step, total=None, count="")
        self._begun = self._printed = time.monotonic()
        if self._lines:
            say(step)

    def advance(self, done: int, of: int, unit: str = "households") -> None:
        """Show how much of the step is done.

        Parameters
        ----------
        done, of : int
            How many are done, and of how many.
        unit : str
            What is counted, in the plural.
        """
        count = f"{done:,} of {of:,} {unit}"
        self._bar.update(self._task, completed=done, total=of, count=count)
        now = time.monotonic()
        if self._lines and 0 < done < of and now - self._printed >= _SECONDS_BETWEEN_LINES:
            self._printed = now
            left = dt.timedelta(seconds=round((now - self._begun) * (of - done) / done))
            say(f"{self._step}: {count}, {left} left")


class _TimeLeftColumn(TimeRemainingColumn):
    """The time left, named as such beside the time taken; nothing while it is not known."""

    def render(self, task: Task) -> Text:
        return Text() if task.time_remaining is None else super().render(task).append(" left")


@contextmanager
def progress() -> Iterator[Report]:
    """Show the current step, how far it is and the time it takes and still needs, on stderr.

    Yields
    ------
    Report
        To be called as a step begins; ``advance`` shows how much of it is done.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
        _TimeLeftColumn(),
    )
    console = _console(sys.stderr)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield Report(bar)
