"""Texts are held as dictionaries whatever they come as, and come out as plain texts."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from tests.support import ascii as drawn

from relapse_risk.records.conform import conform
from relapse_risk.records.records import Records
from relapse_risk.records.schema import DICTIONARY, held_schema
from relapse_risk.records.tables import TABLES

TEXTS = ["b", None, "a", "b"]
PLAIN = pa.array(TEXTS)
COMING = {
    "plain": PLAIN,
    "large": pa.array(TEXTS, pa.large_string()),
    "views": pa.array(TEXTS, pa.string_view()),
    "categories with numbers of one byte": PLAIN.dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string())),
    "large categories": pa.array(TEXTS, pa.large_string()).dictionary_encode(),
    "chunks with dictionaries of their own": pa.chunked_array(
        [PLAIN.slice(0, 2).dictionary_encode(), PLAIN.slice(2).dictionary_encode()]
    ),
    "a missing value in the dictionary": PLAIN.dictionary_encode(null_encoding="encode"),
    "a text twice in the dictionary": pa.DictionaryArray.from_arrays(
        pa.array([2, None, 1, 0], pa.int32()), pa.array(["b", "a", "b"])
    ),
    "texts without a row in the dictionary": pa.DictionaryArray.from_arrays(
        pa.array([2, None, 1, 2], pa.int32()), pa.array(["1.0", "a", "b"])
    ),
}


def visits(worker: Any) -> pa.Table:
    data = drawn.table(
        "visits",
        """
        | household_id | occurred_on |
        | h1           | 2023-02-01  |
        | h1           | 2023-02-02  |
        | h1           | 2023-02-03  |
        | h1           | 2023-02-04  |
        """,
    )
    return data.set_column(data.column_names.index("worker_id"), "worker_id", worker)


@pytest.mark.parametrize("coming", COMING)
def test_texts_are_one_dictionary_without_missing_or_repeated_ones(coming: str) -> None:
    data, violations = conform(TABLES["visits"], visits(COMING[coming]))
    assert not violations
    assert data is not None
    assert data.schema == held_schema(TABLES["visits"])
    (held,) = data["worker_id"].chunks
    assert held.to_pylist() == TEXTS
    assert held.type == DICTIONARY
    assert held.dictionary.null_count == 0
    assert len(held.dictionary) == len(held.dictionary.unique())


@pytest.mark.parametrize("coming", COMING)
def test_frames_have_plain_texts(coming: str) -> None:
    """And the rules judge only texts that have a row."""
    tables = drawn.tables(HOUSEHOLD)
    records = Records.from_tables(tables | {"visits": visits(COMING[coming])}, drawn.settings())
    frame = records.frame("visits")
    expected = pd.Series(TEXTS, name="worker_id", dtype="str")
    pd.testing.assert_series_equal(frame["worker_id"], expected)
    dtypes = {"household_id": "str", "occurred_on": "datetime64[ms]", "yard": "Int64", "clue_raised": "boolean"}
    assert frame.dtypes[list(dtypes)].astype(str).to_dict() == dtypes


HOUSEHOLD = """
households
| household_id | occurred_on |
| h1           | 2023-01-01  |
incomes
| household_id | occurred_on |
statuses
| household_id | occurred_on |
"""


def test_texts_that_are_not_utf8_are_refused_not_stumbled_over() -> None:
    """GBK bytes that some writer passed off as text."""
    gbk = "网格员".encode("gbk")
    texts = pa.Array.from_buffers(
        pa.string(), 4, [None, pa.py_buffer(pa.array([0, 6, 6, 6, 6], pa.int32()).buffers()[1]), pa.py_buffer(gbk)]
    )
    data, (violation,) = conform(TABLES["visits"], visits(texts))
    assert data is None
    assert (violation.code, violation.column) == ("RR004", "worker_id")
    assert "UTF-8" in violation.valid
