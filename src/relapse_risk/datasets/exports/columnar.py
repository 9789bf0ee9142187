"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from relapse_risk.datasets.exports.cells import Cells
from relapse_risk.datasets.exports.raw import Head, Location, Progress, RawTable, without_blank_rows
from relapse_risk.errors import ImportRefused

SUFFIXES = (".parquet",)


def head(place: Location) -> Head:
    """Return a Parquet file's columns."""
    try:
        names = tuple(pq.read_schema(place.path).names)
    except (pa.ArrowInvalid, OSError) as error:
        raise ImportRefused(f"{place.name}: not a Parquet file, or damaged; write it again") from error
    return Head(names, "Parquet", [names])


def batches(
    place: Location, header: Head, at: Mapping[str, int], nulls: Sequence[str], rows_of_a_batch: int
) -> Iterator[RawTable]:
    """Yield the columns at some positions, so many rows at a time."""
    first = 1
    try:
        with pq.ParquetFile(place.path) as file:
            n_rows = file.metadata.num_rows
            names = [header.names[position] for position in at.values()]
            read = file.iter_batches(rows_of_a_batch, columns=names, use_threads=False)
            for batch in read if n_rows else [file.schema_arrow.empty_table()]:
                columns = {name: Cells.of_array(batch[header.names[position]]) for name, position in at.items()}
                rows = np.arange(first, first + batch.num_rows, dtype=np.int64)
                first += batch.num_rows
                yield without_blank_rows(place, columns, rows, nulls, Progress(first - 1, n_rows, "rows"))
    except (pa.ArrowInvalid, OSError) as error:
        raise ImportRefused(f"{place.name}: not a Parquet file, or damaged; write it again") from error
    except pa.ArrowNotImplementedError as error:
        raise ImportRefused(f"{place.name}: a mapped column holds lists or structures, not single cells") from error
