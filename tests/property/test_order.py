"""Tables are put in one order, in whatever form and order their columns come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from tests.support import histories
from tests.support.encoded import arrays

from relapse_risk.dates import FAR_FUTURE
from relapse_risk.features.columns import Texts
from relapse_risk.features.encode import Encoded
from relapse_risk.features.order import Keys, lie_in_order, superseded
from relapse_risk.records.records import Records
from relapse_risk.records.tables import TABLES

#: Few different values of each, so that rows tie.
ROW = st.tuples(*[st.integers(0, 1)] * 3, st.sampled_from([None, "p10", "p2", "户", "户1"]))
ROWS = st.lists(st.tuples(ROW, st.integers(0, 3)), max_size=20)
Row = tuple[tuple[int, int, int, str | None], int]


def keys_of(rows: list[Row]) -> tuple[Keys, Texts]:
    """Return the keys of rows: household, day, code and text of the key, day known."""
    encoded = pa.array([key[3] for key, _ in rows], pa.string()).dictionary_encode()
    distinct = pa.array(["begins the buffer", *encoded.dictionary.to_pylist()], pa.string())[1:]
    texts = Texts(np.array(encoded.indices.fill_null(-1), np.int32), distinct)
    household, day, code = (np.array([row[0][k] for row in rows], np.int32) for k in range(3))
    return Keys(household, day, code, texts.code, np.array([known for _, known in rows], np.int32)), texts


def by_order(row: Row) -> Any:
    (household, day, code, text), known = row
    return household, day, code, text is not None, text or "", known


@given(ROWS, st.booleans())
def test_rows_are_ordered_by_household_day_code_text_and_day_known(rows: list[Row], is_sorted: bool) -> None:
    rows = sorted(rows, key=by_order) if is_sorted else rows
    keys, texts = keys_of(rows)
    ranked = keys._replace(text=texts.ranks())
    in_order = sorted(rows, key=by_order)
    assert lie_in_order(keys, texts.distinct) == lie_in_order(ranked) == (rows == in_order)
    assert [rows[k] for k in ranked.order()] == in_order


@given(ROWS, st.booleans())
def test_a_row_is_replaced_when_the_next_version_of_its_fact_is_known(rows: list[Row], by_day: bool) -> None:
    def fact(row: Row) -> Any:
        household, day, *rest = row[0]
        return household, day if by_day else None, *rest

    rows = sorted({(fact(row), row[1]): row for row in rows}.values(), key=by_order)  # a fact once on a day
    keys, _ = keys_of(rows)
    want = [
        min((other[1] for other in rows if fact(other) == fact(row) and other[1] > row[1]), default=FAR_FUTURE)
        for row in rows
    ]
    assert superseded(keys, by_day=by_day).tolist() == want


def in_form(records: Records, form: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> Encoded:
    """Encode records whose columns of texts were brought to a form."""
    tables = {}
    for name in TABLES:
        data = records.table(name)
        columns = [form(of.cast(pa.string())) if pa.types.is_dictionary(of.type) else of for of in data.columns]
        tables[name] = pa.table(columns, names=data.column_names)
    return Encoded(Records.from_valid(tables, records.settings, records.present))


def in_chunks(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts as dictionaries, those of each two rows by themselves."""
    chunks = [texts.slice(low, 2).combine_chunks().dictionary_encode() for low in range(0, len(texts), 2)]
    return pa.chunked_array(chunks, pa.dictionary(pa.int32(), pa.string()))


@given(rows=histories.tables())
def test_texts_may_be_plain_or_dictionaries(rows: dict[str, Any]) -> None:
    records = histories.as_records(rows)
    plain, chunked, whole = in_form(records, lambda texts: texts), in_form(records, in_chunks), Encoded(records)
    for name in set(TABLES) - {"grids"}:
        want, *others = (arrays(encoded.table(name)) for encoded in (plain, chunked, whole))
        for got in others:
            for what, of in want.items():
                np.testing.assert_array_equal(got[what], of, err_msg=f"{name} {what}")
