"""Rows of the record tables as they come about, and as Arrow tables in the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from relapse_risk.datasets.county.arrays import Ints, code
from relapse_risk.records.columns import Column, Kind
from relapse_risk.records.schema import arrow_schema
from relapse_risk.records.tables import TABLES


class Ledger:
    """Collects one township's rows, month by month, column by column.

    Codes are kept as their position in the code list, households and persons as numbers, -1 for none; numbers as
    floats, NaN for none; dates as days, a negative one for none; texts, and what may lie before 1970, as Arrow
    arrays.
    """

    def __init__(self) -> None:
        self._parts: dict[str, list[dict[str, Any]]] = defaultdict(list)

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
        part: dict[str, Any] = {}
        values = {"household_id": household, "occurred_on": occurred, "known_on": known, **columns}
        for name, value in values.items():
            codes = TABLES[table].columns[name].codes
            one = code(codes, value) if isinstance(value, str) and codes else value
            part[name] = one if isinstance(one, pa.Array) else np.broadcast_to(np.asarray(one), (n,))
        self._parts[table].append(part)

    def table(self, name: str, ids: Mapping[str, pa.Array], end: int) -> pa.Table:
        """Return a table's rows that were known before the end, household by household in order of days.

        Parameters
        ----------
        name : str
            Which table.
        ids : dict of str to pyarrow.Array of string
            For each column kept as numbers, the ids they stand for.
        end : int
            First day not covered.
        """
        described = TABLES[name]
        schema, parts = arrow_schema(described), self._parts.get(name, [])
        if not parts:
            return schema.empty_table()
        whole = {
            column: pa.concat_arrays([part[column] for part in parts])
            if isinstance(first, pa.Array)
            else np.concatenate([part[column] for part in parts])
            for column, first in parts[0].items()
        }
        known = whole["known_on"] = np.maximum(whole["known_on"], whole["occurred_on"])
        keep = np.flatnonzero(known < end)
        order = ["household_id", "occurred_on", *described.key[1:], "known_on"]
        keys = [whole[c][keep] for c in order if isinstance(whole.get(c), np.ndarray)]
        rows = keep[np.lexsort(keys[::-1])]
        columns = [
            _column(whole[field.name], rows, described.columns[field.name], ids.get(field.name))
            if field.name in whole
            else pa.nulls(len(rows), field.type)
            for field in schema
        ]
        return pa.Table.from_arrays(columns, schema=schema)


def _column(values: Any, rows: Ints, column: Column, ids: pa.Array | None) -> pa.Array:
    if isinstance(values, pa.Array):
        return values.take(pa.array(rows))
    values = values[rows]
    if column.kind is Kind.CODE and column.codes is not None:
        ids = pa.array(column.codes.values, pa.string())
    if ids is not None:
        return ids.take(pa.array(np.where(values < 0, 0, values), mask=values < 0))
    if column.kind is Kind.DATE:
        return pa.array(values.astype(np.int32), mask=values < 0).cast(pa.date32())
    if column.kind in (Kind.INTEGER, Kind.NUMBER):
        number, missing = values.astype(np.float64), np.isnan(values.astype(np.float64))
        if column.kind is Kind.INTEGER:
            return pa.array(np.where(missing, 0, number).astype(np.int64), mask=missing)
        return pa.array(number, mask=missing)
    return pa.array(values.astype(bool))
