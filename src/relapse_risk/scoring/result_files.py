"""Result tables as Parquet or CSV files."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from relapse_risk.errors import UsageError
from relapse_risk.outputs import new_file
from relapse_risk.scoring.csv_text import header_of, lines_of

if TYPE_CHECKING:
    import pandas as pd

    Rows: TypeAlias = pa.Table | pd.DataFrame

#: Rows that are made plain and written at a time: bounds the memory of their texts.
_ROWS_AT_ONCE = 32_768


def check_ending(file: Path) -> None:
    """Refuse a file whose suffix is neither that of Parquet nor of CSV.

    Raises
    ------
    UsageError
        If the ending is neither ``.parquet`` nor ``.csv``.
    """
    if file.suffix not in (".parquet", ".csv"):
        raise UsageError(f"{file}: the ending {file.suffix!r} is not known. Valid: .parquet, .csv.")


@contextmanager
def new_table(file: Path | None) -> Iterator[Callable[[Rows], None]]:
    """Hold a result file from the start of a long run, and yield the function that writes a table to it.

    An Arrow table or a pandas frame is written as Parquet or CSV, by the file's suffix; dictionaries are written as
    their values. In CSV, reasons are JSON, and a text that a spreadsheet would take for a formula gets a single
    quote before it. The file appears, or replaces an older one, if the block succeeds.

    Parameters
    ----------
    file : Path, optional
        If left out, nothing is written.

    Raises
    ------
    UsageError
        If the ending is neither ``.parquet`` nor ``.csv``.
    OutputExists
        If it is a folder.
    OutputBusy
        If another run is writing it.
    """
    if file is None:
        yield lambda _: None
        return
    check_ending(file)
    with new_file(file) as new:
        yield partial(_write, file=new)


def _write(rows: Rows, file: Path) -> None:
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pandas(rows, preserve_index=False)
    if file.suffix == ".parquet":
        _write_parquet(table, file)
    else:
        _write_csv(table, file)


def _write_parquet(table: pa.Table, file: Path) -> None:
    schema = pa.schema([field.with_type(_plain(field.type)) for field in table.schema], table.schema.metadata)
    with pq.ParquetWriter(file, schema) as writer:
        for part in _parts(table):
            writer.write_table(part.cast(schema))


def _write_csv(table: pa.Table, file: Path) -> None:
    with file.open("wb") as out:
        out.write(codecs.BOM_UTF8)  # without it Excel takes the Chinese texts for another encoding
        out.write(header_of(table.column_names).encode())
        for part in _parts(table):
            for batch in part.combine_chunks().to_batches():
                out.write(lines_of(batch))


def _parts(table: pa.Table) -> Iterator[pa.Table]:
    for begun in range(0, max(1, table.num_rows), _ROWS_AT_ONCE):
        yield table.slice(begun, _ROWS_AT_ONCE)


def _plain(of: pa.DataType) -> pa.DataType:
    """Return a type with the values of dictionaries in their place."""
    if pa.types.is_dictionary(of):
        return of.value_type
    if pa.types.is_struct(of):
        return pa.struct([field.with_type(_plain(field.type)) for field in of])
    if pa.types.is_list(of):
        return pa.list_(of.value_field.with_type(_plain(of.value_type)))
    return of
