"""Hashes of rows: equal wherever number and text are, however the texts lie in memory."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from relapse_risk.features.hashing import hash_with


@given(
    st.lists(st.tuples(st.integers(-5, 5), st.text(max_size=4)), max_size=40),
    st.integers(0, 40),
    st.integers(0, 3),
)
def test_equal_pairs_have_equal_hashes_and_others_differ(pairs: list[tuple[int, str]], cut: int, lead: int) -> None:
    numbers = np.array([number for number, _ in pairs], np.int64)
    texts = [text for _, text in pairs]
    whole = pa.chunked_array([pa.array(texts, pa.string())])
    pieces = pa.chunked_array(
        [
            pa.array(["x"] * lead + texts[:cut], pa.string()).slice(lead),  # a slice begins inside its buffer
            pa.array(texts[cut:], pa.string()),
        ]
    )
    hashes = hash_with(numbers, whole)
    assert np.array_equal(hashes, hash_with(numbers, pieces))
    assert len(set(hashes.tolist())) == len(set(pairs)), "64 bits distinguish so few pairs"
