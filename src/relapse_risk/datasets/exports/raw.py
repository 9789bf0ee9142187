"""What every kind of source is read into: where it lies, its header, its cells, a batch of rows at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from relapse_risk.datasets.exports.cells import Cells
from relapse_risk.datasets.exports.texts import plain

RowNumbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Location:
    """Where a block's rows are read.

    Parameters
    ----------
    name : str
        Its name in messages: file and sheet, or database table.
    path : path, optional
        The file.
    sheet : str, optional
        Of a workbook.
    encoding, delimiter : str
        As the mapping says.
    header_row : int
        Row of the column names.
    query : str, optional
        What a database is asked.
    """

    name: str
    path: Path | None = None
    sheet: str | None = None
    encoding: str = "auto"
    delimiter: str = "auto"
    header_row: int = 1
    query: str | None = None


@dataclass(frozen=True)
class Head:
    """A source's header.

    Parameters
    ----------
    names : tuple of str
        Column names in order, as they stand.
    note : str
        How the source is read: encoding and delimiter, or the kind of file.
    first_rows : sequence of sequence of str
        The first few rows as texts, the header among them.
    detail : object
        What the reader found out and needs again.
    """

    names: tuple[str, ...]
    note: str
    first_rows: Sequence[Sequence[str]] = ()
    detail: Any = None

    def positions(self) -> dict[str, list[int]]:
        """Return where each plain name stands."""
        found: dict[str, list[int]] = {}
        for position, name in enumerate(self.names):
            found.setdefault(plain(name), []).append(position)
        return found


@dataclass(frozen=True)
class RawTable:
    """A batch of a source's rows, as columns of cells.

    Parameters
    ----------
    place : Location
        Where they come from.
    columns : dict of str to Cells
        By the name the mapping uses.
    rows : ndarray of int64, shape (n_rows,)
        Each row's number in the source, the header's row (mostly 1) counted.
    miscounted : ndarray of int64
        Rows left out, since their fields do not match the header.
    n_blank : int
        Rows left out, since every cell was blank.
    read : Progress, optional
        How much of the source has been read with this batch, where that can be said.
    """

    place: Location
    columns: Mapping[str, Cells]
    rows: RowNumbers
    miscounted: RowNumbers = field(default_factory=lambda: np.zeros(0, np.int64))
    n_blank: int = 0
    read: Progress | None = None


class Progress(NamedTuple):
    """How much is done, of how much, and what is counted."""

    done: int
    of: int
    unit: str


def joined(batches: Iterable[RawTable]) -> RawTable:
    """Return all batches of a source as one; there is at least one."""
    parts = list(batches)
    columns = {name: Cells.joined([part.columns[name] for part in parts]) for name in parts[0].columns}
    rows = np.concatenate([part.rows for part in parts])
    miscounted = np.concatenate([part.miscounted for part in parts])
    return RawTable(parts[0].place, columns, rows, miscounted, sum(part.n_blank for part in parts))


def without_blank_rows(
    place: Location, columns: Mapping[str, Cells], rows: RowNumbers, nulls: Sequence[str], read: Progress | None
) -> RawTable:
    """Return the columns trimmed, without the rows in which every cell is blank."""
    trimmed = {name: cells.blank_where(nulls) for name, cells in columns.items()}
    filled = np.zeros(len(rows), bool)
    for cells in trimmed.values():
        filled |= cells.positions >= 0
    if not filled.all():
        trimmed = {name: cells.take(filled) for name, cells in trimmed.items()}
    return RawTable(place, trimmed, rows[filled], n_blank=int((~filled).sum()), read=read)


def located(head: Head, wanted: Collection[str]) -> tuple[dict[str, int], list[str], list[str]]:
    """Return where the wanted columns stand, those that are not there, and those that stand there twice."""
    positions = head.positions()
    at = {name: positions.get(plain(name), []) for name in wanted}
    missing = [name for name, places in at.items() if not places]
    twice = [name for name, places in at.items() if len(places) > 1]
    return {name: places[0] for name, places in at.items() if places}, missing, twice
