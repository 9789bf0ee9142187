"""Rows of a table grouped by equal values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


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
    numbers, n_possible = np.zeros(data.num_rows, np.int64), 1
    for name in columns:
        encoded = pc.dictionary_encode(data[name], null_encoding="encode").combine_chunks()
        n_values = len(encoded.dictionary)
        if n_possible * n_values >= 2**63:
            numbers, seen = pd.factorize(numbers)
            n_possible = len(seen)
        numbers = numbers * n_values + encoded.indices.to_numpy()
        n_possible *= n_values
    numbers, seen = pd.factorize(numbers)
    return numbers.astype(np.int64), len(seen)
