"""Parquet files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from relapse_risk.datasets.exports.cells import Cells
from relapse_risk.datasets.exports.raw import Head, Location, RawTable, without_blank_rows
from relapse_risk.errors import ImportRefused

SUFFIXES = (".parquet",)


def head(place: Location) -> Head:
    """Return a Parquet file's columns."""
    try:
        names = tuple(pq.read_schema(place.path).names)
    except (pa.ArrowInvalid, OSError) as error:
        raise ImportRefused(f"{place.name}: not a Parquet file, or damaged; write it again") from error
    return Head(names, "Parquet", [names])


def read(place: Location, header: Head, at: Mapping[str, int], nulls: Sequence[str]) -> RawTable:
    """Return the columns at some positions."""
    try:
        table = pq.read_table(place.path, columns=[header.names[position] for position in at.values()])
        columns = {name: Cells.of_array(table[header.names[position]]) for name, position in at.items()}
    except (pa.ArrowInvalid, OSError) as error:
        raise ImportRefused(f"{place.name}: not a Parquet file, or damaged; write it again") from error
    except pa.ArrowNotImplementedError as error:
        raise ImportRefused(f"{place.name}: a mapped column holds lists or structures, not single cells") from error
    rows = np.arange(1, table.num_rows + 1, dtype=np.int64)
    return without_blank_rows(place, columns, rows, np.zeros(0, np.int64), nulls)
