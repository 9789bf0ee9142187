"""What a county does today, as scores to be measured beside: higher is riskier, missing comes last."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
import numpy.typing as npt
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

if TYPE_CHECKING:
    import pandas as pd

Numbers = npt.NDArray[np.float64]


class Baseline(ABC):
    """A rule or a simple model, on the same features as the model.

    Attributes
    ----------
    name : str
        In tables and metrics.
    """

    name: ClassVar[str]

    def fit(self, X: pd.DataFrame, y: npt.NDArray[np.bool_]) -> Baseline:  # noqa: ARG002
        """Learn what there is to learn; rules learn nothing."""
        return self

    @abstractmethod
    def score(self, X: pd.DataFrame) -> Numbers:
        """Return the score of each row."""


class LowestIncome(Baseline):
    """Lowest income to line first: last recorded month's, as an income account would."""

    name = "lowest income to line"

    def score(self, X: pd.DataFrame) -> Numbers:
        """Return minus the last net income over the line."""
        return -X["net_last"].to_numpy(np.float64)


class LastGrades(Baseline):
    """Worst last visit first: the six looks' grades, summed."""

    name = "last visit's grades"

    def score(self, X: pd.DataFrame) -> Numbers:
        """Return the last visit's grades."""
        return X["grades_last"].to_numpy(np.float64)


class Logistic(Baseline):
    """Logistic regression on all features: medians in place of what is missing, and flags for it."""

    name = "logistic regression"

    def __init__(self) -> None:
        self._pipeline: Pipeline | None = None
        self._bounds: tuple[Numbers, Numbers] | None = None

    def fit(self, X: pd.DataFrame, y: npt.NDArray[np.bool_]) -> Logistic:
        """Learn the weights."""
        matrix = _numbers(X)
        told = np.where(np.isnan(matrix).all(axis=0), 0.0, matrix)
        # A few incomes are hundreds of lines; one such household must not bend the whole line.
        low, high = np.nanquantile(told, [0.005, 0.995], axis=0)
        self._bounds = (low, high)
        self._pipeline = make_pipeline(
            SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
            StandardScaler(),
            LogisticRegression(C=0.01, max_iter=1000),
        )
        self._pipeline.fit(np.clip(matrix, low, high), y)
        return self

    def score(self, X: pd.DataFrame) -> Numbers:
        """Return the log-odds."""
        assert self._pipeline is not None  # noqa: S101
        assert self._bounds is not None  # noqa: S101
        return cast(Numbers, self._pipeline.decision_function(np.clip(_numbers(X), *self._bounds)))


def _numbers(X: pd.DataFrame) -> Numbers:
    columns = []
    for name in X:
        if X[name].dtype.name == "category":
            columns += [(X[name] == category).to_numpy(np.float64) for category in X[name].cat.categories]
        else:
            columns.append(X[name].to_numpy(np.float64))
    return np.column_stack(columns)


def baselines() -> list[Baseline]:
    """Return fresh baselines, in the order of tables."""
    return [LowestIncome(), LastGrades(), Logistic()]
