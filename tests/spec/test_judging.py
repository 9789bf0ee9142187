"""How a model is judged: which labels may be learned from, who is visited, what a tie is worth."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.ascii import records, settings
from tests.support.ascii import rows as drawn_rows
from tests.support.small import Small

from relapse_risk.errors import NotEnoughData
from relapse_risk.labelling import matures_on
from relapse_risk.model.estimator import RelapseModel
from relapse_risk.settings import OutcomeSettings
from relapse_risk.training.evaluate import metrics_of, predictions_at_origins
from relapse_risk.training.metrics import foreseen_by_date, probability_metrics, ranking_metrics, visited_first
from relapse_risk.training.splits import RollingOrigin, mature_dates, rolling_origins


@given(
    months=st.lists(st.integers(0, 60), min_size=1, max_size=30, unique=True).map(sorted),
    horizon=st.integers(1, 13),
    lag=st.integers(0, 90),
)
def test_no_training_label_reaches_into_the_test_date(months: list[int], horizon: int, lag: int) -> None:
    dates = [dt.date(2019 + m // 12, m % 12 + 1, 1) for m in months]
    outcome = OutcomeSettings(horizon_months=horizon, reporting_lag_days=lag)
    for origin in rolling_origins(dates, outcome, 100):
        assert origin.train
        for day in origin.train:
            end = pd.Timestamp(day) + pd.DateOffset(months=horizon) + pd.Timedelta(days=lag)
            assert end <= pd.Timestamp(origin.test)
        later = [day for day in dates if day not in origin.train]
        assert all(matures_on(day, outcome) > origin.test for day in later), "no mature label is left out"


def test_the_latest_origins_are_judged_and_none_where_none_are_asked_for() -> None:
    dates = [dt.date(2023, m, 1) for m in range(1, 13)]
    outcome = OutcomeSettings(horizon_months=2, reporting_lag_days=0)
    assert [origin.test.month for origin in rolling_origins(dates, outcome, 3)] == [10, 11, 12]
    assert rolling_origins(dates, outcome, 0) == []


def test_training_dates_have_history_behind_them_and_a_mature_label_before_the_end() -> None:
    drawn = records(
        """
        households
        | household_id | occurred_on |
        | h            | 2015-01-01  |
        statuses
        | household_id | occurred_on | poor | origin   |
        | h            | 2015-01-01  | no   | registry |
        visits
        | household_id | occurred_on | visit_id |
        | h            | 2022-01-15  | a        |
        | h            | 2023-12-31  | b        |
        incomes
        | household_id | occurred_on | source | amount_yuan |
        | h            | 2022-02-28  | wage   | 1000        |
        """,
        settings(
            cycle={"months": 2, "anchor": "2022-01-01"},
            outcome={"horizon_months": 6, "reporting_lag_days": 15},
            training={"history_months": 12},
        ),
    )
    assert drawn.end == dt.date(2024, 1, 1)
    assert mature_dates(drawn) == [dt.date(2023, 3, 1), dt.date(2023, 5, 1)]
    with pytest.raises(NotEnoughData, match=r"no as_of date from 2023-02-28 on has a mature label"):
        mature_dates(drawn.visible("2023-07-01"))


@pytest.mark.parametrize(
    ("score", "y", "capacity", "visited"),
    [
        ([0.9, 0.8, 0.1, 0.2], "1100", 0.5, "1100"),
        ([0.5, 0.5, 0.5, 0.5], "1000", 0.25, "0100"),  # a tie at the edge never flatters
        ([0.5, 0.9, 0.5, 0.5], "1100", 0.5, "0110"),
        ([np.nan, 0.1, np.nan, 0.0], "1000", 0.5, "0101"),  # what has no score comes last
        ([0.3, 0.2, 0.1], "111", 0.01, "100"),  # one visit at least
    ],
)
def test_who_is_visited(score: list[float], y: str, capacity: float, visited: str) -> None:
    outcome = np.array([c == "1" for c in y])
    assert visited_first(np.array(score), outcome, capacity).tolist() == [c == "1" for c in visited]


def test_an_order_without_information_finds_no_more_than_chance() -> None:
    y = np.arange(100) % 4 == 0
    metrics = ranking_metrics(np.zeros(100), y, 0.1)
    assert (metrics["auc_within_dates"], metrics["auc_pooled"]) == (0.5, 0.5)
    assert metrics["average_precision"] == pytest.approx(0.25)
    assert metrics["recall"] == 0.0, "ties go against the order"
    assert (metrics["n"], metrics["positives"], metrics["base_rate"]) == (100, 25, 0.25)


def test_metrics_are_those_of_a_case_counted_by_hand() -> None:
    score, y = np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([True, False, True, False, False])
    metrics = ranking_metrics(score, y, 0.4)
    assert (
        metrics["auc_within_dates"] == metrics["auc_pooled"] == pytest.approx(5 / 6)
    )  # of six pairs one is the wrong way round
    assert metrics["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert (metrics["recall"], metrics["precision"]) == (0.5, 0.5)


def test_each_date_is_a_list_of_its_own() -> None:
    """A date on which all scores are higher takes no visits from another."""
    score, y = np.array([0.9, 0.8, 0.7, 0.2, 0.1, 0.0]), np.array([True, False, False, True, False, False])
    lists = np.array([1, 1, 1, 2, 2, 2])
    apart = ranking_metrics(score, y, 1 / 3, lists)
    assert (apart["auc_within_dates"], apart["average_precision"]) == (1.0, 1.0)
    assert (apart["recall"], apart["precision"]) == (1.0, 1.0)
    together = ranking_metrics(score, y, 1 / 3)
    assert together["auc_within_dates"] == together["auc_pooled"] == apart["auc_pooled"] < 1.0
    assert together["recall"] == 0.5


def test_auc_within_dates_and_pooled_of_a_table_counted_by_hand() -> None:
    """Within dates, 2 of 2 pairs are right on the first date and 2.5 of 4 on the second; the third has no pair.

    Pooled, the three positives of 0.9, 0.6 and 0.3 are above 4, 1.5 and 1 of the five negatives.
    """
    rows = drawn_rows(
        """
        | as_of      | score | poor |
        | 2024-01-01 | 0.9   | yes  |
        | 2024-01-01 | 0.8   | no   |
        | 2024-01-01 | 0.7   | no   |
        | 2024-03-01 | 0.6   | yes  |
        | 2024-03-01 | 0.6   | no   |
        | 2024-03-01 | 0.3   | yes  |
        | 2024-03-01 | 0.2   | no   |
        | 2024-05-01 | 0.95  | no   |
        """
    )
    score, y = np.array([float(row["score"]) for row in rows]), np.array([row["poor"] == "yes" for row in rows])
    dates = np.array([row["as_of"] for row in rows], "datetime64[D]")
    metrics = ranking_metrics(score, y, 0.1, dates)
    assert metrics["auc_within_dates"] == pytest.approx((2 + 2.5) / (2 + 4))
    assert metrics["auc_pooled"] == pytest.approx((4 + 1.5 + 1) / 15)


def test_calibration_is_measured_as_it_is() -> None:
    y = np.arange(1000) % 10 == 0
    exact = probability_metrics(np.full(1000, 0.1), y)
    assert exact["mean_probability"] == pytest.approx(0.1)
    assert exact["brier"] == pytest.approx(0.09)
    assert exact["calibration_error"] == pytest.approx(0.0)
    assert probability_metrics(np.full(1000, 0.3), y)["calibration_error"] == pytest.approx(0.2)


def test_the_numbers_foreseen_and_come_true_are_given_for_each_date() -> None:
    dates = np.array(["2024-01-01"] * 3 + ["2024-03-01"] * 2, "datetime64[ns]")
    by_date = foreseen_by_date(
        dates, np.array([0.5, 0.25, 0.25, 0.1, 0.2]), np.array([True, True, False, False, False])
    )
    assert list(by_date) == ["2024-01-01", "2024-03-01"]
    assert by_date["2024-01-01"] == {
        "rows": 3,
        "foreseen": 1.0,
        "came_true": 2,
        "log_ratio": pytest.approx(-np.log(2)),
    }
    assert by_date["2024-03-01"]["foreseen"] == pytest.approx(0.3)
    assert (by_date["2024-03-01"]["came_true"], by_date["2024-03-01"]["log_ratio"]) == (0, None)


def test_groups_are_judged_apart_and_one_class_alone_is_refused() -> None:
    rows = pd.DataFrame(
        {
            "household_id": list("abcdef"),
            "as_of": pd.to_datetime(["2024-01-01"] * 3 + ["2024-03-01"] * 3),
            "label": [True, False, False, True, False, True],
            "in_cohort": [True, True, False, True, True, False],
            "was_poor_before": [True, True, False, True, True, False],
            "not_poor": True,
            "probability": [0.9, 0.1, 0.2, 0.8, 0.3, 0.05],
            "rule": [0.0, 1.0, 0.0, 0.0, 1.0, 0.0],
        }
    )
    metrics = metrics_of(rows, 0.25)
    assert metrics["relapse"]["scores"]["model"]["auc_within_dates"] == 1.0
    assert metrics["relapse"]["scores"]["rule"]["auc_within_dates"] == 0.0
    assert metrics["relapse"]["scores"]["model"]["recall"] == 1.0
    assert metrics["fall"]["scores"]["model"]["n"] == 6
    assert set(metrics["relapse"]["by_date"]) == {"2024-01-01", "2024-03-01"}
    with pytest.raises(NotEnoughData, match="all of one class"):
        metrics_of(rows.assign(label=False), 0.25)


def test_origins_that_cannot_be_judged_are_listed_with_the_reason(small: Small) -> None:
    days = sorted({day.item() for day in small.data.dates})
    long_ago = dt.date(2000, 1, 1)
    origins = [
        RollingOrigin(train=(long_ago,), test=days[-2]),
        RollingOrigin(train=(days[0],), test=long_ago),
        RollingOrigin(train=tuple(days[:-3]), test=days[-1]),
    ]
    said: list[str] = []

    def make_model() -> RelapseModel:
        return RelapseModel(n_trees=3, n_boosters=1, n_threads=1, outcome=small.records.settings.outcome)

    predictions = predictions_at_origins(small.data, origins, make_model, said.append)
    assert set(predictions["as_of"].dt.date) == {days[-1]}
    assert predictions.attrs["skipped"] == {
        days[-2].isoformat(): "the rows to learn from are all of one class",
        "2000-01-01": "no labelled household",
    }
    assert [text for text in said if text.startswith("not judged")] == [
        f"not judged at {day}: {why}" for day, why in predictions.attrs["skipped"].items()
    ]
