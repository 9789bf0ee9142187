"""Raw scores to probabilities, learned on labels that came after those the trees were grown on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

Scores = npt.NDArray[np.float64]


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
