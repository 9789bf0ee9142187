"""Rows of the record tables as they come about, and as Arrow tables of some households at a time.

A township's rows are most of what the simulator keeps in memory, so a column is an array of the smallest type that
holds it, and rows are put in order only when they are taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.datasets.county.arrays import Ints, code
from relapse_risk.records.columns import Column, Kind
from relapse_risk.records.order import order_of
from relapse_risk.records.schema import ARROW_TYPES
from relapse_risk.records.tables import TABLES

_Column: TypeAlias = npt.NDArray[Any] | pa.Array
#: What a column is stored as. Whole numbers (of persons, grades, months) are far below 2**24, up to which single
#: precision is exact.
_STORED: dict[Kind, Any] = {
    Kind.ID: np.int32,
    Kind.CODE: np.int8,
    Kind.DATE: np.int32,
    Kind.INTEGER: np.float32,
    Kind.NUMBER: np.float64,
    Kind.FLAG: np.bool_,
}
_DICTIONARY = pa.dictionary(pa.int32(), pa.string())


class Ledger:
    """Collects one township's rows, month by month, column by column.

    Codes are kept as their position in the code list, households and persons as numbers, -1 for none; numbers as
    floats, NaN for none; dates as days, a negative one for none; texts, and what may lie before 1970, as Arrow
    arrays.
    """

    def __init__(self) -> None:
        self._parts: dict[str, dict[str, list[_Column]]] = defaultdict(lambda: defaultdict(list))

    def add(
        self, table: str, household: Ints, occurred: npt.ArrayLike, known: npt.ArrayLike, **columns: Any
    ) -> None:
        """Add rows of some households.

        Parameters
        ----------
        table : str
            Table name.
        household : ndarray of int, shape (n,)
            Number of each row's household in the township.
        occurred, known : array_like of int
            Days; single values stand for all rows.
        columns : array_like
            Of shape (n,), or single values; a single code may be its name.
        """
        n = len(household)
        if not n:
            return
        described, parts = TABLES[table].columns, self._parts[table]
        values = {"household_id": household, "occurred_on": occurred, "known_on": known, **columns}
        for name, value in values.items():
            column = described[name]
            if isinstance(value, pa.Array):
                parts[name].append(value)
                continue
            stored = np.empty(n, _STORED[column.kind])
            stored[:] = code(column.codes, value) if isinstance(value, str) and column.codes else value
            parts[name].append(stored)

    def rows(self, name: str, ids: Mapping[str, pa.Array], end: int) -> Rows:
        """Return a table's rows, and forget them.

        Parameters
        ----------
        name : str
            Which table.
        ids : dict of str to pyarrow.Array of string
            For each column kept as numbers, the ids they stand for; those of households in their order as texts.
        end : int
            First day not covered: rows that were not known before are left out.
        """
        parts = self._parts.pop(name, {})
        columns = {column: _joined(parts.pop(column)) for column in list(parts)}
        if columns:
            np.maximum(columns["known_on"], columns["occurred_on"], out=columns["known_on"])
        return Rows(name, columns, ids, end)


class Rows:
    """A table's rows of one township, to be taken by households; ``Ledger.rows`` makes them.

    Parameters
    ----------
    name, ids, end
        See ``Ledger.rows``.
    columns : dict of str to ndarray or pyarrow.Array
        As ``Ledger`` keeps them; what is lacking is missing in all rows.
    """

    def __init__(self, name: str, columns: Mapping[str, _Column], ids: Mapping[str, pa.Array], end: int) -> None:
        self._name, self._columns, self._ids, self._end = name, columns, ids, end

    def table(self, first: int, after: int) -> pa.Table:
        """Return the rows of the households from the first to the one before ``after``, in the order of a folder.

        Ids of households and persons, and codes, are dictionaries.
        """
        rows = self._rows_of(first, after)
        return pa.table(
            {name: self._arrow(name, column, rows) for name, column in TABLES[self._name].columns.items()}
        )

    def _rows_of(self, first: int, after: int) -> Ints:
        """Return where the rows of some households lie, in the order of a folder."""
        if not self._columns:
            return np.empty(0, np.int64)
        household = self._columns["household_id"]
        rows = np.flatnonzero((household >= first) & (household < after) & (self._columns["known_on"] < self._end))
        keys: list[npt.NDArray[Any]] = []
        for name in order_of(self._name):
            values = self._columns.get(name)
            if isinstance(values, np.ndarray):  # a text in a key (visit_id) follows from the rest of it
                keys.append(self._person_ranks()[values[rows]] if name == "person_id" else values[rows])
        ordered: Ints = rows[np.lexsort(keys[::-1])]
        return ordered

    def _person_ranks(self) -> npt.NDArray[np.uint64]:
        """Return numbers in the order of the persons' ids, which are in none."""
        ranks: npt.NDArray[np.uint64] = pc.rank(self._ids["person_id"], tiebreaker="dense").to_numpy()
        return ranks

    def _texts(self, name: str) -> pa.Array | None:
        """Return what the numbers of a column stand for; None where they are numbers."""
        codes = TABLES[self._name].columns[name].codes
        if TABLES[self._name].columns[name].kind is Kind.CODE and codes is not None:
            return pa.array(codes.values)
        return self._ids.get(name)

    def _arrow(self, name: str, column: Column, rows: Ints) -> pa.Array:
        values, texts = self._columns.get(name), self._texts(name)
        if values is None:
            return pa.nulls(len(rows), ARROW_TYPES[column.kind] if texts is None else _DICTIONARY)
        if isinstance(values, pa.Array):
            return values.take(pa.array(rows))
        values = values[rows]
        missing = np.isnan(values) if values.dtype.kind == "f" else values < 0
        if texts is not None:
            used, at = np.unique(np.maximum(values, 0), return_inverse=True)
            return pa.DictionaryArray.from_arrays(
                pa.array(at.astype(np.int32), mask=missing), texts.take(pa.array(used))
            )
        if column.kind is Kind.INTEGER:
            return pa.array(np.where(missing, 0, values).astype(np.int64), mask=missing)
        if column.kind is Kind.DATE:
            return pa.array(values, mask=missing).cast(pa.date32())
        return pa.array(values, mask=missing if column.kind is Kind.NUMBER else None)


def _joined(parts: list[_Column]) -> _Column:
    return pa.concat_arrays(parts) if isinstance(parts[0], pa.Array) else np.concatenate(parts)
