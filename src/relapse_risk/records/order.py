"""The order of rows in a records folder: household, day, the rest of the key, day known.

Codes come in the order of their lists, texts in that of their UTF-8 bytes, and missing values first: the order that
the feature engine needs, so that it need not sort what it reads.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.records.schema import encoded
from relapse_risk.records.tables import TABLES

_Integers = npt.NDArray[np.int64]
#: Where a missing value lies: before all others.
_FIRST = np.iinfo(np.int64).min
#: Values of one row in so many are taken out before they are ranked.
_FEW = 8


def order_of(name: str) -> tuple[str, ...]:
    """Return the columns that a table's rows are ordered by.

    Examples
    --------
    >>> order_of("visits")
    ('household_id', 'occurred_on', 'visit_id', 'known_on')
    """
    table = TABLES[name]
    first = [column for column in ("household_id", "occurred_on") if column in table.columns]
    return (*first, *(column for column in (*table.key, "known_on") if column not in first))


def in_order(data: pa.Table, name: str) -> pa.Table:
    """Return a table's rows in order; the same table where they lie so."""
    if lies_in_order(data, name):
        return data
    columns = order_of(name)
    keys = pa.table({column: _ranks(data[column], _listed(name, column)) for column in columns})
    return data.take(pc.sort_indices(keys, sort_keys=[(column, "ascending") for column in columns]))


def lies_in_order(data: pa.Table, name: str) -> bool:
    """Return whether a table's rows lie in order."""
    tied = np.arange(max(0, data.num_rows - 1))  # rows that equal their next one in the columns so far
    for column in order_of(name):
        if not tied.size:
            return True
        values, listed = data[column], _listed(name, column)
        if tied.size * _FEW > data.num_rows:
            ranks = _ranks(values, listed)
            before, after = ranks[tied], ranks[tied + 1]
        else:
            before, after = np.split(_ranks(values.take(pa.array(np.append(tied, tied + 1))), listed), 2)
        if np.any(before > after):
            return False
        tied = tied[before == after]
    return True


def _listed(name: str, column: str) -> Sequence[str]:
    codes = TABLES[name].columns[column].codes
    return codes.values if codes else ()


def _ranks(values: pa.ChunkedArray, listed: Sequence[str]) -> _Integers:
    """Return numbers that order and equal each other as the values do, those of a list by their place in it."""
    if pa.types.is_date(values.type):
        numbers = values.cast(pa.int32()).cast(pa.int64())
    else:
        whole = encoded(values)
        rank = np.asarray(pc.rank(whole.dictionary, tiebreaker="dense")).astype(np.int64)
        if listed:
            place = pc.index_in(whole.dictionary.cast(pa.string()), value_set=pa.array(listed, pa.string()))
            rank = np.where(place.is_valid(), np.asarray(place.fill_null(0)), len(listed) + rank)
        numbers = pa.array(rank).take(whole.indices)
    ranks: _Integers = numbers.fill_null(_FIRST).to_numpy()
    return ranks
