"""Text files: comma, tab, semicolon; any encoding that ``encoding`` knows."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from relapse_risk.datasets.exports import encoding
from relapse_risk.datasets.exports.cells import Cells
from relapse_risk.datasets.exports.raw import Head, Location, RawTable, without_blank_rows
from relapse_risk.datasets.exports.texts import plain
from relapse_risk.errors import ImportRefused

SUFFIXES = (".csv", ".txt", ".tsv")
DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
#: Rows looked at for a header.
FIRST_ROWS = 30
_BLOCK = 1 << 24


@dataclass(frozen=True)
class _Form:
    codec: str
    delimiter: str


def head(place: Location, wanted: Collection[str] = ()) -> Head:
    """Return a text file's header, with its encoding and delimiter.

    Parameters
    ----------
    place : Location
        A text file.
    wanted : collection of str
        Columns the mapping names: the delimiter is the one that separates them.
    """
    path = _path(place)
    codec = encoding.detect(path) if place.encoding == "auto" else encoding.check(path, place.encoding)
    text = next(encoding.decoded(path, codec), "")
    given = place.delimiter
    candidates = {sign: _first_rows(text, sign) for sign in (DELIMITERS if given == "auto" else (given,))}
    names = {plain(name) for name in wanted}

    def fit(sign: str) -> tuple[int, int]:
        rows = candidates[sign]
        header = rows[place.header_row - 1] if len(rows) >= place.header_row else []
        return len(names & {plain(name) for name in header}), max(map(len, rows), default=0)

    sign = max(candidates, key=fit)
    rows = candidates[sign]
    if len(rows) < place.header_row:
        raise ImportRefused(f"{place.name}: no row {place.header_row}, where the column names should stand")
    shown = {"utf-8-sig": "UTF-8", "gb18030": "GBK/GB18030", "ascii": "ASCII"}.get(codec, codec.upper())
    form = _Form(codec, sign)
    return Head(tuple(rows[place.header_row - 1]), f"{shown}, {DELIMITERS[sign]}", rows, form)


def read(place: Location, header: Head, at: Mapping[str, int], nulls: Sequence[str]) -> RawTable:
    """Return the columns at some positions of the header."""
    form: _Form = header.detail
    chunks = encoding.as_utf8(_path(place), form.codec)
    return read_chunks(place, chunks, len(header.names), at, nulls, form.delimiter)


def read_chunks(
    place: Location,
    chunks: Iterable[bytes | bytearray | memoryview],
    n_fields: int,
    at: Mapping[str, int],
    nulls: Sequence[str],
    delimiter: str = ",",
) -> RawTable:
    """Return columns of UTF-8 text that comes in chunks."""
    names = [f"{position}" for position in range(n_fields)]
    used = [names[position] for position in dict.fromkeys(at.values())]
    miscounted: list[int] = []

    def set_aside(row: Any) -> str:
        if row.text.strip(delimiter + ' \t\r\n"'):
            miscounted.append(row.number)
        else:
            blank.append(row.number)
        return "skip"

    blank: list[int] = []
    batches = []
    options = pa.csv.ReadOptions(
        use_threads=False, block_size=_BLOCK, column_names=names, skip_rows_after_names=place.header_row
    )
    try:
        with pa.csv.open_csv(
            pa.PythonFile(encoding.ByteStream(chunks), mode="r"),
            read_options=options,
            parse_options=pa.csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=set_aside,
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string())),
                include_columns=used,
                strings_can_be_null=False,
            ),
        ) as reader:
            batches = list(reader)
            schema = reader.schema
    except pa.ArrowInvalid:
        # Arrow's own words can hold cells
        raise ImportRefused(
            f"{place.name}: the rows cannot be parted into fields; is the delimiter right, is a quote left open?"
        ) from None
    table = pa.Table.from_batches(batches, schema)
    columns = {name: Cells.of_array(table[names[position]]) for name, position in at.items()}
    skipped = np.array(sorted([*miscounted, *blank]), np.int64)
    every = np.arange(place.header_row + 1, place.header_row + 1 + table.num_rows + len(skipped), dtype=np.int64)
    rows = np.setdiff1d(every, skipped, assume_unique=True)
    raw = without_blank_rows(place, columns, rows, np.array(miscounted, np.int64), nulls)
    return RawTable(raw.place, raw.columns, raw.rows, raw.miscounted, raw.n_blank + len(blank))


def _path(place: Location) -> Path:
    assert place.path is not None  # noqa: S101
    return place.path


def _first_rows(text: str, delimiter: str) -> list[list[str]]:
    found: list[list[str]] = []
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        found.append(row)
        if len(found) == FIRST_ROWS:
            break
    return found
