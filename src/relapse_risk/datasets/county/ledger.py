"""Rows of the record tables as they come about, and as Arrow tables in the end."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from relapse_risk.records.columns import Kind, Table
from relapse_risk.records.schema import arrow_schema

Codes = npt.NDArray[np.int64]


class Ledger:
    """Collects one township's rows, month by month, column by column.

    Codes are kept as their position in the code list, -1 for none; numbers as floats, NaN for none; dates as days,
    a negative one for none; texts as Arrow arrays.
    """

    def __init__(self) -> None:
        self._parts: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def add(
        self, table: str, household: Codes, occurred: npt.ArrayLike, known: npt.ArrayLike, **columns: Any
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
            Of shape (n,), or single values.
        """
        n = len(household)
        if not n:
            return
        part: dict[str, Any] = {"household": household}
        for name, values in {"occurred_on": occurred, "known_on": known, **columns}.items():
            part[name] = values if isinstance(values, pa.Array) else np.broadcast_to(np.asarray(values), (n,))
        self._parts[table].append(part)

    def table(self, described: type[Table], ids: pa.Array, end: int, persons: pa.Array) -> pa.Table:
        """Return a table's rows that were known before the end, household by household in order of days.

        Parameters
        ----------
        described : type of Table
            Which.
        ids : pyarrow.Array of string
            The township's household ids, in order.
        end : int
            First day not covered.
        persons : pyarrow.Array of string
            The ids of all persons who ever lived in the township, by number.
        """
        schema = arrow_schema(described)
        parts = self._parts.get(described.name, [])
        if not parts:
            return schema.empty_table()
        joined = {
            name: pa.concat_arrays([p[name] for p in parts])
            if isinstance(parts[0][name], pa.Array)
            else np.concatenate([p[name] for p in parts])
            for name in parts[0]
        }
        occurred, known = (joined[c].astype(np.int64) for c in ("occurred_on", "known_on"))
        known = np.maximum(known, occurred)
        keep = np.flatnonzero(known < end)
        rest = [joined[c][keep] for c in described.key if c in joined and isinstance(joined[c], np.ndarray)]
        by = np.lexsort([known[keep], *reversed(rest), occurred[keep], joined["household"][keep]])
        rows = keep[by]
        joined["known_on"] = known
        columns = []
        for field in schema:
            if field.name == "household_id":
                columns.append(ids.take(pa.array(joined["household"][rows])))
            elif field.name == "person_id":
                columns.append(persons.take(pa.array(joined["person_id"][rows])))
            elif field.name not in joined:
                columns.append(pa.nulls(len(rows), field.type))
            else:
                columns.append(_column(joined[field.name], rows, described, field))
        return pa.Table.from_arrays(columns, schema=schema)


def _column(values: Any, rows: Codes, described: type[Table], field: pa.Field) -> pa.Array:
    if isinstance(values, pa.Array):
        return values.take(pa.array(rows))
    values = values[rows]
    column = described.columns[field.name]
    if column.kind is Kind.CODE and column.codes is not None:
        codes = pa.array(column.codes.values, pa.string())
        return codes.take(pa.array(np.where(values < 0, 0, values), mask=values < 0))
    if column.kind is Kind.DATE:
        return pa.array(values.astype(np.int32), mask=values < 0).cast(pa.date32())
    if column.kind is Kind.INTEGER:
        missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)
        return pa.array(np.where(missing, 0, values).astype(np.int64), mask=missing)
    if column.kind is Kind.NUMBER:
        return pa.array(values.astype(np.float64), mask=np.isnan(values.astype(np.float64)))
    return pa.array(values.astype(bool))
