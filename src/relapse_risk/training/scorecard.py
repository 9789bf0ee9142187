"""A scorecard of ten items with points, for use on paper.

After credit scoring's practice (Siddiqi 2006, Credit Risk Scorecards): each item is cut into a few answers, each
answer gets its weight of evidence, items are chosen one by one by what they add to a logistic regression, and
weights become whole points that sum to at most a hundred.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from relapse_risk.errors import NotFoundError

if TYPE_CHECKING:
    import pandas as pd

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: Features that can be answered at the door or from a passbook, without a computer.
SHEET = (
    *("n_members", "n_labour", "n_students", "n_elderly", "n_chronic", "n_major_illness", "n_disabled", "dibao"),
    *("land_mu", "orchard_mu", "relocated", "lifted_days"),
    *("yard_last", "house_last", "cupboard_last", "tap_last", "health_last", "children_last", "clue_count_12m"),
    *("net_last", "net_ratio_12m", "net_min_12m", "net_below_12m", "wage_last", "transfer_last", "wage_share_12m"),
    *("poor_count_ever", "poor_days_since", "medical_paid_12m", "education_paid_12m", "employed_last"),
    *("shock_illness_count_12m", "shock_accident_count_12m", "shock_disaster_count_12m"),
    *("shock_job_loss_count_12m", "shock_crop_failure_count_12m", "support_open", "employed_mean_6m"),
)
#: Most answers of an item, apart from "not known".
ANSWERS = 4
#: Rows with the average odds that are added to each answer, so that few rows give little evidence.
_PRIOR = 20.0


@dataclass(frozen=True)
class ScorecardItem:
    """One question.

    Parameters
    ----------
    name : str
        The feature it asks for.
    cuts : tuple of float
        Answer k lies in ``[cuts[k - 1], cuts[k])``.
    points : tuple of int
        Of each answer, and last of "not known".
    """

    name: str
    cuts: tuple[float, ...]
    points: tuple[int, ...]


class Scorecard:
    """A scorecard.

    Parameters
    ----------
    n_items : int
        Questions.

    Attributes
    ----------
    items_ : tuple of ScorecardItem
        The questions, in the order in which they were chosen.
    """

    def __init__(self, n_items: int = 10) -> None:
        self.n_items = n_items

    def fit(self, X: pd.DataFrame, y: Flags, sample_weight: Numbers | None = None) -> Scorecard:
        """Choose items, answers and points.

        Parameters
        ----------
        X : DataFrame, shape (n, n_features)
            Features; only those of ``SHEET`` are used.
        y : ndarray of bool, shape (n,)
            The outcome; both classes must occur.
        sample_weight : ndarray of float64, shape (n,), optional
            What each row counts for; 1 otherwise. Where an item is cut into answers does not depend on it.

        Raises
        ------
        NotFoundError
            If none of the features of ``SHEET`` is there.
        """
        values = {name: X[name].to_numpy(np.float64) for name in SHEET if name in X}
        cuts = {name: _cuts(value) for name, value in values.items()}
        cuts = {name: cut for name, cut in cuts.items() if cut}
        if not cuts:
            raise NotFoundError("none of the scorecard's questions can be answered from these features")
        answers = {name: _answers(values[name], cut) for name, cut in cuts.items()}
        counts = np.ones(len(y)) if sample_weight is None else sample_weight
        evidence = {name: _evidence(answers[name], len(cuts[name]) + 1, y, counts) for name in cuts}
        columns = {name: evidence[name][answers[name]] for name in cuts}
        chosen = self._choose(columns, y, counts)
        weights = _logistic(np.column_stack([columns[name] for name in chosen]), y, counts).coef_[0]
        steps = [np.maximum(w, 0.0) * evidence[name] for name, w in zip(chosen, weights, strict=True)]
        highest = sum(float(step.max() - step.min()) for step in steps)
        scale = 100.0 / highest if highest > 0 else 0.0
        self.items_ = tuple(
            ScorecardItem(name, cuts[name], tuple(np.rint((step - step.min()) * scale).astype(int).tolist()))
            for name, step in zip(chosen, steps, strict=True)
        )
        return self

    def _choose(self, columns: dict[str, Numbers], y: Flags, counts: Numbers) -> list[str]:
        """Return the items that add most, one by one: the largest score statistic given those chosen before."""
        chosen: list[str] = []
        probability = np.full(len(y), np.average(y, weights=counts))
        while len(chosen) < min(self.n_items, len(columns)):
            residual, weight = counts * (y - probability), counts * probability * (1.0 - probability)
            gain = {}
            for name, column in columns.items():
                if name not in chosen:
                    centred = column - np.average(column, weights=weight)
                    spread = float((weight * centred**2).sum())
                    # Only if the direction is the same as without the items chosen before.
                    gain[name] = max(float(residual @ centred), 0.0) ** 2 / spread if spread > 0 else 0.0
            chosen.append(max(gain, key=lambda name: gain[name]))
            matrix = np.column_stack([columns[name] for name in chosen])
            probability = _logistic(matrix, y, counts).predict_proba(matrix)[:, 1]
        return chosen

    def points(self, X: pd.DataFrame) -> Numbers:
        """Return the points of each row, shape (n,)."""
        total = np.zeros(len(X))
        for item in self.items_:
            total += np.array(item.points)[_answers(X[item.name].to_numpy(np.float64), item.cuts)]
        return total


def _cuts(values: Numbers) -> tuple[float, ...]:
    """Return the cuts: quantiles, rounded to two digits; none if all answers are the same."""
    known = values[~np.isnan(values)]
    if not len(known):
        return ()
    different = np.unique(known)
    if len(different) <= ANSWERS:
        return tuple(different[1:].tolist())
    quantiles = np.quantile(known, np.linspace(0, 1, ANSWERS + 1)[1:-1])
    rounded = {float(f"{value:.2g}") for value in quantiles.tolist()}
    return tuple(cut for cut in sorted(rounded) if (known < cut).any() and (known >= cut).any())


def _answers(values: Numbers, cuts: tuple[float, ...]) -> npt.NDArray[np.int64]:
    """Return each row's answer; the one after the last is "not known"."""
    return np.where(np.isnan(values), len(cuts) + 1, np.searchsorted(cuts, values, side="right"))


def _evidence(answers: npt.NDArray[np.int64], n_known: int, y: Flags, counts: Numbers) -> Numbers:
    """Return the weight of evidence of each answer, shrunk towards 0 where rows are few."""
    n = n_known + 1
    positives = np.bincount(answers, weights=y * counts, minlength=n)
    negatives = np.bincount(answers, weights=~y * counts, minlength=n)
    base = np.average(y, weights=counts)
    odds = (positives + _PRIOR * base) / (negatives + _PRIOR * (1.0 - base))
    return np.asarray(np.log(odds) - np.log(base / (1.0 - base)), np.float64)


def _logistic(matrix: Numbers, y: Flags, counts: Numbers) -> LogisticRegression:
    return LogisticRegression(C=10.0, max_iter=500).fit(matrix, y, sample_weight=counts)
