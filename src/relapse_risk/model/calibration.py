"""Raw scores to probabilities: the slope from labels the trees have not seen, the level from the newest labels.

Base rates change over time. A sigmoid fitted on held-out labels gives the slope: how steeply risk rises with
the raw score. Its level is that of the dates it was fitted on. So the level is fitted again with the final
trees, on all labels, weighted towards the newest, and then on the households that would be scored. Where the
base rate follows a trend, this level would lag behind it: there the held-out level is kept and extrapolated
along the trend to the day on which scores are made. The two are mixed by how clear the trend is, given its
scatter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

Numbers = npt.NDArray[np.float64]

#: Age at which a label counts half as much in the level; a year, so that every season counts.
HALF_LIFE_YEARS = 1.0
#: Of a correction of the level, ``positives / (positives + PRIOR_POSITIVES)`` is made: few positives are noisy.
PRIOR_POSITIVES = 30.0
#: Fewest dates that a trend is fitted on.
FEWEST_DATES = 4
#: The weight of a trend is ``t ** 2 / (t ** 2 + TREND_PRIOR)``, with t its slope over its standard error.
TREND_PRIOR = 2.0
#: Bound of the search for a level, in log-odds.
_LARGEST_SHIFT = 20.0


@dataclass(frozen=True)
class SigmoidCalibrator:
    """Platt's sigmoid: ``probability = 1 / (1 + exp(slope * raw + intercept))``.

    It is strictly monotone, so that a list ordered by probability has no more ties than one by raw scores.

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
        """Return the sigmoid with all log-odds larger by ``by``."""
        return SigmoidCalibrator(self.slope, self.intercept - by)


@dataclass(frozen=True)
class Timing:
    """Ages of labels, and how far ahead their level is extrapolated; all in years.

    Parameters
    ----------
    age : ndarray of float64, shape (n,)
        Time from each label's as_of date to the newest one.
    horizon : float
        Horizon of the labels; 0 if it is not known.
    carried : float
        Time from the date whose level the held-out sigmoid has with the final trees to the day on which scores are
        made; see ``label_timing``.
    """

    age: Numbers
    horizon: float = 0.0
    carried: float = 0.0

    @property
    def weights(self) -> Numbers:
        """Weight of each label: 1 at the newest date, half of it a year before."""
        weights: Numbers = 0.5 ** (self.age / HALF_LIFE_YEARS)
        return weights


def level_shift(
    log_odds: Numbers,
    y: npt.NDArray[np.bool_],
    timing: Timing,
    scored: npt.NDArray[np.bool_] | None = None,
    sample_weight: Numbers | None = None,
) -> float:
    """Return the shift of log-odds that makes the expected number of positives right when scores are made.

    Parameters
    ----------
    log_odds : ndarray of float64, shape (n,)
        Of the held-out sigmoid on the raw scores of the final trees.
    y : ndarray of bool, shape (n,)
        Labels.
    timing : Timing
        Ages of the labels.
    scored : ndarray of bool, shape (n,), optional
        Rows of households that would be scored; all otherwise.
    sample_weight : ndarray of float64, shape (n,), optional
        How many rows each counts for; 1 otherwise.
    """
    weights = timing.weights if sample_weight is None else timing.weights * sample_weight
    level = _level(log_odds, y, weights)
    if scored is not None:
        level += _level((log_odds + level)[scored], y[scored], weights[scored])
    slope, trust = base_rate_trend(y, timing, sample_weight)
    return (1.0 - trust) * level + trust * slope * timing.carried


def base_rate_trend(
    y: npt.NDArray[np.bool_], timing: Timing, sample_weight: Numbers | None = None
) -> tuple[float, float]:
    """Return the yearly change of the base rate's log-odds, and its weight, from 0 to 1.

    A line is fitted to the log-odds of the dates. Labels of neighbouring dates share most of their horizon, so the
    standard error of the slope counts as many independent dates as there are horizons. It is at least what the
    number of positives gives.

    Parameters
    ----------
    y : ndarray of bool, shape (n,)
        Labels.
    timing : Timing
        Ages of the labels.
    sample_weight : ndarray of float64, shape (n,), optional
        How many rows each counts for; 1 otherwise.
    """
    ages, date = np.unique(timing.age, return_inverse=True)
    if len(ages) < FEWEST_DATES or not timing.horizon:
        return 0.0, 0.0
    rows = np.bincount(date, weights=sample_weight)
    positives = np.bincount(date, weights=y if sample_weight is None else y * sample_weight)
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
    """Return the shift that makes the weighted expected and actual positives equal, shrunk if these are few."""
    positives = float(weights[y].sum())

    def surplus(shift: float) -> float:
        return float((weights * expit(log_odds + shift)).sum()) - positives

    if not 0.0 < positives < float(weights.sum()) or not surplus(-_LARGEST_SHIFT) < 0.0 < surplus(_LARGEST_SHIFT):
        return 0.0
    whole = float(brentq(surplus, -_LARGEST_SHIFT, _LARGEST_SHIFT))
    return whole * positives / (positives + PRIOR_POSITIVES)


class _Frozen(FrozenEstimator):  # type: ignore[misc]
    """A fitted estimator that lets weights pass: they are for the sigmoid, and there is nothing else to fit."""

    def fit(self, X: object, y: object, sample_weight: object = None) -> _Frozen:  # noqa: ARG002
        return self


def fit_sigmoid(raw: Numbers, y: npt.NDArray[np.bool_], sample_weight: Numbers | None = None) -> SigmoidCalibrator:
    """Fit Platt's sigmoid, by scikit-learn, on scores and labels that the trees were not fitted on.

    Parameters
    ----------
    raw : ndarray of float64, shape (n,)
        Raw scores.
    y : ndarray of bool, shape (n,)
        Labels; both must occur.
    sample_weight : ndarray of float64, shape (n,), optional
        How many rows each counts for; 1 otherwise.
    """
    # scikit-learn calibrates classifiers, not scores: this one's decision function is its only column.
    identity = LogisticRegression()
    identity.classes_, identity.coef_, identity.intercept_ = np.array([0, 1]), np.ones((1, 1)), np.zeros(1)
    calibrated = CalibratedClassifierCV(_Frozen(identity), method="sigmoid", ensemble=False)
    calibrated.fit(raw.reshape(-1, 1), y.astype(int), sample_weight=sample_weight)
    sigmoid = calibrated.calibrated_classifiers_[0].calibrators[0]
    return SigmoidCalibrator(float(sigmoid.a_), float(sigmoid.b_))
