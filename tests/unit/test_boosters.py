"""Which trees are evaluated by tables, which by LightGBM, and that no caller sees a difference."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest
from tests.support.trees import Leaf, Split, text_of

from relapse_risk.model.boosters import Boosters
from relapse_risk.model.trees import tables
from relapse_risk.model.trees.model_text import UnknownTrees, parse

GROUP_OF = np.array([0, 1, 0, 2], np.int32)


def rows(n: int = 400) -> np.ndarray[Any, Any]:
    X = np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32)
    X[:, 3] = np.round(X[:, 3])
    X[::7, 1] = np.nan
    return X


def trained(n_boosters: int = 2, **options: Any) -> Boosters:
    X = rows()
    y = np.nan_to_num(X).sum(axis=1) + np.abs(X[:, 3]) > 1
    fixed = {"objective": "binary", "verbosity": -1, "num_threads": 1, "num_leaves": 7, "bagging_freq": 1}
    made = []
    for seed in range(n_boosters):
        used = {**fixed, "bagging_fraction": 0.7, **options, "seed": seed}
        made.append(lgb.train(used, lgb.Dataset(X, y.astype(float), params=used), 10))
    return Boosters(tuple(made))


def by_lightgbm(boosters: Boosters) -> Boosters:
    """The same boosters, evaluated by LightGBM."""
    same = copy.copy(boosters)
    vars(same)["tables"] = None
    return same


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"num_leaves": 10}, "a tree of 10 leaves"),
        ({"boosting": "rf"}, "average_output"),
    ],
)
def test_what_is_not_tabulated_is_left_to_lightgbm(options: dict[str, Any], reason: str) -> None:
    boosters = trained(1, **options)
    with pytest.raises(UnknownTrees, match=reason):
        tables.TreeTables.from_texts(boosters.to_texts())
    assert boosters.tables is None
    (booster,) = boosters.boosters
    raw, contributions = booster.predict(rows(), raw_score=True), booster.predict(rows(), pred_contrib=True)
    np.testing.assert_array_equal(boosters.raw_scores(rows()), raw)
    np.testing.assert_array_equal(boosters.contributions(rows()), contributions)
    explained = boosters.explain(rows(), GROUP_OF, 2)
    np.testing.assert_array_equal(explained.raw, raw)
    np.testing.assert_array_equal(explained.base, contributions[:, -1])
    np.testing.assert_array_equal(explained.by_group[:, 0], contributions[:, 0] + contributions[:, 2])


def test_linear_and_multiclass_trees_are_left_to_lightgbm() -> None:
    with pytest.raises(UnknownTrees, match="num_class=3"):
        tables.TreeTables.from_texts(trained(1, objective="multiclass", num_class=3).to_texts())
    linear = trained(1, linear_tree=True)
    with pytest.raises(UnknownTrees, match="leaf_const"):
        tables.TreeTables.from_texts(linear.to_texts())
    np.testing.assert_array_equal(linear.raw_scores(rows()), linear.boosters[0].predict(rows(), raw_score=True))


def test_one_tree_too_large_leaves_all_to_lightgbm() -> None:
    small, large = trained(1).boosters, trained(1, num_leaves=12).boosters
    assert Boosters((*small, *small)).tables is not None
    assert Boosters((*small, *large)).tables is None


def test_tables_that_would_take_too_much_memory_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made = trained().tables
    assert made is not None
    size = made.table.nbytes
    monkeypatch.setattr(tables, "MOST_BYTES", size)
    assert trained().tables is not None
    monkeypatch.setattr(tables, "MOST_BYTES", size - 1)
    assert trained().tables is None


STUMP = text_of([Split(1, Leaf(1.0, 3), Leaf(2.0, 4), categories=(1, 40)), Leaf(1.0, 7)], 2)


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("version=v4", "version=v5"),
        ("num_class=1", "num_class=1\nsomething_new=1"),
        ("shrinkage=1", "shrinkage=1\nsomething_new=1"),
        ("is_linear=0", "is_linear=1"),
        ("decision_type=1", "decision_type=13"),
        ("decision_type=1", "decision_type=1 1"),
        ("left_child=-1", "left_child=0"),
        ("left_child=-1", "left_child=-2"),
        ("left_child=-1", "left_child=-3"),
        ("split_feature=1", "split_feature=2"),
        ("leaf_count=3 4", "leaf_count=0 7"),
        ("leaf_count=3 4", "leaf_count="),
        ("internal_count=7", "internal_count=0"),
        ("threshold=0", "threshold=1"),
        ("threshold=0", "threshold=nan"),
        ("cat_boundaries=0 2", "cat_boundaries=0 0"),
        ("cat_boundaries=0 2", "cat_boundaries=0 1"),
    ],
)
def test_a_text_that_says_anything_unknown_is_not_tabulated(line: str, instead: str) -> None:
    parse([STUMP])
    assert f"{line}\n" in STUMP
    with pytest.raises(UnknownTrees):
        parse([STUMP.replace(f"{line}\n", f"{instead}\n", 1)])


def test_boosters_of_other_numbers_of_features_are_not_tabulated() -> None:
    with pytest.raises(UnknownTrees, match="features"):
        parse([STUMP, text_of([Leaf(1.0, 2)], 3)])


def test_tables_and_lightgbm_give_the_same_reasons() -> None:
    boosters = trained()
    ours, theirs = (made.explain(rows(), GROUP_OF, 2) for made in (boosters, by_lightgbm(boosters)))
    assert boosters.tables is not None
    np.testing.assert_array_equal(ours.raw, theirs.raw)
    np.testing.assert_array_equal(ours.base, theirs.base)
    np.testing.assert_allclose(ours.by_group, theirs.by_group, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(ours.group, theirs.group)
    np.testing.assert_array_equal(ours.feature, theirs.feature)
    np.testing.assert_allclose(ours.base + ours.by_group.sum(axis=1), ours.raw, rtol=0, atol=1e-13)


def test_a_matrix_of_other_columns_or_numbers_is_judged_by_lightgbm() -> None:
    boosters = trained()
    with pytest.raises(lgb.basic.LightGBMError, match="number of features"):
        boosters.raw_scores(rows()[:, :3].copy())
    exact = np.nextafter(rows().astype(np.float64), 9)
    expected = sum(booster.predict(exact, raw_score=True) for booster in boosters.boosters) / 2
    np.testing.assert_array_equal(boosters.raw_scores(exact), expected)


def test_no_rows_have_no_scores() -> None:
    boosters, none = trained(), np.empty((0, 4), np.float32)
    for made in (boosters, by_lightgbm(boosters)):
        assert made.contributions(none).shape == (0, 5)
        explained = made.explain(none, GROUP_OF, 3)
        assert (explained.raw.shape, explained.by_group.shape, explained.group.shape) == ((0,), (0, 3), (0, 3))


def test_tables_are_made_once_and_not_pickled() -> None:
    boosters = trained()
    before = len(pickle.dumps(boosters))
    made = boosters.tables
    assert made is not None
    assert boosters.tables is made
    assert len(pickle.dumps(boosters)) == before
    again = pickle.loads(pickle.dumps(boosters))  # noqa: S301 - our own
    np.testing.assert_array_equal(again.contributions(rows()), boosters.contributions(rows()))


def test_threads_may_score_at_once_from_the_first_call_on() -> None:
    boosters = trained()
    expected = copy.copy(boosters).explain(rows(), GROUP_OF, 2, 1)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: boosters.explain(rows(), GROUP_OF, 2, 1), range(12)))
    for one in made:
        np.testing.assert_array_equal(one.by_group, expected.by_group)
        np.testing.assert_array_equal(one.feature, expected.feature)
