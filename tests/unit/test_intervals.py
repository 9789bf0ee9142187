"""Ranking figures of households drawn anew, and what is compared on the same draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relapse_risk.errors import NotEnoughData, UsageError
from relapse_risk.training.intervals import FIGURES, _RankedRows, paired_table, ranking_intervals
from relapse_risk.training.metrics import ranking_metrics


def predictions(n: int = 400, seed: int = 0) -> pd.DataFrame:
    """Return n households on 3 dates, one outcome each: a score that knows something, one that does not."""
    rng = np.random.default_rng(seed)
    household = np.repeat(np.arange(n), 3)
    risk = np.repeat(rng.normal(size=n), 3)
    return pd.DataFrame({
        "household_id": household.astype(str),
        "as_of": np.tile(pd.to_datetime(["2024-01-01", "2024-03-01", "2024-05-01"]), n),
        "label": np.repeat(rng.random(n) < 1 / (1 + np.exp(2 - 1.5 * risk[::3])), 3),  # three times the same
        "good": risk + 0.1 * rng.normal(size=3 * n),
        "noise": rng.normal(size=3 * n),
        "good_too": np.exp(risk),
    })  # fmt: skip


@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.3]))
def test_weighted_figures_are_those_of_the_rows_repeated(seed: int, capacity: float) -> None:
    """With ties, missing scores, dates of one class, and households drawn several times or not at all."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 40))
    score = rng.integers(0, 5, n).astype(float)
    score[rng.random(n) < 0.1] = np.nan
    y = rng.random(n) < rng.choice([0.1, 0.5])
    dates, weight = rng.integers(0, 3, n), rng.integers(0, 4, n)
    rows = np.repeat(np.arange(n), weight)
    if not y[rows].any() or y[rows].all():
        return
    of_dates = [np.flatnonzero(dates == one) for one in range(3)]
    sums = np.sum([_RankedRows.of(r, score, y).figures(weight.astype(float), capacity) for r in of_dates], axis=0)
    pairs, right, positives, precision, found, visits = sums
    expected: Any = ranking_metrics(score[rows], y[rows], capacity, dates[rows])
    if pairs:
        assert right / pairs == pytest.approx(expected["auc_within_dates"])
    all_pairs, all_right = _RankedRows.of(np.arange(n), score, y).figures(weight.astype(float), capacity)[:2]
    assert all_right / all_pairs == pytest.approx(expected["auc_pooled"])
    assert precision / positives == pytest.approx(expected["average_precision"])
    assert found / positives == pytest.approx(expected["recall"])
    assert found / visits == pytest.approx(expected["precision"])


def test_values_are_those_of_the_metrics_and_lie_in_their_intervals() -> None:
    rows = predictions()
    found: Any = ranking_intervals(rows, {"a": "good", "b": "noise"}, 0.1)
    for name, column in (("a", "good"), ("b", "noise")):
        expected = ranking_metrics(rows[column].to_numpy(), rows["label"].to_numpy(), 0.1, rows["as_of"].to_numpy())
        assert {figure: found.loc[(name, figure), "value"] for figure in FIGURES} == pytest.approx(
            {figure: expected[figure] for figure in FIGURES}
        )
    assert (found["low"] < found["value"]).all()
    assert (found["value"] < found["high"]).all()


def test_an_interval_is_as_wide_as_figures_of_other_samples_spread() -> None:
    auc: Any = [
        ranking_metrics(of["good"].to_numpy(), of["label"].to_numpy(), 0.1, of["as_of"].to_numpy())[
            "auc_within_dates"
        ]
        for of in (predictions(seed=seed) for seed in range(1, 61))
    ]
    found: Any = ranking_intervals(predictions(), {"a": "good"}, 0.1).loc[("a", "auc_within_dates")]
    assert (found["high"] - found["low"]) / (2 * 1.96 * np.std(auc)) == pytest.approx(1.0, abs=0.25)


def test_two_orders_are_compared_on_the_same_draws() -> None:
    rows = predictions()
    found: Any = ranking_intervals(rows, {"a": "good", "b": "noise", "c": "good_too"}, 0.1, base="a")
    assert (found.loc["a", ["difference", "difference_low", "difference_high"]] == 0).all(axis=None)
    assert found.loc[("b", "auc_within_dates"), "difference_high"] < 0  # surely worse
    close: Any = found.loc[("c", "auc_within_dates")]
    assert close["difference_high"] - close["difference_low"] < 0.2 * (close["high"] - close["low"])
    pd.testing.assert_frame_equal(
        found, ranking_intervals(rows, {"a": "good", "b": "noise", "c": "good_too"}, 0.1, base="a")
    )


def test_what_cannot_be_ranked_is_refused() -> None:
    rows = predictions(20)
    with pytest.raises(NotEnoughData, match="all of one class"):
        ranking_intervals(rows.assign(label=False), {"a": "good"}, 0.1)
    with pytest.raises(UsageError, match="base='z'. Valid: a"):
        ranking_intervals(rows, {"a": "good"}, 0.1, base="z")


def test_the_pooled_auc_alone_sees_levels_of_dates() -> None:
    rows = predictions()
    rows["level"] = rows["good"] + 100 * rows["as_of"].dt.month
    found: Any = ranking_intervals(rows, {"a": "good", "b": "level"}, 0.1)["value"]
    assert found["a", "auc_within_dates"] == found["b", "auc_within_dates"]
    assert found["b", "auc_pooled"] < found["a", "auc_pooled"]


def test_two_scores_are_compared_in_one_row_a_metric() -> None:
    rows = predictions()
    word, before, after, difference, interval = paired_table(rows, "noise", "good", 0.1, draws=50)[0]
    low, high = map(float, interval.split(" to "))
    assert word == "AUC within dates"
    assert difference == f"{after - before:+.3f}"
    assert 0 < low < after - before < high
