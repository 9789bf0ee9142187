"""What a records folder holds, in numbers: counts, ranges, freshness."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.records.records import Records
from relapse_risk.records.tables import TABLES

#: Rows known more than so many days after they occurred are late.
LATE_DAYS = 30


def summarise(records: Records) -> list[dict[str, Any]]:
    """Return one row a present table: counts, first and last day, last day known, shares late and missing."""
    return [_summary(name, records.table(name)) for name in TABLES if name in records.present]


def _summary(name: str, data: pa.Table) -> dict[str, Any]:
    if not data.num_rows:
        return {"table": name, "rows": 0, "households": 0} | dict.fromkeys(
            ("first_day", "last_day", "last_known", "late", "missing"), ""
        )
    occurred, known = (np.asarray(data[c].cast(pa.int32())) for c in ("occurred_on", "known_on"))
    span = pc.min_max(data["occurred_on"]).as_py()
    missing = sum(column.null_count for column in data.columns) / (data.num_rows * data.num_columns)
    has_households = "household_id" in data.column_names
    return {
        "table": name,
        "rows": data.num_rows,
        "households": pc.count_distinct(data["household_id"]).as_py() if has_households else 0,
        "first_day": str(span["min"]),
        "last_day": str(span["max"]),
        "last_known": str(pc.max(data["known_on"]).as_py()),
        "late": f"{np.mean(known - occurred > LATE_DAYS):.1%}",
        "missing": f"{missing:.1%}",
    }
