"""A source's header and its first rows: what a first mapping is suggested from, however long the source is."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa
import pyarrow.parquet as pq

from relapse_risk.datasets.exports import columnar, delimited, encoding, workbook
from relapse_risk.datasets.exports.amounts import read_unit
from relapse_risk.datasets.exports.cells import Cells
from relapse_risk.datasets.exports.date_cells import read_date
from relapse_risk.datasets.exports.national_form import national_form
from relapse_risk.datasets.exports.raw import Head, Location
from relapse_risk.datasets.exports.sources import ExportReader
from relapse_risk.datasets.exports.suggest.lexicon import lexicon, nearest
from relapse_risk.datasets.exports.suggest.profile import Profile
from relapse_risk.datasets.exports.texts import plain
from relapse_risk.errors import ImportRefused
from relapse_risk.records.tables import TABLES

#: Rows looked at.
MOST_ROWS = 20_000
_UNIT_ABOVE = re.compile(r"单位[::]?\s*(.+)$")
#: A cell of a header holds no number of so many digits, and no decimal.
_DATA = re.compile(r"\d{5,}|^-?\d+(\.\d+)?$")


@dataclass(frozen=True)
class Sample:
    """The first rows of a source.

    Parameters
    ----------
    place : Location
        Where it lies, with the row of its header.
    note : str
        How it is read.
    columns : sequence of Profile
        Its named columns.
    n_rows : int
        Rows looked at.
    cut : bool
        Whether there are more.
    money_unit : str
        A unit of money named above the header; empty where none is.
    twice : tuple of str
        Names that several columns have; those are left out.
    problem : str
        Why there are no columns.
    """

    place: Location
    note: str = ""
    columns: Sequence[Profile] = ()
    n_rows: int = 0
    cut: bool = False
    money_unit: str = ""
    twice: tuple[str, ...] = ()
    problem: str = ""


def take_sample(reader: ExportReader, place: Location) -> Sample:
    """Return the first rows of a source, or why it cannot be read."""
    try:
        head = reader.head(place)
        number = header_row(head.first_rows)
        if number is None:
            return Sample(place, problem=f"{place.name}: no row looks like column names")
        names = head.first_rows[number - 1]
        if any(encoding.is_garbled(name) for name in names):
            return Sample(
                place, problem=f"{place.name}: the column names are garbled text; export it again as UTF-8 or GBK"
            )
        at = Location(place.name, place.path, place.sheet, header_row=number, query=place.query)
        cells, n_rows = _first_cells(reader, at, head, len(names))
    except ImportRefused as error:
        return Sample(place, problem=str(error))
    positions = Head(tuple(names), "").positions()
    twice = tuple(name for name, places in positions.items() if name and len(places) > 1)
    profiles = [
        Profile(name.strip(), of.blank_where(national_form().nulls))
        for name, of in zip(names, cells, strict=True)
        if name.strip() and plain(name) not in twice
    ]
    above = [cell for row in head.first_rows[: number - 1] for cell in row if cell]
    return Sample(at, head.note, profiles, n_rows, n_rows >= MOST_ROWS, _money_unit(above), twice)


def header_row(rows: Sequence[Sequence[str]]) -> int | None:
    """Return the number of the row that the column names stand in, None if no row looks like them.

    It is the first row that is filled nearly as far as the widest, and holds names alone: no dates, no numbers.
    Of two such rows that follow each other, the one with the better known words.
    """
    filled = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    width = max(map(len, filled), default=0)
    likely = [
        number
        for number, row in enumerate(filled, 1)
        if len(row) >= max(2, 0.7 * width) and not any(map(_is_data, row)) and len(set(row)) > len(row) / 2
    ]
    if not likely:
        return None
    near = [number for number in likely if number < likely[0] + 3]
    if len(near) == 1:
        return near[0]
    return max(near, key=lambda number: (_known(filled[number - 1]) - 0.5 * (number - near[0]), -number))


def _is_data(cell: str) -> bool:
    return bool(_DATA.search(cell)) or read_date(cell) is not None


def _known(row: Sequence[str]) -> float:
    """Return how many of a row's cells are sure words of some record table's columns."""
    return sum(max(_best(cell, table) for table in TABLES) >= 0.8 for cell in row)


def _best(cell: str, table: str) -> float:
    return max(nearest(cell, words) for words in lexicon().headers[table].values())


def _money_unit(above: Sequence[str]) -> str:
    for cell in above:
        named = _UNIT_ABOVE.search(plain(cell))
        for part in re.split(r"[,、,;;/]", named[1]) if named else ():
            if read_unit(part, "yuan"):
                return part
    return ""


def _first_cells(reader: ExportReader, place: Location, head: Head, n_columns: int) -> tuple[list[Cells], int]:
    suffix = place.path.suffix.lower() if place.path else ""
    if suffix in columnar.SUFFIXES:
        return _of_parquet(place)
    if suffix in (*delimited.SUFFIXES, *workbook.SUFFIXES):
        rows = _of_workbook(place) if suffix in workbook.SUFFIXES else _of_text(place, head, n_columns)
        first = list(islice((row for row in rows if any(cell not in ("", None) for cell in row)), MOST_ROWS))
        return [Cells.of_objects(row[n] for row in first) for n in range(n_columns)], len(first)
    query = f"SELECT * FROM ({(place.query or '').rstrip('; ')}) AS sample LIMIT {MOST_ROWS}"  # noqa: S608
    raw = reader.read(Location(place.name, query=query), head, {str(n): n for n in range(n_columns)}, ())
    return [raw.columns[str(n)] for n in range(n_columns)], len(raw.rows)


def _of_parquet(place: Location) -> tuple[list[Cells], int]:
    try:
        with pq.ParquetFile(place.path) as file:
            batch = next(file.iter_batches(MOST_ROWS), None)
            table = file.schema_arrow.empty_table() if batch is None else pa.Table.from_batches([batch])
    except (pa.ArrowInvalid, OSError) as error:
        raise ImportRefused(f"{place.name}: not a Parquet file, or damaged; write it again") from error
    return [Cells.of_array(_flat(column)) for column in table.columns], table.num_rows


def _flat(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """Return a column of cells; lists, structures and bytes are none."""
    kinds = (pa.types.is_nested, pa.types.is_binary, pa.types.is_null)
    return pa.nulls(len(column), pa.string()) if any(kind(column.type) for kind in kinds) else column


def _of_workbook(place: Location) -> Iterator[Sequence[object]]:
    with workbook.opened_sheet(place) as sheet:
        yield from islice(sheet.iter_rows(), place.header_row, None)


def _of_text(place: Location, head: Head, n_columns: int) -> Iterator[Sequence[str]]:
    assert place.path is not None  # noqa: S101
    chunks = encoding.decoded(place.path, head.detail.codec)
    lines = (line for line in _lines(chunks))
    try:
        for number, row in enumerate(csv.reader(lines, delimiter=head.detail.delimiter)):
            if number >= place.header_row and len(row) == n_columns:
                yield row
    except csv.Error as error:
        raise ImportRefused(f"{place.name}: the rows cannot be parted into fields") from error


def _lines(chunks: Iterator[str]) -> Iterator[str]:
    left = ""
    for chunk in chunks:
        *whole, left = (left + chunk).split("\n")
        yield from (line + "\n" for line in whole)
    if left:
        yield left
