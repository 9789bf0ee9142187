"""Text files: comma, tab, semicolon; any encoding that ``encoding`` knows."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from relapse_risk.datasets.exports import encoding
from relapse_risk.datasets.exports.cells import Cells
from relapse_risk.datasets.exports.raw import Head, Location, Progress, RawTable, RowNumbers, without_blank_rows
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


def batches(
    place: Location, header: Head, at: Mapping[str, int], nulls: Sequence[str], rows_of_a_batch: int
) -> Iterator[RawTable]:
    """Yield the columns at some positions of the header, so many rows at a time."""
    form: _Form = header.detail
    path = _path(place)
    n_bytes, n_read = path.stat().st_size, 0

    def counted() -> Iterator[bytes]:
        nonlocal n_read
        for chunk in encoding.as_utf8(path, form.codec):
            n_read += len(chunk)
            yield chunk

    n_fields = len(header.names)
    for raw in read_chunks(place, counted(), n_fields, at, nulls, rows_of_a_batch, form.delimiter):
        done = Progress(min(n_read, n_bytes) >> 20, n_bytes >> 20, "MiB")
        yield replace(raw, read=done)


def read_chunks(
    place: Location,
    chunks: Iterable[bytes | bytearray | memoryview],
    n_fields: int,
    at: Mapping[str, int],
    nulls: Sequence[str],
    rows_of_a_batch: int,
    delimiter: str = ",",
) -> Iterator[RawTable]:
    """Yield columns of UTF-8 text that comes in chunks, so many rows at a time, and at least one batch."""
    names = [f"{position}" for position in range(n_fields)]
    used = [names[position] for position in dict.fromkeys(at.values())]
    numbers = _Numbers(place.header_row + 1, delimiter)
    options = pa.csv.ReadOptions(
        use_threads=False, block_size=_BLOCK, column_names=names, skip_rows_after_names=place.header_row
    )

    def made(batch: pa.RecordBatch | pa.Table) -> RawTable:
        columns = {name: Cells.of_array(batch[names[position]]).compact() for name, position in at.items()}
        rows, miscounted, n_blank = numbers.of_next(batch.num_rows)
        raw = without_blank_rows(place, columns, rows, nulls, None)
        return replace(raw, miscounted=miscounted, n_blank=raw.n_blank + n_blank)

    try:
        with pa.csv.open_csv(
            pa.PythonFile(encoding.ByteStream(chunks), mode="r"),
            read_options=options,
            parse_options=pa.csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=numbers.skip,
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string())),
                include_columns=used,
                strings_can_be_null=False,
            ),
        ) as reader:
            for block in reader:
                for begun in range(0, block.num_rows, rows_of_a_batch):
                    yield made(block.slice(begun, rows_of_a_batch))
            miscounted, n_blank = numbers.of_rest()
            yield replace(made(reader.schema.empty_table()), miscounted=miscounted, n_blank=n_blank)
    except pa.ArrowInvalid:
        # Arrow's own words can hold cells
        raise ImportRefused(
            f"{place.name}: the rows cannot be parted into fields; is the delimiter right, is a quote left open?"
        ) from None


class _Numbers:
    """Numbers of a text's rows, those that Arrow skips counted.

    Parameters
    ----------
    first : int
        Number of the first row.
    delimiter : str
        What parts the fields: a row with nothing else is blank.
    """

    def __init__(self, first: int, delimiter: str) -> None:
        self._next = first
        self._nothing = delimiter + ' \t\r\n"'
        self._miscounted: deque[int] = deque()
        self._blank: deque[int] = deque()

    def skip(self, row: Any) -> str:
        """Take note of a row with more or fewer fields than the header."""
        (self._miscounted if row.text.strip(self._nothing) else self._blank).append(row.number)
        return "skip"

    def of_next(self, n_rows: int) -> tuple[RowNumbers, RowNumbers, int]:
        """Return the numbers of the next rows, those miscounted before the last of them, and how many are blank."""
        skipped = np.array(sorted([*self._miscounted, *self._blank]), np.int64)
        numbers = np.arange(self._next, self._next + n_rows + len(skipped), dtype=np.int64)
        rows = np.setdiff1d(numbers, skipped, assume_unique=True)[:n_rows] if skipped.size else numbers
        if n_rows:
            self._next = int(rows[-1]) + 1
        return rows, self._taken(self._miscounted), len(self._taken(self._blank))

    def of_rest(self) -> tuple[RowNumbers, int]:
        """Return the numbers of the miscounted rows after the last row, and how many are blank."""
        return np.array(self._miscounted, np.int64), len(self._blank)

    def _taken(self, numbers: deque[int]) -> RowNumbers:
        taken = []
        while numbers and numbers[0] < self._next:
            taken.append(numbers.popleft())
        return np.array(taken, np.int64)


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
