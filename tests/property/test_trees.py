"""Tabulated trees beside LightGBM itself, over random models and rows."""

from __future__ import annotations

from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from relapse_risk.model.boosters import Boosters
from relapse_risk.model.trees.model_text import CATEGORICAL
from relapse_risk.model.trees.rows import ROWS

N_FEATURES = 6
CATEGORIES = (4, 5)
#: Rows that fill blocks or not, and those that threads are started for.
NUMBERS = (1, ROWS - 1, ROWS + 1, 2 * ROWS, 40 * ROWS + 3)
Matrix = npt.NDArray[np.float32]

seeds = st.integers(0, 2**31)
parameters = st.fixed_dictionaries(
    {
        "num_leaves": st.sampled_from((2, 3, 5, 7, 9, 9)),
        "max_depth": st.sampled_from((-1, -1, -1, 2)),
        "learning_rate": st.sampled_from((0.03, 0.5)),
        "min_data_in_leaf": st.sampled_from((1, 5, 20, 120)),
        "boosting": st.sampled_from(("gbdt", "gbdt", "dart")),
        "use_missing": st.booleans(),
        "zero_as_missing": st.booleans(),
        "extra_trees": st.booleans(),
        "max_cat_to_onehot": st.sampled_from((4, 100)),
        "min_data_per_group": st.sampled_from((1, 1, 30)),
        "path_smooth": st.sampled_from((0.0, 2.0)),
        "monotone_constraints": st.sampled_from(([0] * 6, [1, -1, 0, 1, 0, 0])),
        "bagging_fraction": st.sampled_from((0.5, 1.0)),
        "feature_fraction": st.sampled_from((0.4, 1.0)),
    }
)


def training_rows(rng: np.random.Generator) -> Matrix:
    """Numbers that are continuous, sparse, few and tiny, and two columns of categories: below 32, and not."""
    n = 300
    X = np.column_stack(
        [
            rng.normal(size=n),
            rng.normal(size=n) * (rng.random(n) < 0.3),
            rng.integers(-2, 3, n),
            rng.choice([0, 1e-36, -1e-36, 1e-35, 3e-35, -3e-35, 1], n),
            rng.integers(0, rng.choice([2, 9, 32]), n),
            rng.integers(0, 90, n) // rng.choice([1, 7, 20]),
        ]
    )
    X[rng.random(X.shape) < rng.choice([0, 0.2])] = np.nan
    return X.astype(np.float32)


def trained(options: dict[str, Any], n_boosters: int, seed: int) -> Boosters:
    rng = np.random.default_rng(seed)
    X = training_rows(rng)
    filled = np.nan_to_num(X)
    score = filled[:, 0] + filled[:, 2] + np.isin(filled[:, 4], (1, 3)) + 2 * (filled[:, 5] % 3) + np.isnan(X[:, 1])
    y = score + rng.normal(size=len(X)) > np.quantile(score, rng.choice([0.5, 0.9]))
    weight = rng.choice([1, 10], len(X)) if rng.random() < 0.5 else None
    fixed = {"objective": "binary", "verbosity": -1, "num_threads": 1, "bagging_freq": 1, "deterministic": True}
    made = []
    for k in range(n_boosters):
        used = {**fixed, **options, "seed": k}
        data = lgb.Dataset(X, y.astype(float), weight=weight, categorical_feature=list(CATEGORIES), params=used)
        made.append(lgb.train(used, data, 12))
    return Boosters(tuple(made))


def rows_for(boosters: Boosters, seed: int) -> Matrix:
    """Rows of values on the model's thresholds and beside them, and of all else that may come."""
    assert boosters.tables is not None
    nodes = boosters.tables.nodes
    rng = np.random.default_rng(seed)
    X = np.empty((50, N_FEATURES), np.float32)
    for f in range(N_FEATURES):
        on = nodes["threshold"][(nodes["feature"] == f) & (nodes["kind"] != CATEGORICAL)]
        odd = np.array(
            [np.nan, 0, -0.0, 1e-36, -1e-36, 1e-35, -1e-35, 1e-34, -1e-34, -1, -0.5, 2.5, 1e9, 3e9], np.float32
        )
        pool = np.concatenate([on, np.nextafter(on, np.float32(9)), np.nextafter(on, np.float32(-9)), odd])
        codes = rng.integers(-1, 100, len(X)).astype(np.float32)
        X[:, f] = np.where(rng.random(len(X)) < 0.7, rng.choice(pool, len(X)), codes)
    return X


@given(options=parameters, n_boosters=st.integers(1, 3), seed=seeds)
def test_tables_give_what_lightgbm_gives(options: dict[str, Any], n_boosters: int, seed: int) -> None:
    boosters = trained(options, n_boosters, seed)
    rows = rows_for(boosters, seed)
    raw = np.zeros(len(rows))
    contributions = np.zeros((len(rows), N_FEATURES + 1))
    for booster in boosters.boosters:
        raw += booster.predict(rows, raw_score=True)
        contributions += booster.predict(rows, pred_contrib=True)
    raw, contributions = raw / n_boosters, contributions / n_boosters
    np.testing.assert_array_equal(boosters.raw_scores(rows, 1), raw)
    ours = boosters.contributions(rows, 1)
    np.testing.assert_array_equal(ours[:, -1], contributions[:, -1])
    largest = np.abs(contributions).max(axis=1, keepdims=True)
    assert (np.abs(ours - contributions) <= 1e-12 * largest).all()


@settings(max_examples=10)
@given(
    options=parameters, seed=seeds, n=st.sampled_from(NUMBERS), threads=st.integers(1, 3), in_columns=st.booleans()
)
def test_a_row_has_the_same_bits_whatever_is_scored_with_it(
    options: dict[str, Any], seed: int, n: int, threads: int, in_columns: bool
) -> None:
    boosters = trained(options, 2, seed)
    few = rows_for(boosters, seed)
    group_of = np.array([0, 1, 1, 2, 0, 2], np.int32)
    alone = [boosters.explain(few[k : k + 1], group_of, 2, 1) for k in range(len(few))]
    many = np.resize(few, (n, N_FEATURES))
    together = boosters.explain(np.asfortranarray(many) if in_columns else many, group_of, 2, threads)
    for name in ("raw", "base", "by_group", "group", "feature"):
        expected = np.concatenate([getattr(one, name) for one in alone])
        np.testing.assert_array_equal(getattr(together, name), np.resize(expected, (n, *expected.shape[1:])))
