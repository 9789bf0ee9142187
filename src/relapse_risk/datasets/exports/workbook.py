"""Excel workbooks, a sheet at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from relapse_risk.datasets.exports.cells import Cells
from relapse_risk.datasets.exports.delimited import FIRST_ROWS
from relapse_risk.datasets.exports.raw import Head, Location, RawTable, without_blank_rows
from relapse_risk.errors import ImportRefused

SUFFIXES = (".xlsx", ".xlsm", ".xls")


def sheets(path: Path) -> list[str]:
    """Return the names of a workbook's sheets."""
    with _opened(path) as book:
        return list(book.sheet_names)


def head(place: Location) -> Head:
    """Return a sheet's header."""
    with opened_sheet(place) as sheet:
        rows = [[_shown(cell) for cell in row] for row in islice(sheet.iter_rows(), FIRST_ROWS)]
    if len(rows) < place.header_row:
        raise ImportRefused(f"{place.name}: no row {place.header_row}, where the column names should stand")
    return Head(tuple(rows[place.header_row - 1]), "Excel", rows)


def batches(
    place: Location, at: Mapping[str, int], nulls: Sequence[str], rows_of_a_batch: int
) -> Iterator[RawTable]:
    """Yield the columns at some positions of the header, so many rows at a time."""
    first = place.header_row + 1
    with opened_sheet(place) as sheet:
        below = islice(sheet.iter_rows(), place.header_row, None)
        while (rows := list(islice(below, rows_of_a_batch))) or first == place.header_row + 1:
            columns = {name: Cells.of_objects(row[position] for row in rows) for name, position in at.items()}
            numbers = np.arange(first, first + len(rows), dtype=np.int64)
            first += max(len(rows), 1)
            yield without_blank_rows(place, columns, numbers, nulls, None)


def _shown(cell: Any) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import python_calamine  # noqa: PLC0415

    try:
        book = python_calamine.CalamineWorkbook.from_path(path)
    except python_calamine.PasswordError as error:
        raise ImportRefused(f"{path.name}: protected by a password; save it without one") from error
    except (python_calamine.CalamineError, OSError) as error:
        raise ImportRefused(
            f"{path.name}: not a workbook, or damaged (some systems name a web page .xls); open it in Excel and "
            "save it as .xlsx"
        ) from error
    with book:
        yield book


@contextmanager
def opened_sheet(place: Location) -> Iterator[Any]:
    """Open the sheet of a place."""
    assert place.path is not None  # noqa: S101
    with _opened(place.path) as book:
        names = list(book.sheet_names)
        if place.sheet is None and len(names) > 1:
            raise ImportRefused(f"{place.name}: has several sheets, say which: {', '.join(names)}")
        name = place.sheet or names[0]
        if name not in names:
            raise ImportRefused(f"{place.path.name}: no sheet {name!r}. Its sheets: {', '.join(names)}")
        yield book.get_sheet_by_name(name)
