"""Today's rules on households drawn by hand: which group, which threshold, in what order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.support.ascii import records as drawn

from relapse_risk import Records
from relapse_risk.records.tables import TABLES
from relapse_risk.training.baselines import Baseline, LowestBalance, LowestIncome, MustVisit, Thresholds, baselines
from relapse_risk.training.dataset import Dataset, with_features
from relapse_risk.training.rows import LabelledRows
from relapse_risk.training.scorecard import Scorecard

AS_OF = "2024-01-01"


def rows_of(records: Records, ids: list[str]) -> Dataset:
    index = pd.MultiIndex.from_product([ids, [pd.Timestamp(AS_OF)]], names=["household_id", "as_of"])
    no = np.full(len(ids), False)
    return with_features(records, LabelledRows(index, no, no, no, no, no), ())


def scores(baseline: Baseline, records: Records, ids: list[str]) -> list[float]:
    return baseline.score(rows_of(records, ids), np.full(len(ids), True)).tolist()


def test_warning_thresholds_are_those_of_the_county_rules() -> None:
    records = drawn(
        """
        households
        | household_id | occurred_on | lifted_on  | n_members |
        | lifted       | 2020-01-01  | 2018-06-01 | 3         |
        | ordinary     | 2020-01-01  |            | 3         |
        | school       | 2020-01-01  |            | 3         |
        | event        | 2020-01-01  |            | 3         |
        | all          | 2020-01-01  | 2018-06-01 | 3         |
        | last year    | 2020-01-01  | 2018-06-01 | 3         |
        expenses
        | household_id | occurred_on | kind      | self_paid_yuan |
        | lifted       | 2023-03-01  | medical   | 2500           |
        | lifted       | 2023-08-01  | medical   | 2500           |
        | ordinary     | 2023-08-01  | medical   | 5000           |
        | school       | 2023-09-01  | education | 10001          |
        | all          | 2023-12-01  | medical   | 9000           |
        | all          | 2023-09-01  | education | 12000          |
        | last year    | 2022-12-31  | medical   | 90000          |
        shocks
        | household_id | occurred_on | kind     |
        | event        | 2023-11-01  | accident |
        | all          | 2023-12-30  | illness  |
        | last year    | 2023-10-31  | accident |
        """
    )
    ids = ["lifted", "ordinary", "school", "event", "all", "last year"]
    assert scores(Thresholds(), records, ids) == [1.0, 0.0, 1.0, 1.0, 4.0, 0.0]


def test_lowest_balance_and_lowest_income_order_households_by_what_they_name() -> None:
    records = drawn(
        """
        incomes
        | household_id | occurred_on | source | amount_yuan |
        | bill         | 2023-11-30  | wage   | 3000        |
        | bill         | 2023-12-31  | wage   | 3000        |
        | fallen       | 2023-11-30  | wage   | 3000        |
        | fallen       | 2023-12-31  | wage   | 1000        |
        expenses
        | household_id | occurred_on | kind    | self_paid_yuan |
        | bill         | 2023-02-01  | medical | 24000          |
        | no income    | 2023-02-01  | medical | 24000          |
        """
    )
    ids = ["bill", "fallen", "no income"]
    # minus what the year left, a month: 6,000 - 24,000, then 4,000; and minus the latest month's income
    assert scores(LowestBalance(), records, ids) == pytest.approx([18 / 12, -4 / 12, np.nan], nan_ok=True)
    assert scores(LowestIncome(), records, ids) == pytest.approx([-3.0, -1.0, np.nan], nan_ok=True)


def test_must_visit_groups_add_up() -> None:
    records = drawn(
        """
        households
        | household_id | occurred_on | lifted_on  | n_members | n_labour | n_students | n_elderly | n_disabled | dibao |
        | none         | 2020-01-01  |            | 3         | 2        | 1          | 0         | 0          | no    |
        | lifted       | 2020-01-01  | 2018-06-01 | 3         | 2        | 2          | 0         | 0          | no    |
        | old          | 2020-01-01  |            | 2         | 0        | 0          | 2         | 1          | yes   |
        | poor         | 2020-01-01  |            | 1         | 1        | 0          | 0         | 0          |       |
        incomes
        | household_id | occurred_on | source   | amount_yuan |
        | none         | 2023-12-31  | business | 90000       |
        | poor         | 2023-01-31  | business | 0           |
        | poor         | 2023-12-31  | business | 9000        |
        shocks
        | household_id | occurred_on | kind    |
        | poor         | 2023-02-01  | illness |
        """  # noqa: E501
    )
    assert scores(MustVisit(), records, ["none", "lifted", "old", "poor"]) == [0.0, 2.0, 3.0, 2.0]


def test_a_rule_that_lacks_its_tables_is_left_out() -> None:
    required = {name for name, table in TABLES.items() if table.required}
    assert [b.name for b in baselines(TABLES)] == [
        "lowest balance to line",
        "lowest income to line",
        "last visit's grades",
        "eight must-visit groups",
        "warning thresholds",
        "ten-item scorecard",
        "logistic regression",
    ]
    left_out = {b.name for b in baselines(TABLES)} - {b.name for b in baselines(required)}
    assert left_out == {"eight must-visit groups", "warning thresholds"}


@pytest.fixture(scope="module")
def answers() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    n = 4000
    X = pd.DataFrame(
        {"yard_last": rng.integers(0, 3, n), "n_members": rng.integers(1, 7, n), "net_last": rng.normal(2, 1, n)}
    )
    X = X.astype("float32")
    X.loc[rng.random(n) < 0.1, "yard_last"] = np.nan
    risk = 0.05 + 0.2 * (X["yard_last"] == 2) + 0.2 * (X["net_last"] < 1)
    return X, rng.random(n) < risk.to_numpy()


def test_a_scorecard_gives_points_for_what_raises_the_risk(answers: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = answers
    card = Scorecard().fit(X, y)
    items = {item.name: item for item in card.items_}
    assert [item.name for item in card.items_][:2] in (["yard_last", "net_last"], ["net_last", "yard_last"])
    assert items["yard_last"].cuts == (1.0, 2.0)
    fine, concern, serious, not_known = items["yard_last"].points
    assert serious > max(fine, concern, not_known)
    assert items["net_last"].points[0] == max(items["net_last"].points)
    assert sum(max(item.points) for item in card.items_) == pytest.approx(100, abs=len(items))
    by_hand = sum(
        item.points[len(item.cuts) + 1 if np.isnan(x) else sum(x >= cut for cut in item.cuts)]
        for item in card.items_
        for x in [float(X[item.name].iloc[7])]
    )
    assert card.points(X)[7] == by_hand


def test_a_scorecard_has_at_most_ten_whole_point_items(answers: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = answers
    wide = X.assign(
        **dict.fromkeys(
            (
                "n_labour",
                "n_students",
                "n_elderly",
                "n_chronic",
                "land_mu",
                "n_major_illness",
                "orchard_mu",
                "n_disabled",
                "wage_last",
            ),
            X["n_members"],
        )
    )
    card = Scorecard().fit(wide, y)
    assert len(card.items_) == 10
    assert all(isinstance(point, int) and point >= 0 for item in card.items_ for point in item.points)
