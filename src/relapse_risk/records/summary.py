"""What a records folder holds, in numbers: counts, ranges, freshness."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.records.blocks import RecordBlocks, each_block
from relapse_risk.records.records import Records
from relapse_risk.records.tables import TABLES

#: Rows known more than so many days after they occurred are late.
LATE_DAYS = 30


def summarise(
    records: Records | RecordBlocks, on_done: Callable[[int, int], None] | None = None
) -> list[dict[str, Any]]:
    """Return one row a present table: counts, first and last day, last day known, shares late and missing.

    Parameters
    ----------
    records : Records or RecordBlocks
        Blocks are checked as they are read.
    on_done : callable, optional
        See ``each_block``.

    Raises
    ------
    RecordsInvalid
        If blocks break a rule.
    """
    names = [name for name in TABLES if name in records.present]
    found: dict[str, _Counts] = {}
    for counts in each_block(
        records, lambda block: {name: _count(block.table(name)) for name in names}, on_done=on_done
    ):
        for name, of_block in counts.items():
            if name not in found:
                found[name] = of_block
            elif "household_id" in TABLES[name].columns:  # else each block has the same rows
                found[name] = found[name].with_more(of_block)
    return [found[name].described(name) for name in names]


@dataclass(frozen=True)
class _Counts:
    """Numbers of a table that add up over blocks of households."""

    rows: int
    households: int
    values: int
    missing: int
    late: int
    first_day: dt.date = dt.date.max
    last_day: dt.date = dt.date.min
    last_known: dt.date = dt.date.min

    def with_more(self, other: _Counts) -> _Counts:
        """Return the numbers of both."""
        return _Counts(
            self.rows + other.rows,
            self.households + other.households,
            self.values + other.values,
            self.missing + other.missing,
            self.late + other.late,
            min(self.first_day, other.first_day),
            max(self.last_day, other.last_day),
            max(self.last_known, other.last_known),
        )

    def described(self, name: str) -> dict[str, Any]:
        """Return the table's row of the summary."""
        of_rows = dict.fromkeys(("first_day", "last_day", "last_known", "late", "missing"), "")
        if self.rows:
            of_rows = {
                "first_day": str(self.first_day),
                "last_day": str(self.last_day),
                "last_known": str(self.last_known),
                "late": f"{self.late / self.rows:.1%}",
                "missing": f"{self.missing / self.values:.1%}",
            }
        return {"table": name, "rows": self.rows, "households": self.households, **of_rows}


def _count(data: pa.Table) -> _Counts:
    if not data.num_rows:
        return _Counts(0, 0, 0, 0, 0)
    occurred, known = (np.asarray(data[c].cast(pa.int32())) for c in ("occurred_on", "known_on"))
    days = pc.min_max(data["occurred_on"]).as_py()
    return _Counts(
        rows=data.num_rows,
        households=len(pc.unique(data["household_id"])) if "household_id" in data.column_names else 0,
        values=data.num_rows * data.num_columns,
        missing=sum(column.null_count for column in data.columns),
        late=int(np.count_nonzero(known - occurred > LATE_DAYS)),
        first_day=days["min"],
        last_day=days["max"],
        last_known=pc.max(data["known_on"]).as_py(),
    )
