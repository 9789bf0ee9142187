"""The paired comparison of two scores: households are drawn, and what both scores share cancels out."""

from __future__ import annotations

import numpy as np
import pytest

from relapse_risk.errors import UsageError
from relapse_risk.training.metrics import ranking_metrics
from relapse_risk.training.paired import FIGURES, PairedFigure, paired_figures

RNG = np.random.default_rng(3)
HOUSEHOLDS = np.repeat([f"h{k}" for k in range(150)], 4)
LISTS = np.tile([1, 2, 3, 4], 150)
Y = RNG.random(600) < 0.3
GOOD = Y + RNG.normal(size=600)
NOISE = RNG.normal(size=600)


def compare(before: np.ndarray, after: np.ndarray, households: np.ndarray = HOUSEHOLDS) -> dict[str, PairedFigure]:
    return paired_figures(before, after, Y, households=households, lists=LISTS, capacity=0.1, draws=60)


def test_figures_are_those_of_each_score() -> None:
    found = compare(NOISE, GOOD)
    for score, which in ((NOISE, "before"), (GOOD, "after")):
        expected = ranking_metrics(score, Y, 0.1, LISTS)
        assert {name: getattr(one, which) for name, one in found.items()} == {
            name: expected[name] for name in FIGURES
        }


def test_a_score_does_not_differ_from_itself_nor_from_a_rising_function_of_it() -> None:
    for one in compare(GOOD, np.exp(GOOD)).values():
        assert one.low == one.high == 0


def test_the_interval_holds_the_difference_and_leaves_out_zero_where_one_is_better() -> None:
    auc = compare(NOISE, GOOD)["auc_within_dates"]
    assert 0 < auc.low < auc.after - auc.before < auc.high


def test_the_pooled_auc_alone_sees_levels_of_lists() -> None:
    found = compare(GOOD, GOOD + 100 * LISTS)
    assert found["auc_within_dates"].before == found["auc_within_dates"].after
    assert found["auc_pooled"].after < found["auc_pooled"].before


def test_households_are_drawn_not_rows() -> None:
    apart = compare(NOISE, GOOD, np.arange(600))["auc_within_dates"]
    alike = compare(NOISE, GOOD, LISTS)["auc_within_dates"]
    assert alike.high - alike.low != apart.high - apart.low
    assert compare(NOISE, GOOD) == compare(NOISE, GOOD), "the same seed draws the same"


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(UsageError, match="got 0 positives of 4 rows"):
        paired_figures(
            NOISE[:4], GOOD[:4], np.zeros(4, bool), households=HOUSEHOLDS[:4], lists=LISTS[:4], capacity=0.1
        )
