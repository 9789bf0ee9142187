"""Raw scores to probabilities: the shape from labels the trees had not seen, the level from the newest labels.

Base rates move. A sigmoid learned on held-out labels says how steeply risk rises with the raw score, but its level
is that of other trees and of dates that may lie a year back. So the level is set again, with the trees that are
kept, on all labels, the newest counting most; it follows a drift that the labels show; and what remains is set
right among the households that are scored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

Scores = npt.NDArray[np.float64]

#: Of two labels half a year apart, the older counts half as much in the level.
HALF_LIFE_YEARS = 0.5
#: Standard deviation of the prior on the level's drift, in log-odds a year: risk changes by a tenth, unless shown.
DRIFT_PRIOR = 0.1
#: Positives that weigh as much as no correction at all: a few outcomes are mostly luck.
PRIOR_POSITIVES = 30.0


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

    def __call__(self, raw: Scores) -> Scores:
        """Return the probability of each raw score."""
        return 1.0 / (1.0 + np.exp(self.slope * raw + self.intercept))

    def log_odds(self, raw: Scores) -> Scores:
        """Return the log-odds of each raw score."""
        return -(self.slope * raw + self.intercept)

    def shifted(self, by: float) -> SigmoidCalibrator:
        """Return the sigmoid whose log-odds are all larger by a number."""
        return SigmoidCalibrator(self.slope, self.intercept - by)


@dataclass(frozen=True)
class Timing:
    """When the labels are of, and how long after the newest of them scores are made.

    Parameters
    ----------
    age : ndarray of float64, shape (n,)
        Years that each label's as_of date lies before the newest one.
    ahead : float
        Years from the newest as_of date until its label is mature: before that, no score is made by this model.
    """

    age: Scores
    ahead: float

    @property
    def weights(self) -> Scores:
        """How much each label counts: 1 at the newest date, half of it half a year before."""
        weights: Scores = 0.5 ** (self.age / HALF_LIFE_YEARS)
        return weights


def newest_level(
    log_odds: Scores, y: npt.NDArray[np.bool_], timing: Timing, scored: npt.NDArray[np.bool_] | None = None
) -> float:
    """Return how far log-odds must move for the number foreseen to be right when scores are made.

    Over the labels' dates the log-odds are off by a level and a yearly drift, which logistic regression finds with
    the log-odds as offset; the drift has a normal prior (``DRIFT_PRIOR``), so that it is followed only where the
    labels show it. The level is carried on along the drift until the model scores. Of the households that are
    scored, what remains off is added. Both are shrunk by ``positives / (positives + PRIOR_POSITIVES)``.

    Parameters
    ----------
    log_odds : ndarray of float64, shape (n,)
        Of the trees that will score.
    y : ndarray of bool, shape (n,)
        What came true.
    timing : Timing
        When.
    scored : ndarray of bool, shape (n,), optional
        Rows of households that would be scored; all otherwise.
    """
    weights = timing.weights
    level, drift = _level_and_drift(log_odds, y, weights, timing.age)
    shift = level - drift * timing.ahead
    if scored is None:
        return shift
    at_their_dates = log_odds[scored] + level + drift * timing.age[scored]
    alone, _ = _level_and_drift(at_their_dates, y[scored], weights[scored], np.zeros(int(scored.sum())))
    return shift + alone


def _level_and_drift(
    log_odds: Scores, y: npt.NDArray[np.bool_], weights: Scores, age: Scores
) -> tuple[float, float]:
    """Return by how much log-odds are off at age 0, and by how much more a year of age, both shrunk."""
    total, positives = float(weights.sum()), float(weights[y].sum())
    if not 0.0 < positives < total:
        return 0.0, 0.0

    def loss(off: Scores) -> tuple[float, Scores]:
        z = log_odds + off[0] + off[1] * age
        gap = weights * (expit(z) - y)
        penalty = off[1] / DRIFT_PRIOR**2
        value = (weights * (np.logaddexp(0.0, z) - z * y)).sum() + 0.5 * off[1] * penalty
        return float(value) / total, np.array([gap.sum(), (gap * age).sum() + penalty]) / total

    found = minimize(loss, np.zeros(2), jac=True, method="BFGS", options={"gtol": 1e-9})
    level, drift = found.x * positives / (positives + PRIOR_POSITIVES)
    return float(level), float(drift)


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


def fit_sigmoid(raw: Scores, y: npt.NDArray[np.bool_]) -> SigmoidCalibrator:
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
