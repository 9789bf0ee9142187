"""The estimator as scikit-learn's users handle it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from tests.support.small import Small, model_of

from relapse_risk import RelapseModel, catalogue, score
from relapse_risk.errors import NotEnoughData, UsageError
from relapse_risk.model import checks
from relapse_risk.model.inputs import describe
from relapse_risk.settings import OutcomeSettings

OUTCOME = OutcomeSettings()


def few(**parameters: Any) -> RelapseModel:
    return RelapseModel(**{"n_trees": 10, "n_boosters": 1, "n_threads": 1, "outcome": OUTCOME, **parameters})


@pytest.fixture(scope="module")
def rows(small: Small) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    keep = np.flatnonzero(small.data.to_train)[::2]
    return small.data.X.iloc[keep], small.data.y[keep]


def test_a_clone_has_the_same_parameters_and_is_not_fitted(small: Small) -> None:
    copy = clone(small.model)
    assert copy.get_params() == small.model.get_params()
    assert not hasattr(copy, "boosters_")


def test_set_params_reaches_the_boosters(rows: Any) -> None:
    model = few().set_params(n_trees=3, n_boosters=2).fit(*rows)
    assert [booster.num_trees() for booster in model.boosters_.boosters] == [3, 3]


def test_it_works_in_a_pipeline_and_in_cross_validation(rows: Any) -> None:
    X, y = rows
    pipeline = make_pipeline(FunctionTransformer(), few())
    np.testing.assert_array_equal(
        pipeline.fit(X, y).predict_proba(X), few().fit(X, y).predict_proba(X)
    )  # fmt: skip
    groups = X.index.get_level_values("household_id")
    auc = cross_val_score(few(), X, y, groups=groups, cv=GroupKFold(3), scoring="roc_auc")
    assert len(auc) == 3
    assert auc.mean() > 0.55


def test_probabilities_are_two_columns_that_add_up_to_one(small: Small) -> None:
    probability = small.model.predict_proba(small.data.X)
    assert probability.shape == (len(small.data.X), 2)
    np.testing.assert_allclose(probability.sum(axis=1), 1.0)
    assert probability[:, 1].std() > 0.01
    likelier = small.model.predict(small.data.X)
    assert (likelier == (probability[:, 1] > 0.5)).all()


def test_rows_without_a_label_are_left_out_and_counted(rows: Any) -> None:
    X, y = rows
    unknown = np.arange(len(y)) % 5 == 0
    labels = pd.Series(y, index=X.index, dtype="boolean").mask(unknown)
    model = few().fit(X, labels)
    assert (model.n_rows_, model.n_left_out_) == ((~unknown).sum(), unknown.sum())
    without = few().fit(X[~unknown], y[~unknown])
    np.testing.assert_array_equal(model.predict_proba(X), without.predict_proba(X))


def test_labels_of_one_class_are_refused(rows: Any) -> None:
    with pytest.raises(NotEnoughData, match="all of one class"):
        few().fit(rows[0], np.zeros(len(rows[0]), bool))


def test_more_than_two_classes_are_refused(rows: Any) -> None:
    with pytest.raises(ValueError, match="Only binary classification"):
        few().fit(rows[0], np.arange(len(rows[0])) % 3)


def _reordered(X: pd.DataFrame) -> pd.DataFrame:
    return X[X.columns[::-1]]


def _one_missing(X: pd.DataFrame) -> pd.DataFrame:
    return X.drop(columns=X.columns[3])


def _one_more(X: pd.DataFrame) -> pd.DataFrame:
    return X.assign(surplus=1.0)


def _renamed(X: pd.DataFrame) -> pd.DataFrame:
    return X.rename(columns={X.columns[3]: "income"})


def _infinite(X: pd.DataFrame) -> pd.DataFrame:
    return X.assign(n_members=np.inf)


def _text(X: pd.DataFrame) -> pd.DataFrame:
    return X.assign(n_members="李秀兰")


def _dates(X: pd.DataFrame) -> pd.DataFrame:
    return X.assign(n_members=pd.Timestamp("2024-01-01"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_reordered, "order"),
        (_one_missing, "missing"),
        (_one_more, "unseen"),
        (_renamed, "unseen"),
        (_infinite, "infinity"),
        (_text, "n_members"),
        (_dates, "n_members"),
    ],
)
def test_features_that_are_not_those_of_training_are_refused_in_words(
    small: Small, change: Any, message: str
) -> None:
    X = small.data.X.head(20)
    with pytest.raises(ValueError, match=message) as refused:
        small.model.predict_proba(change(X))
    assert "李秀兰" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "message"), [(_infinite, "infinity"), (_text, "n_members"), (_dates, "n_members")]
)
def test_features_that_cannot_be_learned_from_are_refused_in_words(rows: Any, change: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        few().fit(change(rows[0]), rows[1])
    assert "李秀兰" not in str(refused.value)


def test_an_unseen_category_equals_a_missing_one(small: Small) -> None:
    X = small.data.X.head(50)
    name = next(column for column in X.columns if X[column].dtype.name == "category")
    unseen = X.assign(**{name: pd.Categorical(["none such"] * len(X))})
    missing = X.assign(**{name: pd.Categorical([None] * len(X), X[name].cat.categories)})
    np.testing.assert_array_equal(small.model.predict_proba(unseen), small.model.predict_proba(missing))


def test_columns_that_may_hold_missing_values_score_as_their_plain_ones(small: Small) -> None:
    X = small.data.X.head(50)
    nullable = X.astype({name: "Float32" for name in X.columns if X[name].dtype.kind == "f"})
    np.testing.assert_array_equal(small.model.predict_proba(nullable), small.model.predict_proba(X))


def test_the_input_is_left_as_it_was(rows: Any) -> None:
    X, y = rows[0].copy(), rows[1].copy()
    few().fit(X, y).predict_proba(X)
    pd.testing.assert_frame_equal(X, rows[0])
    np.testing.assert_array_equal(y, rows[1])


def test_a_notebook_can_keep_the_model_with_joblib_or_pickle(small: Small, tmp_path: Path) -> None:
    X = small.data.X.head(100)
    joblib.dump(small.model, tmp_path / "model.joblib")
    unpickled = pickle.loads(pickle.dumps(small.model))  # noqa: S301 - our own
    for copy in (joblib.load(tmp_path / "model.joblib"), unpickled):
        np.testing.assert_array_equal(copy.predict_proba(X), small.model.predict_proba(X))


def test_risk_follows_the_direction_a_feature_declares(small: Small) -> None:
    """Raising a feature of direction +1 never lowers the raw score, one of -1 never raises it."""
    model = model_of(small.records, small.data, n_trees=80, num_leaves=15)
    used = sum(booster.feature_importance() for booster in model.boosters_.boosters)
    matrix = model.matrix(small.data.X.sample(60, random_state=0))
    directions = {feature.name: feature.monotone for feature in catalogue(small.records.settings)}
    checked = 0
    for k, name in enumerate(model.feature_names_in_):
        if not directions[name] or not used[k]:
            continue
        checked += 1
        levels = np.nanquantile(model.matrix(small.data.X)[:, k], np.linspace(0, 1, 7))
        raised = np.repeat(matrix, len(levels), axis=0)
        raised[:, k] = np.tile(levels, len(matrix))
        raw = model.boosters_.raw_scores(raised, 1).reshape(len(matrix), len(levels))
        steps = np.diff(raw, axis=1) * directions[name]
        assert steps.min() >= -1e-12, name
    assert checked > 20


@pytest.mark.parametrize(
    ("parameters", "messages"),
    [
        ({"n_boosters": 0}, ["n_boosters=0. Valid: 1 to 100."]),
        ({"n_boosters": 1.5}, ["n_boosters=1.5. Valid: 1 to 100."]),
        ({"n_trees": 0, "calibration_share": 2},
         ["n_trees=0. Valid: 1 or more.", "calibration_share=2. Valid: a number above 0 and below 1."]),
        ({"n_trees": True}, ["n_trees=True."]),
        ({"calibration_share": 0.0}, ["calibration_share=0.0."]),
        ({"calibration_share": "a fifth"}, ["calibration_share='a fifth'."]),
        ({"learning_rate": float("nan")}, ["learning_rate=nan. Valid: a number above 0."]),
        ({"num_leaves": 1}, ["num_leaves=1. Valid: 2 to 131072."]),
        ({"feature_fraction": 0, "bagging_fraction": 5}, ["feature_fraction=0.", "bagging_fraction=5."]),
        ({"lambda_l2": -1}, ["lambda_l2=-1."]),
        ({"min_rows_in_leaf": "few"}, ["min_rows_in_leaf='few'. Valid: 'auto', or 1 or more."]),
        ({"monotone": "all"}, ["monotone='all'."]),
        ({"monotone": {"n_members": 3}}, ["monotone={'n_members': 3}."]),
        ({"outcome": {"horizon_months": 6}}, ["outcome={'horizon_months': 6}. Valid: None, or OutcomeSettings"]),
        ({"random_state": None}, ["random_state=None. Valid: 0 to"]),
        ({"n_threads": 0}, ["n_threads=0. Valid: None, or 1 or more."]),
    ],
)  # fmt: skip
def test_parameters_nothing_can_be_learned_with_are_refused_all_at_once(
    rows: Any, parameters: dict[str, Any], messages: list[str]
) -> None:
    for learn in (few(**parameters).fit, few(**parameters).fit_trees):
        with pytest.raises(UsageError) as refused:
            learn(*rows)
        lines = str(refused.value).splitlines()
        assert len(lines) == len(messages)
        assert all(line.startswith(start) for line, start in zip(lines, messages, strict=True))


def test_every_parameter_has_a_check() -> None:
    assert set(checks._VALID) == set(RelapseModel().get_params())


def test_the_usual_parameters_and_numpys_numbers_are_taken(rows: Any) -> None:
    model = few(n_trees=np.int64(2), learning_rate=np.float32(0.1), min_rows_in_leaf=9, random_state=np.int32(7))
    assert model.fit(*rows).boosters_.boosters[0].num_trees() == 2
    few(monotone=None).fit_trees(*rows)


def test_a_column_given_twice_is_named(small: Small, rows: Any) -> None:
    X, y = rows
    twice = pd.concat([X, X[["n_members"]]], axis=1)
    for call in (lambda: few().fit(twice, y), lambda: small.model.predict_proba(twice)):
        with pytest.raises(UsageError, match="more than once: n_members. Give each feature once"):
            call()


def test_columns_without_names_are_refused(rows: Any) -> None:
    X = rows[0].set_axis(range(rows[0].shape[1]), axis=1)
    with pytest.raises(UsageError, match="no text: 0, 1, 2, 3, 4. Name every feature"):
        few().fit(X, rows[1])


def test_labels_in_another_order_are_refused_rather_than_put_in_order(rows: Any) -> None:
    X, y = rows[0], pd.Series(rows[1], index=rows[0].index)
    with pytest.raises(UsageError, match="rows of X in another order"):
        few().fit(X, y.sort_index(ascending=False))
    plain, shuffled = X.reset_index(drop=True), y.reset_index(drop=True).sample(frac=1, random_state=0)
    with pytest.raises(UsageError, match="rows of X in another order"):
        few().fit(plain, shuffled)
    other_day = y.rename(lambda day: day + pd.Timedelta(days=1), level="as_of")
    with pytest.raises(UsageError, match="other rows than X"):
        few().fit(X, other_day)


def test_labels_with_a_plain_row_index_are_used_in_their_order(rows: Any) -> None:
    X, y = rows
    expected = few().fit(X, y).predict_proba(X)
    for labels in (pd.Series(y), pd.Series(y, index=X.index), y.tolist()):
        np.testing.assert_array_equal(few().fit(X, labels).predict_proba(X), expected)


def test_rows_drawn_several_times_are_taken(rows: Any) -> None:
    X, y = rows[0], pd.Series(rows[1], index=rows[0].index)
    drawn = np.random.default_rng(0).integers(0, len(X), len(X))
    assert few().fit(X.iloc[drawn], y.iloc[drawn]).n_rows_ == len(X)


@pytest.mark.parametrize("dtype", ["float64", "object"])
def test_labels_missing_in_a_type_without_missing_labels_are_refused(rows: Any, dtype: Any) -> None:
    y = pd.Series(rows[1], index=rows[0].index).astype(dtype)
    y.iloc[:3] = None
    with pytest.raises(UsageError, match="3 label"):
        few().fit(rows[0], y)


def test_a_model_that_was_not_fitted_says_so(small: Small, rows: Any) -> None:
    X, y = rows
    trees = few().fit_trees(X, y)
    assert len(trees.decision_function(X)) == len(X)
    failed = few()
    with pytest.raises(NotEnoughData):
        failed.fit(X, np.zeros(len(X), bool))
    for model, message in (
        (few(), "not fitted yet"),
        (failed, "not fitted yet"),
        (trees, "has trees but no calibration"),
    ):
        for call in (
            lambda model=model: model.predict_proba(X),
            lambda model=model: model.predict(X),
            lambda model=model: score(model, small.records, as_of=small.as_of),
        ):
            with pytest.raises(NotFittedError, match=message):
                call()
    with pytest.raises(NotFittedError, match=r"Call fit\(X, y\)"):
        few().decision_function(X)


def test_weights_of_one_are_the_same_as_none(rows: Any) -> None:
    X, y = rows
    weighted, plain = few().fit(X, y, sample_weight=np.ones(len(y))), few().fit(X, y)
    assert weighted.boosters_.to_texts() == plain.boosters_.to_texts()
    assert (weighted.calibrator_, weighted.band_thresholds_) == (plain.calibrator_, plain.band_thresholds_)
    assert weighted.reference_ == plain.reference_


def test_rows_of_weight_0_are_left_out_and_counted(rows: Any) -> None:
    X, y = rows
    weight = np.where(np.arange(len(y)) % 5 == 0, 0.0, 1.0)
    model, without = few().fit(X, y, sample_weight=weight), few().fit(X[weight > 0], y[weight > 0])
    assert (model.n_rows_, model.n_left_out_) == ((weight > 0).sum(), (weight == 0).sum())
    np.testing.assert_array_equal(model.predict_proba(X), without.predict_proba(X))


def test_where_negatives_are_thinned_weights_keep_level_bands_and_reference_right(rows: Any) -> None:
    X, y = rows
    keep = y | (np.arange(len(y)) % 4 == 0)
    weight = np.where(y, 1.0, (~y).sum() / (keep & ~y).sum())[keep]
    model, blind = few().fit(X[keep], y[keep], sample_weight=weight), few().fit(X[keep], y[keep])
    whole = few().fit(X, y)

    def foreseen(one: RelapseModel) -> float:
        return float(one.predict_proba(X)[:, 1].sum())

    assert foreseen(model) == pytest.approx(foreseen(whole), rel=0.15)
    assert foreseen(blind) > 2 * foreseen(whole)

    def high(one: RelapseModel) -> float:
        return float((one.band(one.decision_function(X)) == "high").mean())

    assert high(model) == pytest.approx(high(whole), abs=0.03)


def test_in_the_reference_a_row_of_weight_k_counts_as_k_rows() -> None:
    rng = np.random.default_rng(0)
    column = np.where(rng.random(500) < 0.2, np.nan, rng.normal(size=500)).astype(np.float32)
    times = rng.integers(1, 5, 500)
    (found,) = describe(column[:, None], times.astype(float))
    copies = np.repeat(column, times).astype(np.float64)
    assert found.missing == pytest.approx(np.isnan(copies).mean())
    known = copies[~np.isnan(copies)]
    assert found.quantiles == tuple(np.quantile(known, np.linspace(0, 1, 11), method="inverted_cdf"))


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_weights_that_count_for_nothing_are_refused(rows: Any, wrong: float) -> None:
    X, y = rows
    weight = np.ones(len(y))
    weight[3] = wrong
    with pytest.raises(ValueError, match=r"[Nn]egative|NaN|infinity"):
        few().fit(X, y, sample_weight=weight)
    with pytest.raises(ValueError, match="shape"):
        few().fit_trees(X, y, sample_weight=np.ones(len(y) - 1))


def test_trees_are_those_of_the_rows_whatever_else_was_cut_into_bins_with_them(rows: Any) -> None:
    """Rows of the calibration share bins with the others, and nothing else of them."""
    from relapse_risk.model.train_boosters import BinnedRows

    X, y = np.zeros((400, 2), np.float32), np.arange(400) % 4 == 0
    X[:, 0] = np.arange(400) % 7
    X[:, 1] = np.arange(400) % 3
    some = np.arange(0, 400, 2)
    given: dict[str, Any] = {"names": ["a", "b"], "categorical": [], "n_threads": 1}
    how: dict[str, Any] = {"monotone": [0, 0], "n_trees": 5, "n_boosters": 1, "seed": 0}
    parameters = {"min_data_in_leaf": 5, "num_leaves": 4}
    apart = BinnedRows(X[some], y[some], **given).boosters(parameters, **how)
    part = BinnedRows(X, np.where(np.arange(400) % 2 == 0, y, ~y), **given).boosters(parameters, **how, rows=some)
    np.testing.assert_array_equal(part.raw_scores(X), apart.raw_scores(X))
