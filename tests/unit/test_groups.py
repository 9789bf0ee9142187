"""Rows are grouped by equal values, however the table came to be."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from relapse_risk.records.groups import number_groups

CHUNKS = [pa.table({"a": ["x", None], "b": [1, 1]}), pa.table({"a": ["y", "x", None], "b": [1, 2, 1]})]


def test_rows_in_several_chunks_are_grouped_as_one_table_is() -> None:
    groups, n_groups = number_groups(pa.concat_tables(CHUNKS), ["a", "b"])
    assert (groups.tolist(), n_groups) == ([0, 1, 2, 3, 1], 4)


@pytest.mark.parametrize("chunks", [[], [[]]])
def test_a_table_without_rows_has_no_groups(chunks: list[list[int]]) -> None:
    days = pa.chunked_array(chunks, pa.date32())
    groups, n_groups = number_groups(pa.table({"occurred_on": days}), ["occurred_on"])
    assert (groups.tolist(), n_groups) == ([], 0)


def test_more_combinations_than_an_integer_holds_stay_apart() -> None:
    """Five columns of 2**16 values each: 2**80 combinations, the first column's lost if the numbers overflow."""
    n = 2**16
    columns = {name: np.append(np.arange(n), 0) for name in "abcde"}
    columns["a"][-1] = 1
    assert number_groups(pa.table(columns), list("abcde"))[1] == n + 1
