"""Rows of a table grouped by equal values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.records.schema import encoded

#: Days between the first and the last date of a column, more than which are numbered by their values.
_MANY_DAYS = 100_000


def number_groups(data: pa.Table, columns: Sequence[str]) -> tuple[npt.NDArray[np.int64], int]:
    """Return each row's group number, the same for rows with equal values in the columns, and the number of groups.

    Missing values equal each other.

    Parameters
    ----------
    data : pyarrow.Table
        The rows.
    columns : sequence of str
        The columns compared.

    Examples
    --------
    >>> table = pa.table({"household_id": ["h1", "h2", "h1", "h1"], "n_members": [3, 3, 3, None]})
    >>> number_groups(table, ["household_id", "n_members"])
    (array([0, 1, 0, 2]), 3)
    """
    import pandas as pd  # noqa: PLC0415

    if not data.num_rows:
        return np.zeros(0, np.int64), 0
    numbers, seen = pd.factorize(_numbers(data, columns))
    return numbers.astype(np.int64), len(seen)


def repeated(data: pa.Table, columns: Sequence[str]) -> npt.NDArray[np.intp]:
    """Return which rows have equal values in the columns as another row; missing values equal each other.

    Examples
    --------
    >>> repeated(pa.table({"household_id": ["h1", "h2", "h1"]}), ["household_id"])
    array([0, 2])
    """
    numbers = _numbers(data, columns)
    if bool(np.all(numbers[1:] > numbers[:-1])):
        return np.zeros(0, np.intp)
    ordered = np.sort(numbers)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    return np.flatnonzero(np.isin(numbers, twice)) if twice.size else np.zeros(0, np.intp)


def _numbers(data: pa.Table, columns: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return numbers that are equal where the rows are in the columns."""
    numbers, n_possible = np.zeros(data.num_rows, np.int64), 1
    for name in columns:
        of_column, n_values = _numbered(data[name])
        if n_possible * n_values >= 2**63:
            import pandas as pd  # noqa: PLC0415

            numbers, seen = pd.factorize(numbers)
            n_possible = len(seen)
        numbers = numbers * n_values + of_column
        n_possible *= n_values
    return numbers


def _numbered(values: pa.ChunkedArray) -> tuple[npt.NDArray[np.integer], int]:
    """Return a number from 0 on for each value, the same for equal ones, and how many there may be."""
    if pa.types.is_date32(values.type):
        days = values.cast(pa.int32())
        span = pc.min_max(days).as_py()
        if span["min"] is not None and span["max"] - span["min"] < _MANY_DAYS:
            low = span["min"] - 1
            numbers = np.asarray(days.fill_null(low)).astype(np.int64) - low
            return numbers, span["max"] - low + 1
    of_distinct = encoded(values)
    return np.asarray(of_distinct.indices.fill_null(-1)) + np.int64(1), len(of_distinct.dictionary) + 1
