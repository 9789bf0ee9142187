"""Whether features help, and how far probabilities can be taken at their word."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.support.small import Small

from relapse_risk import Records
from relapse_risk.errors import NotEnoughData, UsageError
from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import Aggregation, Feature, Series
from relapse_risk.model.estimator import RelapseModel
from relapse_risk.records.codes import Label
from relapse_risk.training.compare import BASE, OTHER_SEED, compare_features
from relapse_risk.training.dataset import make_dataset
from relapse_risk.training.reliability import foreseen, reliability, scores_table
from relapse_risk.training.splits import mature_dates, rolling_origins

LOUD = Feature(
    "last_wage_row",
    Label("最近一笔工资", "last wage row"),
    "yuan",
    Series("incomes", "amount_yuan"),
    Aggregation.LAST,
)


@pytest.fixture
def records(small: Small, monkeypatch: pytest.MonkeyPatch) -> Records:
    few = partial(RelapseModel, n_trees=15, n_boosters=1, n_threads=1)
    monkeypatch.setattr(
        "relapse_risk.training.train.RelapseModel", lambda **given: few(**{**given, "n_threads": 1})
    )
    training = small.records.settings.training.model_copy(
        update={"max_cycles": 8, "origins": 2, "history_months": 6}
    )
    return small.records.with_settings(small.records.settings.model_copy(update={"training": training}))


def test_each_variant_is_judged_at_every_origin_on_the_same_households(records: Records) -> None:
    said: list[str] = []
    found: Any = compare_features(
        records,
        without={"visits": "visits", "all but income": [f.name for f in catalogue() if f.risk_type != "income"]},
        adding={"a row": [LOUD]},
        group="fall",
        draws=30,
        on_progress=said.append,
    )
    names = [BASE, OTHER_SEED, "without visits", "without all but income", "with a row"]
    assert list(found.summary.xs("auc_within_dates", level="figure").index) == names
    present = catalogue(records.settings, records.present)
    counts: Any = found.summary.xs("auc_within_dates", level="figure")["features"]
    assert counts[BASE] == counts[OTHER_SEED] == len(present)
    assert counts["without visits"] == sum(f.table != "visits" for f in present)
    assert counts["without all but income"] == sum(f.risk_type == "income" for f in present)
    assert counts["with a row"] == len(present) + 1

    dates = mature_dates(records)
    tests = [origin.test for origin in rolling_origins(dates, records.settings.outcome, 2)]
    judged = found.by_origin.index.get_level_values("as_of").unique()
    assert [day.date() for day in judged] == tests
    assert any(f"at {tests[0]}: without visits" in line for line in said)
    auc: Any = found.by_origin.xs("auc_within_dates", level="figure")
    assert (auc.loc[BASE, "difference"] == 0).all()
    assert (auc.loc[OTHER_SEED, "difference"] != 0).any()
    expected: Any = auc.loc["without visits", "value"] - auc.loc[BASE, "value"]
    np.testing.assert_allclose(auc.loc["without visits", "difference"], expected)
    summary: Any = found.summary.xs("auc_within_dates", level="figure")
    assert (summary["origins"] == 2).all()
    assert summary.loc["without visits", "better"] == (expected > 0).sum()


def test_the_figures_with_all_features_are_those_of_the_model_trained_at_each_origin(records: Records) -> None:
    from sklearn.metrics import roc_auc_score

    from relapse_risk.training.train import unfitted

    found: Any = compare_features(records, without=["visits"], group="fall", draws=5)
    dates, features = mature_dates(records), catalogue(records.settings, records.present)
    data = make_dataset(records, dates, features)
    for origin in rolling_origins(dates, records.settings.outcome, 2):
        train, test = data.on(origin.train) & data.to_train, data.on([origin.test]) & data.not_poor
        model = unfitted(records.settings, features).fit_trees(data.X[train], data.y[train])
        expected = roc_auc_score(data.y[test], model.decision_function(data.X[test]))
        value = found.by_origin.loc[(BASE, pd.Timestamp(origin.test), "auc_within_dates"), "value"]
        assert value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({}, "nothing to compare"),
        ({"without": "visit"}, "'visit' names no feature"),
        ({"without": {"everything": "*"}}, "no feature is left"),
        ({"adding": {"again": [catalogue()[0]]}}, "the catalogue has"),
        ({"adding": {"nothing": []}}, "it names no feature"),
        ({"without": "visits", "group": "all"}, "Valid: relapse, fall"),
    ],
)
def test_what_cannot_be_compared_is_refused(records: Records, asked: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        compare_features(records, **asked)


def test_origins_of_one_class_are_not_judged(records: Records) -> None:
    tables = {name: records.table(name) for name in records.present}
    tables["statuses"] = tables["statuses"].slice(0, 0)
    with pytest.raises(NotEnoughData, match="at no origin"):
        compare_features(Records.from_tables(tables, records.settings), without=["visits"], group="fall")


def judged(n: int = 3_000) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    probability = rng.beta(1, 12, n)
    return pd.DataFrame({
        "household_id": np.arange(n).astype(str),
        "as_of": np.tile(pd.to_datetime(["2024-01-01", "2024-03-01"]), n // 2),
        "label": rng.random(n) < probability,
        "in_cohort": np.arange(n) % 3 == 0,
        "was_poor_before": False,
        "not_poor": True,
        "probability": probability,
        "model without directions": probability,
        "a rule": -probability,
    })  # fmt: skip


def test_bins_have_about_the_same_number_foreseen_and_cover_every_row() -> None:
    rows = judged()
    table: Any = reliability(rows, bins=5)
    assert table["rows"].sum() == len(rows)
    assert table["came_true"].sum() == rows["label"].sum()
    np.testing.assert_allclose(table["foreseen"], rows["probability"].sum() / 5, rtol=0.02)
    assert table["probability"].is_monotonic_increasing
    assert (
        (table["low"] <= table["probability"]) & (table["probability"] <= table["high"])
    ).sum() >= 4  # they are right
    assert reliability(rows, "relapse")["rows"].sum() == rows["in_cohort"].sum()


def test_the_number_foreseen_lies_in_its_range_where_probabilities_are_right_and_not_where_they_are_double() -> (
    None
):
    rows = judged()
    table: Any = foreseen(rows)
    assert ((table["low"] <= table["came_true"]) & (table["came_true"] <= table["high"])).all()
    assert table["foreseen"].sum() == pytest.approx(rows["probability"].sum())
    double: Any = foreseen(rows.assign(probability=2 * rows["probability"].clip(upper=0.5)))
    assert (double["came_true"] < double["low"]).all()


def test_scores_are_compared_with_the_model_and_the_model_without_directions_is_left_out() -> None:
    table: Any = scores_table(judged(), 0.1, draws=40)
    assert list(table.index.get_level_values("score").unique()) == ["model", "a rule"]
    auc: Any = table.xs("auc_within_dates", level="figure")["value"]
    assert auc["model"] == pytest.approx(1 - auc["a rule"])
    with pytest.raises(UsageError, match="Valid: relapse, fall"):
        scores_table(judged(), 0.1, "poor")
