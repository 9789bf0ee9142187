"""CSV files hold what pandas, Python's repr and json would write, byte for byte."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from relapse_risk.scoring.result_files import new_table
from relapse_risk.spreadsheet import harmless

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8) | st.sampled_from(
    ["=1+1", "-", "a,b", 'say "no"', "two\nlines", "\t@x", "＝1", "T01-07", "返贫", ""]
)
NUMBER = st.floats(allow_infinity=False, allow_nan=False) | st.sampled_from(
    [0.0, -0.0, 1.0, -3.0, 1e15, 1e16, 1e15 + 0.5, 123456789012345680.0, 1e-4, 9.999e-5, 1e-5, 5e-324, 0.1, 1 / 3]
)
REASON = st.fixed_dictionaries({"group": TEXT, "contribution": NUMBER, "value": st.none() | NUMBER, "zh": TEXT})
REASON_TYPE = pa.struct(
    [("group", pa.string()), ("contribution", pa.float64()), ("value", pa.float64()), ("zh", pa.string())]
)
ROW = st.tuples(
    TEXT,
    st.none() | TEXT,
    st.none() | NUMBER,
    st.integers(-(2**62), 2**62),
    st.booleans(),
    st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)).map(
        lambda t: t.replace(hour=0, minute=0, second=0, microsecond=0)
    ),
    st.lists(REASON, max_size=3),
)
NAMES = ["household_id", "note", "probability", "place, in grid", "poor", "as_of", "reasons"]
TYPES = [
    *(pa.large_string(), pa.dictionary(pa.int32(), pa.string()), pa.float64(), pa.int64(), pa.bool_()),
    *(pa.timestamp("s"), pa.list_(REASON_TYPE)),
]


def as_pandas_writes(table: pa.Table) -> bytes:
    """Return the table as pandas writes it, with texts made harmless and reasons as JSON."""
    frame = table.drop_columns(["reasons"]).to_pandas().astype({"note": "object"})
    frame["reasons"] = [json.dumps(reasons, ensure_ascii=False) for reasons in table["reasons"].to_pylist()]

    def shown(cell: object) -> object:
        return harmless(cell) if isinstance(cell, str) else cell

    for name in ("household_id", "note"):
        frame[name] = frame[name].map(shown)
    return frame.to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n").encode("utf-8-sig")


@given(st.lists(ROW, max_size=6))
@example([])
@example([("a", None, None, 0, True, dt.datetime(2025, 1, 1), [])])
def test_a_table_is_written_as_pandas_writes_it(tmp_path_factory: Any, rows: list[tuple[Any, ...]]) -> None:
    columns = zip(*rows, strict=True) if rows else [[]] * len(NAMES)
    arrays = [pa.array(list(values), of) for values, of in zip(columns, TYPES, strict=True)]
    table = pa.table(arrays, NAMES)
    file: Path = tmp_path_factory.mktemp("csv") / "rows.csv"
    with new_table(file) as write:
        write(table)
    assert file.read_bytes() == as_pandas_writes(table)
    with new_table(file) as write:
        write(pa.concat_tables([table, table]))
    twice = pd.read_csv(file, keep_default_na=False, encoding="utf-8", lineterminator="\n") if rows else None
    assert twice is None or len(twice) == 2 * len(rows)
