"""What commands print: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from relapse_risk.errors import RelapseError

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout; everything else goes to stderr.")
]

#: Width of output to files and pipes, wide enough that no column is lost.
_WIDE = 140


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


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Show the current step and the time it takes, on stderr; yields the function that reports a step."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = _console(sys.stderr)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def report(step: str) -> None:
            bar.update(task, description=step)
            if not console.is_terminal:
                say(step)

        yield report
