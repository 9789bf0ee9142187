"""Raw scores to probabilities: the shape from labels the trees had not seen, the level from the newest labels.

Base rates move. A sigmoid learned on held-out labels says how steeply risk rises with the raw score. Its level is
of one later time, and moves up and down with it; so it is set again with the trees that are kept, on all labels,
the newest counting most, and then on the households that are scored. Where base rates follow a trend, that would
miss what comes: there the level of the later labels is kept, and carried on along the trend until scores are made.
How far a trend is believed, its own scatter says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

Numbers = npt.NDArray[np.float64]

#: Of two labels a year apart, the older counts half as much in the level: long enough to hold every season.
HALF_LIFE_YEARS = 1.0
#: Positives that weigh as much as no correction at all: a few outcomes are mostly luck.
PRIOR_POSITIVES = 30.0
#: Fewest dates that can show a trend.
FEWEST_DATES = 4
#: A trend is believed to ``t ** 2 / (t ** 2 + TREND_PRIOR)``, t being its slope over its standard error.
TREND_PRIOR = 2.0
#: No level is further off, in log-odds: it bounds the search.
_LARGEST_SHIFT = 20.0


@dataclass(frozen=True)
class SigmoidCalibrator:
    """Platt's sigmoid: ``probability = 1 / (1 + exp(slope * raw + intercept))``.

    It keeps the order of raw scores, so that a list ordered by probability has no ties the trees did not make.

    Parameters
    ----------
    slope, intercept : float
        The slope is negative where higher raw scores are riskier.
    """

    slope: float
    intercept: float

    def __call__(self, raw: Numbers) -> Numbers:
        """Return the probability of each raw score."""
        return 1.0 / (1.0 + np.exp(self.slope * raw + self.intercept))

    def log_odds(self, raw: Numbers) -> Numbers:
        """Return the log-odds of each raw score."""
        return -(self.slope * raw + self.intercept)

    def shifted(self, by: float) -> SigmoidCalibrator:
        """Return the sigmoid whose log-odds are all larger by a number."""
        return SigmoidCalibrator(self.slope, self.intercept - by)


@dataclass(frozen=True)
class Timing:
    """When the labels are of; in years.

    Parameters
    ----------
    age : ndarray of float64, shape (n,)
        Years that each label's as_of date lies before the newest one.
    horizon : float
        What labels look ahead; 0 where that is not known.
    carried : float
        From the time whose level the held-out sigmoid and the trees that are kept have together, until scores are
        made: see ``label_timing``.
    """

    age: Numbers
    horizon: float = 0.0
    carried: float = 0.0

    @property
    def weights(self) -> Numbers:
        """How much each label counts: 1 at the newest date, half of it a year before."""
        weights: Numbers = 0.5 ** (self.age / HALF_LIFE_YEARS)
        return weights


def level_shift(
    log_odds: Numbers, y: npt.NDArray[np.bool_], timing: Timing, scored: npt.NDArray[np.bool_] | None = None
) -> float:
    """Return how far log-odds must move for the number foreseen to be right when scores are made.

    Parameters
    ----------
    log_odds : ndarray of float64, shape (n,)
        Of the held-out sigmoid, on raw scores of the trees that are kept.
    y : ndarray of bool, shape (n,)
        What came true.
    timing : Timing
        When.
    scored : ndarray of bool, shape (n,), optional
        Rows of households that would be scored; all otherwise.
    """
    weights = timing.weights
    level = _level(log_odds, y, weights)
    if scored is not None:
        level += _level((log_odds + level)[scored], y[scored], weights[scored])
    slope, trust = base_rate_trend(y, timing)
    return (1.0 - trust) * level + trust * slope * timing.carried


def base_rate_trend(y: npt.NDArray[np.bool_], timing: Timing) -> tuple[float, float]:
    """Return the yearly change of the base rate's log-odds, and how far to believe in it, from 0 to 1.

    A line is drawn through the dates' log-odds. Labels of neighbouring dates share most of their horizon, so the
    line's standard error counts only as many dates as there are horizons; it is at least that of the positives.

    Parameters
    ----------
    y : ndarray of bool, shape (n,)
        What came true.
    timing : Timing
        When.
    """
    ages, date = np.unique(timing.age, return_inverse=True)
    if len(ages) < FEWEST_DATES or not timing.horizon:
        return 0.0, 0.0
    rows, positives = np.bincount(date), np.bincount(date, weights=y)
    log_odds = np.log((positives + 0.5) / (rows - positives + 0.5))
    when = ages.mean() - ages
    slope = float((when * log_odds).sum() / (when**2).sum())
    rest = log_odds - log_odds.mean() - slope * when
    n = (ages[-1] - ages[0]) / timing.horizon + 1.0
    scatter = float((rest**2).mean()) * n / max(n - 2.0, 0.5)
    variance = max(scatter, 1.0 / max(float(positives.sum()), 1.0)) / (n * float((when**2).mean()))
    t_squared = slope**2 / variance
    return slope, t_squared / (t_squared + TREND_PRIOR)


def _level(log_odds: Numbers, y: npt.NDArray[np.bool_], weights: Numbers) -> float:
    """Return the shift that makes the weighted number foreseen the one that came true, shrunk by the positives."""
    positives = float(weights[y].sum())

    def surplus(shift: float) -> float:
        return float((weights * expit(log_odds + shift)).sum()) - positives

    if not 0.0 < positives < float(weights.sum()) or not surplus(-_LARGEST_SHIFT) < 0.0 < surplus(_LARGEST_SHIFT):
        return 0.0
    whole = float(brentq(surplus, -_LARGEST_SHIFT, _LARGEST_SHIFT))
    return whole * positives / (positives + PRIOR_POSITIVES)


class _GivenScores(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A fitted classifier whose decision function is its one input: lets scikit-learn calibrate given scores."""

    def __init__(self) -> None:
        self.classes_ = np.array([0, 1])

    def fit(self, X: npt.NDArray[Any], y: npt.NDArray[Any]) -> _GivenScores:  # noqa: ARG002
        return self

    def decision_function(self, X: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return X[:, 0]

    def predict(self, X: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return (X[:, 0] > 0).astype(int)


def fit_sigmoid(raw: Numbers, y: npt.NDArray[np.bool_]) -> SigmoidCalibrator:
    """Fit Platt's sigmoid by scikit-learn on scores and labels that the trees have not seen.

    Parameters
    ----------
    raw : ndarray of float64, shape (n,)
        Raw scores.
    y : ndarray of bool, shape (n,)
        Labels; both must occur.
    """
    calibrated = CalibratedClassifierCV(FrozenEstimator(_GivenScores()), method="sigmoid", ensemble=False)
    calibrated.fit(raw.reshape(-1, 1), y.astype(int))
    sigmoid = calibrated.calibrated_classifiers_[0].calibrators[0]
    return SigmoidCalibrator(float(sigmoid.a_), float(sigmoid.b_))
