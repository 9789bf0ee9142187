"""The AUCs of a ranking are those that counting pairs one by one gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from relapse_risk.training.metrics import ranking_metrics

Row = tuple[float, bool, int]
#: Few scores, dates and rows, so that ties, missing scores and dates of one class are frequent.
ROWS = st.lists(
    st.tuples(st.sampled_from([math.nan, -1.0, 0.0, 0.5, 1e9]), st.booleans(), st.integers(0, 3)), max_size=25
)


def share_of_right_pairs(rows: list[Row], *, same_date: bool) -> float:
    """Return the share of pairs of a positive and a negative in which the positive has the higher score."""
    pairs, right = 0, 0.0
    for score, poor, date in rows:
        for other_score, other_poor, other_date in rows:
            if not poor or other_poor or (same_date and date != other_date):
                continue
            pairs += 1
            first, second = (-math.inf if math.isnan(one) else one for one in (score, other_score))
            right += 1.0 if first > second else 0.5 if first == second else 0.0
    return right / pairs if pairs else math.nan


@given(rows=ROWS)
def test_aucs_are_those_of_pairs_counted_one_by_one(rows: list[Row]) -> None:
    assume(len({poor for _, poor, _ in rows}) == 2)
    score, poor, date = (np.array(column) for column in zip(*rows, strict=True))
    metrics = ranking_metrics(score, poor, 0.1, date)
    within, pooled = (share_of_right_pairs(rows, same_date=same) for same in (True, False))
    assert metrics["auc_within_dates"] == pytest.approx(within, nan_ok=True)
    assert metrics["auc_pooled"] == pytest.approx(pooled)
