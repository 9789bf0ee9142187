"""Which rows the sigmoid is fitted on: those of later dates, and never rows the trees were fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold

from relapse_risk.dates import from_days, to_days
from relapse_risk.errors import NotEnoughData
from relapse_risk.labelling import matures_on
from relapse_risk.model.calibration import Timing
from relapse_risk.settings import OutcomeSettings

if TYPE_CHECKING:
    import pandas as pd

Numbers = npt.NDArray[np.float64]

LATER = "later labels"
OTHER_HOUSEHOLDS = "other households"
#: Fewest rows of either class that a sigmoid is fitted on.
FEWEST_OF_A_CLASS = 20
#: Smallest share of the rows that must remain to fit the trees before the calibration dates.
LEAST_EARLIER = 0.3
FOLDS = 5
DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class Split:
    """Row numbers to fit the trees on, and to fit the sigmoid on."""

    train: npt.NDArray[np.int64]
    test: npt.NDArray[np.int64]


def calibration_splits(
    index: pd.MultiIndex | None,
    y: npt.NDArray[np.bool_],
    outcome: OutcomeSettings | None,
    *,
    share: float,
    seed: int,
    sample_weight: Numbers | None = None,
) -> tuple[list[Split], str]:
    """Return the splits that the sigmoid is fitted on, and their kind.

    Later labels where there are enough: the test rows are those of the latest dates that together hold ``share`` of
    the rows, and the training rows are those whose label was mature on the first of these dates. Otherwise, or if
    the dates or the outcome are not known, folds of households. A row counts for as many as its weight says in the
    share of the rows; both classes must have enough rows, whatever their weight.

    Raises
    ------
    NotEnoughData
        If a class is too rare for folds.
    """
    days = as_of_days(index)
    if days is not None and outcome is not None:
        split = _later(days, y, outcome, share, sample_weight)
        if split is not None:
            return [split], LATER
    groups = np.arange(len(y))
    if index is not None and "household_id" in getattr(index, "names", []):
        groups = np.asarray(index.codes[index.names.index("household_id")])
    folds = min(FOLDS, int(y.sum()), int((~y).sum()), len(np.unique(groups)))
    if folds < 2:
        raise NotEnoughData(
            f"{int(y.sum())} rows of one class and {int((~y).sum())} of the other; "
            "at least two of each are needed to calibrate. Take more as_of dates or households."
        )
    cv: Any = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    splits = [Split(train, test) for train, test in cv.split(np.zeros(len(y)), y, groups)]
    return [s for s in splits if len(np.unique(y[s.train])) == 2], OTHER_HOUSEHOLDS


def as_of_days(index: pd.MultiIndex | None) -> npt.NDArray[np.int64] | None:
    """Return each row's as_of date in days since 1970-01-01, None where an index has none."""
    if index is None or "as_of" not in getattr(index, "names", []):
        return None
    level = index.names.index("as_of")
    days: npt.NDArray[np.int64] = index.levels[level].to_numpy().astype("datetime64[D]").astype(np.int64)
    return days[index.codes[level]]


def label_timing(
    index: pd.MultiIndex | None,
    n: int,
    outcome: OutcomeSettings | None,
    splits: Sequence[Split],
    sample_weight: Numbers | None = None,
) -> Timing:
    """Return the ages of n labels, and how far ahead their level is to be extrapolated.

    The sigmoid has the level of the dates it was fitted on. The final trees are fitted on later rows than the trees
    behind the sigmoid, and move the level by as much as their rows are newer. From there it is extrapolated to the
    day on which the newest label is mature, the first day on which a score can be made. Without dates, all labels
    have the same age.

    Worked example, in months before the newest date: the sigmoid is fitted on labels 4 months old, with trees of
    rows 20 months old; the final trees are of rows 14 months old, 6 months newer. Together they have the level of
    2 months after the newest date; its label is mature 7 months after it; so 5 months remain.

    Parameters
    ----------
    index : pandas.MultiIndex or None
        Index of the labels; its level ``as_of`` has their dates.
    n : int
        Number of labels.
    outcome : OutcomeSettings or None
        Gives the horizon, and when the newest label is mature; without it, nothing is extrapolated.
    splits : sequence of Split
        What the sigmoid was fitted on.
    sample_weight : ndarray of float64, shape (n,), optional
        How many labels each counts for; 1 otherwise.
    """
    days = as_of_days(index)
    if days is None or not n:
        return Timing(np.zeros(n))
    newest = int(days.max())
    age = (newest - days) / DAYS_PER_YEAR
    if outcome is None:
        return Timing(age)
    ahead = (to_days(matures_on(from_days(newest), outcome)) - newest) / DAYS_PER_YEAR
    held_out = _mean_age(age, [split.test for split in splits], sample_weight)
    earlier = _mean_age(age, [split.train for split in splits], sample_weight)
    carried = max(held_out - (earlier - _mean_age(age, [np.arange(n)], sample_weight)) + ahead, 0.0)
    return Timing(age, outcome.horizon_months / 12, float(carried))


def _mean_age(age: Numbers, parts: Sequence[npt.NDArray[np.int64]], sample_weight: Numbers | None) -> float:
    rows = np.concatenate(parts)
    return float(np.average(age[rows], weights=None if sample_weight is None else sample_weight[rows]))


def _later(
    days: npt.NDArray[np.int64],
    y: npt.NDArray[np.bool_],
    outcome: OutcomeSettings,
    share: float,
    sample_weight: Numbers | None,
) -> Split | None:
    dates = np.unique(days)
    later = [day for day in dates if np.average(days >= day, weights=sample_weight) >= share]
    if not later:
        return None
    first = max(later)
    mature = {day: to_days(matures_on(from_days(day), outcome)) for day in dates}
    test = np.flatnonzero(days >= first)
    train = np.flatnonzero(np.array([mature[day] <= first for day in dates])[np.searchsorted(dates, days)])
    enough = all(min(int(y[rows].sum()), int((~y[rows]).sum())) >= FEWEST_OF_A_CLASS for rows in (train, test))
    if not enough or len(train) < LEAST_EARLIER * len(y):
        return None
    return Split(train, test)
