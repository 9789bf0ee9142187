"""What record tables hold: their columns, what is missing and since when, and how late rows come in.

Nothing here shows a household: ids are counted, never listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.dates import month_number
from relapse_risk.errors import UsageError
from relapse_risk.records.columns import Column, Kind
from relapse_risk.records.records import Records
from relapse_risk.records.schema import plain
from relapse_risk.records.summary import LATE_DAYS
from relapse_risk.records.tables import TABLES

if TYPE_CHECKING:
    import pandas as pd

Period = Literal["year", "quarter", "month"]
#: Months of each period.
_MONTHS: dict[str, int] = {"year": 12, "quarter": 3, "month": 1}
#: Codes that ``columns_of`` shows of a column.
_CODES_SHOWN = 3


def columns_of(records: Records, table: str) -> pd.DataFrame:
    """Return a table's columns: what each means, how much of it is missing, and what it holds.

    Parameters
    ----------
    records : Records
        Their visible rows are described.
    table : str
        A table's name.

    Returns
    -------
    pandas.DataFrame
        By ``column``: ``zh``, ``en``, ``unit``, ``missing`` (share of the rows) and ``holds``: the number of
        different ids; the commonest codes with their shares of the rows that have one; the smallest, middle and
        largest number or day; the share of ``true``.

    Raises
    ------
    UsageError
        If there is no table of that name.
    """
    import pandas as pd  # noqa: PLC0415

    data = records.table(table)
    rows = [
        (
            name,
            c.zh,
            c.en,
            c.unit,
            _share_missing(data[name]),
            _holds(plain(data.select([name]))[name].drop_null(), c),
        )
        for name, c in TABLES[table].columns.items()
    ]
    return pd.DataFrame(rows, columns=["column", "zh", "en", "unit", "missing", "holds"]).set_index("column")


def missingness(records: Records, by: Period = "year") -> pd.DataFrame:
    """Return the share of missing values of every column that may be missing, over all rows and by period.

    A share that jumps shows where a form, an import or a habit changed: a model takes such a jump for a change in
    the households.

    Parameters
    ----------
    records : Records
        Their visible rows; tables without rows are left out.
    by : {"year", "quarter", "month"}
        Length of a period, by ``occurred_on``.

    Returns
    -------
    pandas.DataFrame
        Index levels ``table`` and ``column``; the column ``all`` and one for each period from the first to the
        last with rows, in order, such as ``2024``, ``2024Q1`` or ``2024-01``. A period without rows of the table
        is NaN.

    Raises
    ------
    UsageError
        If ``by`` is none of these.
    """
    import pandas as pd  # noqa: PLC0415

    if by not in _MONTHS:
        raise UsageError(f"by={by!r}. Valid: {', '.join(repr(period) for period in _MONTHS)}.")
    overall: dict[tuple[str, str], float] = {}
    shares: dict[tuple[str, str], dict[int, float]] = {}
    for name in _with_rows(records):
        data = records.table(name)
        period = month_number(_days(data, "occurred_on")) // _MONTHS[by]
        low = int(period.min())
        rows = np.bincount(period - low)
        for column, declared in TABLES[name].columns.items():
            if declared.nullable or declared.optional:
                missing = np.bincount(period - low, weights=_is_missing(data[column]), minlength=len(rows))
                overall[name, column] = float(missing.sum() / rows.sum())
                shares[name, column] = {low + k: float(missing[k] / rows[k]) for k in np.flatnonzero(rows).tolist()}
    periods = {period for share in shares.values() for period in share}
    every = range(min(periods), max(periods) + 1) if periods else range(0)
    index = pd.MultiIndex.from_tuples(list(overall), names=["table", "column"])
    found = [[overall[key], *(shares[key].get(period, np.nan) for period in every)] for key in overall]
    return pd.DataFrame(found, index, ["all", *(_named(period, by) for period in every)], dtype="float64")


def _named(period: int, by: Period) -> str:
    year, part = 1970 + period * _MONTHS[by] // 12, period % (12 // _MONTHS[by]) + 1
    return {"year": f"{year}", "quarter": f"{year}Q{part}", "month": f"{year}-{part:02}"}[by]


def rows_by_month(records: Records) -> pd.DataFrame:
    """Return how many rows of each table occurred in each month.

    A table that begins late, stops early or has a gap is seen here first. The latest months are never whole: some
    of their rows have not come in yet (see ``delays``).

    Returns
    -------
    pandas.DataFrame
        By month (its first day), from the first to the last with rows of any table but those of profiles, which
        reach back as far as they like; a column for each table with rows.
    """
    import pandas as pd  # noqa: PLC0415

    names = [name for name in _with_rows(records) if name not in ("households", "members", "grids", "statuses")]
    months = {name: month_number(_days(records.table(name), "occurred_on")) for name in names}
    if not months:
        return pd.DataFrame(index=pd.DatetimeIndex([], name="month"))
    low, high = min(m.min() for m in months.values()), max(m.max() for m in months.values())
    counts = {name: np.bincount(month - low, minlength=high - low + 1) for name, month in months.items()}
    first_days = np.arange(low, high + 1).astype("datetime64[M]").astype("datetime64[s]")
    return pd.DataFrame(counts, index=pd.DatetimeIndex(first_days, name="month"))


def delays(records: Records) -> pd.DataFrame:
    """Return how many days pass from when things happen until the county's system holds them.

    A score made today does not see what happened within these days.

    Returns
    -------
    pandas.DataFrame
        By table with rows: ``rows``; ``median``, ``p90`` and ``longest`` delay in days; and ``late``, the share of
        the rows that took more than 30 days.
    """
    import pandas as pd  # noqa: PLC0415

    found = {}
    for name in _with_rows(records):
        data = records.table(name)
        days = _days(data, "known_on") - _days(data, "occurred_on")
        median, p90 = np.quantile(days, [0.5, 0.9], method="inverted_cdf").tolist()
        found[name] = (len(days), int(median), int(p90), int(days.max()), float(np.mean(days > LATE_DAYS)))
    columns = ["rows", "median", "p90", "longest", "late"]
    frame = pd.DataFrame.from_dict(found, orient="index", columns=columns)
    return frame.rename_axis("table")


def _with_rows(records: Records) -> list[str]:
    return [name for name in TABLES if records.table(name).num_rows]


def _days(data: pa.Table, column: str) -> npt.NDArray[np.int32]:
    return np.asarray(data[column].cast(pa.int32()))


def _is_missing(values: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.asarray(values.is_null(nan_is_null=True))


def _share_missing(values: pa.ChunkedArray) -> float:
    return float(_is_missing(values).mean()) if len(values) else float("nan")


def _holds(values: pa.ChunkedArray, column: Column) -> str:
    if not len(values):
        return ""
    if column.kind in (Kind.ID, Kind.TEXT):
        return f"{pc.count_distinct(values).as_py():,} different"
    if column.kind is Kind.FLAG:
        return f"true {pc.mean(values).as_py():.0%}"
    if column.kind in (Kind.CODE, Kind.CODE_SET):
        return _commonest(values, column)
    if column.kind is Kind.DATE:
        span = pc.min_max(values).as_py()
        middle = pc.quantile(values.cast(pa.int32()), 0.5, interpolation="lower")[0].as_py()
        return f"{span['min']} | {np.datetime64(int(middle), 'D')} | {span['max']}"
    low, middle, high = (q.as_py() for q in pc.quantile(values, [0.0, 0.5, 1.0]))
    return f"{low:,.6g} | {middle:,.6g} | {high:,.6g}"


def _commonest(values: pa.ChunkedArray, column: Column) -> str:
    assert column.codes is not None  # noqa: S101
    if column.kind is Kind.CODE_SET:
        counted = pc.value_counts(pc.list_flatten(pc.split_pattern(values, ",")))
    else:
        counted = pc.value_counts(values)
    counts = {one["values"]: one["counts"] for one in counted.to_pylist()}
    first = sorted(counts, key=lambda code: (-counts[code], code))[:_CODES_SHOWN]
    words = [f"{code} {column.codes.labels[code].zh} {counts[code] / len(values):.0%}" for code in first]
    return ", ".join(words) + (f", {len(counts) - len(first)} more" if len(counts) > len(first) else "")
