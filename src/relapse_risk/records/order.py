"""The order of rows in a records folder: household, day, the rest of the key, day known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.records.tables import TABLES

_Integers = npt.NDArray[np.int64]
#: Where a missing value lies: after all others.
_LAST = np.iinfo(np.int64).max


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
    """Return a table's rows in order, missing values last; the same table where they lie so."""
    columns = order_of(name)
    if lies_in_order(data, columns):
        return data
    keys = pa.table({column: _ranks(data[column]) for column in columns})
    return data.take(pc.sort_indices(keys, sort_keys=[(column, "ascending") for column in columns]))


def lies_in_order(data: pa.Table, columns: tuple[str, ...]) -> bool:
    """Return whether rows lie in order of some columns, the first before the second and so on."""
    tied: _Integers | None = None  # rows that equal their next one in the columns so far; None: all of them
    for column in columns:
        values = data[column]
        if tied is None:
            ranks = _ranks(values)
            before, after = ranks[:-1], ranks[1:]
        else:
            ranks = _ranks(values.take(pa.array(np.concatenate([tied, tied + 1]))))
            before, after = ranks[: tied.size], ranks[tied.size :]
        if np.any(before > after):
            return False
        same = np.flatnonzero(before == after)
        tied = same if tied is None else tied[same]
        if not tied.size:
            break
    return True


def _ranks(values: pa.ChunkedArray) -> _Integers:
    """Return numbers that order and equal each other as the values do."""
    if pa.types.is_date(values.type):
        numbers = values.cast(pa.int32())
    else:
        encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
        whole = encoded.combine_chunks()
        rank = pc.rank(whole.dictionary, tiebreaker="dense")
        numbers = rank.take(whole.indices)
    ranks: _Integers = numbers.cast(pa.int64()).fill_null(_LAST).to_numpy()
    return ranks
