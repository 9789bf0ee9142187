"""Frames of the panel's answers, and what all tables made of them share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from relapse_risk.records.schema import arrow_schema
from relapse_risk.records.tables import TABLES

#: Answer codes of yes/no questions; others are "no answer".
YES, NO = 1, 2


def quarter_end(year: pd.Series[Any], quarter: pd.Series[Any]) -> npt.NDArray[np.datetime64]:
    """Return the last day of each quarter."""
    months = (year.to_numpy(np.int64) - 1970) * 12 + quarter.to_numpy(np.int64) * 3
    return np.asarray(months.astype("datetime64[M]").astype("datetime64[D]") - np.timedelta64(1, "D"))


def dated(answers: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """Return rows that happened, and were known, on the day of their visit."""
    return pd.DataFrame(
        {
            "household_id": answers["household_id"],
            "occurred_on": answers["day"],
            "known_on": answers["day"],
            **columns,
        }
    )


def records_table(name: str, frame: pd.DataFrame) -> pa.Table:
    """Return a frame as a record table; what the panel does not ask is missing."""
    order = [c for c in ("household_id", "occurred_on") if c in frame]
    frame = frame.sort_values(order, kind="stable", ignore_index=True)
    schema = arrow_schema(TABLES[name])
    lacking = {field.name: None for field in schema if field.name not in frame}
    return pa.Table.from_pandas(frame.assign(**lacking), schema=schema, preserve_index=False)
