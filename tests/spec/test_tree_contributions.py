"""Contributions of trees written by hand, beside Shapley values by their definition."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from tests.support.trees import NONE, ZERO, Leaf, Split, Tree, shapley, text_of

from relapse_risk.model.boosters import Boosters

NAN = float("nan")
#: Numbers around every threshold below, what LightGBM takes for zero, and codes that are in no set.
VALUES = (
    NAN,
    -7.5,
    -1.0,
    -0.5,
    -2e-35,
    -1e-35,
    -1e-36,
    0.0,
    1e-36,
    2e-35,
    0.5,
    0.6,
    1.0,
    3.0,
    31.0,
    40.0,
    64.0,
    3e9,
)

STUMP = Split(0, Leaf(-1.0, 30), Leaf(2.0, 10), threshold=0.5)
#: One leaf takes almost all rows; a feature is asked twice on a path, and again on another.
UNBALANCED = Split(
    0,
    Split(1, Leaf(0.25, 1), Split(0, Leaf(-3.0, 996), Leaf(5.0, 1), threshold=-1.0), threshold=0.5),
    Split(2, Leaf(1.5, 1), Split(1, Leaf(-2.5, 1), Leaf(4.0, 2), threshold=0.0), threshold=1.0),
    threshold=0.5,
)


def chain(n_leaves: int) -> Tree:
    """A tree as deep as it has nodes, which asks three features again and again."""
    tree: Tree = Leaf(5.0, 7)
    for k in range(n_leaves - 2, -1, -1):
        tree = Split(k % 3, Leaf((-1.0) ** k * (k + 1), 1 + 3 * k % 5), tree, threshold=k / 2 - 1)
    return tree


TREES: dict[str, Tree] = {
    "one leaf": Leaf(0.75, 12),
    "stump": STUMP,
    "unbalanced": UNBALANCED,
    "chain of nine leaves": chain(9),
    "missing goes left": Split(0, Leaf(-1.0, 30), Leaf(2.0, 10), threshold=-1.0, missing_left=True),
    "nothing missing, zero left": Split(0, Leaf(-1.0, 30), Leaf(2.0, 10), threshold=0.0, missing=NONE),
    "nothing missing, zero right": Split(0, Leaf(-1.0, 30), Leaf(2.0, 10), threshold=-0.5, missing=NONE),
    "zero is missing, left": Split(0, Leaf(-1.0, 5), Leaf(2.0, 9), threshold=-1.0, missing=ZERO, missing_left=True),
    "zero is missing, right": Split(0, Leaf(-1.0, 5), Leaf(2.0, 9), threshold=3.0, missing=ZERO),
    "threshold above nothing but zero": Split(0, Leaf(-1.0, 5), Leaf(2.0, 9), threshold=1e-36),
    "threshold below nothing but zero": Split(0, Leaf(-1.0, 5), Leaf(2.0, 9), threshold=-1e-36),
    "threshold between two float32 numbers": Split(0, Leaf(-1.0, 5), Leaf(2.0, 9), threshold=0.6),
    "threshold beyond float32": Split(0, Leaf(-1.0, 5), Leaf(2.0, 9), threshold=1e300),
    "categories": Split(
        0, Leaf(-1.0, 5), Split(1, Leaf(3.0, 1), Leaf(2.0, 8), categories=(3,)), categories=(0, 31)
    ),
    "categories above 32": Split(
        0, Leaf(-1.0, 5), Split(0, Leaf(1.0, 2), Leaf(2.0, 9), categories=(64,)), categories=(1, 40)
    ),
}


@pytest.mark.parametrize("name", TREES)
def test_contributions_are_shapley_values_and_a_raw_score_is_the_leaf(name: str) -> None:
    tree = TREES[name]
    rows = np.array(list(product(VALUES, (NAN, 0.25, 3.0), (0.0, 2.0))), np.float32)
    boosters = Boosters.from_texts([text_of([tree], 3)])
    assert boosters.tables is not None
    expected = [shapley(tree, row) for row in rows.tolist()]
    np.testing.assert_allclose(boosters.contributions(rows, 1), expected, rtol=0, atol=1e-13)
    leaf = [sum(of_row) for of_row in expected]
    np.testing.assert_allclose(boosters.raw_scores(rows, 1), leaf, rtol=0, atol=1e-13)
    (booster,) = boosters.boosters
    np.testing.assert_array_equal(boosters.raw_scores(rows, 1), booster.predict(rows, raw_score=True))
    np.testing.assert_allclose(booster.predict(rows, pred_contrib=True), expected, rtol=0, atol=1e-13)


def test_contributions_worked_out_on_paper() -> None:
    """Of ten rows the first feature sends four left.

    Its value known, the mean 2.5 becomes 3.5; the second's, 3.4; both, 5. So the first adds the mean of 1 and 1.6.
    """
    tree = Split(0, Leaf(1.0, 4), Split(1, Leaf(2.0, 3), Leaf(5.0, 3), threshold=0.5), threshold=0.5)
    boosters = Boosters.from_texts([text_of([tree], 2)])
    row = np.ones((1, 2), np.float32)
    np.testing.assert_allclose(boosters.contributions(row), [[1.3, 1.2, 2.5]])


def test_trees_and_boosters_add_up() -> None:
    several = [TREES["unbalanced"], TREES["one leaf"], TREES["categories"]], [STUMP, TREES["one leaf"]]
    boosters = Boosters.from_texts([text_of(trees, 3) for trees in several])
    row = np.array([[0.75, 3.0, 2.0]], np.float32)
    sums = [np.sum([shapley(tree, row[0].tolist()) for tree in trees], axis=0) for trees in several]
    np.testing.assert_allclose(boosters.contributions(row, 1), [np.mean(sums, axis=0)], rtol=0, atol=1e-13)
