"""What a county can do without the model, as scores to compare with: higher is riskier, missing comes last.

Rules of today are computed from the rule features, simple models from the model's features.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Container
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from relapse_risk.training.scorecard import Scorecard

if TYPE_CHECKING:
    import pandas as pd

    from relapse_risk.training.dataset import Dataset

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: Most negatives that simple models are fitted on; if there are more, those kept count for the others.
MOST_NEGATIVES = 100_000


class Baseline(ABC):
    """A rule or a simple model.

    Attributes
    ----------
    name : str
        Its name in tables and metrics.
    needs : frozenset of str
        Tables that it cannot do without.
    """

    name: ClassVar[str]
    needs: ClassVar[frozenset[str]] = frozenset()

    def fit(self, data: Dataset, rows: Flags) -> Self:  # noqa: ARG002
        """Fit on some rows; rules have nothing to fit."""
        return self

    @abstractmethod
    def score(self, data: Dataset, rows: Flags) -> Numbers:
        """Return the score of some rows, shape (rows.sum(),)."""


class LowestBalance(Baseline):
    """Lowest balance to line first, as a county judges by: the account of the twelve months before as_of.

    Net income and claims less compliant self-paid spending, by the members and the line of that day.
    """

    name = "lowest balance to line"

    def score(self, data: Dataset, rows: Flags) -> Numbers:
        """Return minus the balance over the line."""
        return -data.rule_features["balance_12m"].to_numpy(np.float64)[rows]


class LowestIncome(Baseline):
    """Lowest income to line first: net income of the latest month recorded, or its share of a longer account."""

    name = "lowest income to line"

    def score(self, data: Dataset, rows: Flags) -> Numbers:
        """Return minus the last net income over the line."""
        return -data.rule_features["net_last"].to_numpy(np.float64)[rows]


class LastGrades(Baseline):
    """Worst last visit first: the six looks' grades, summed."""

    name = "last visit's grades"

    def score(self, data: Dataset, rows: Flags) -> Numbers:
        """Return the last visit's grades."""
        return data.rule_features["grades_last"].to_numpy(np.float64)[rows]


class MustVisit(Baseline):
    """The eight must-visit groups (八必访): households in more of them are visited first.

    Groups as a survey notice lists them (Shiyan 2022): lifted; low or falling income; subsistence allowance;
    disabled members; several children at school; living on wages of unstable work; illness, disaster or
    accident; elderly without anyone able to work. Its ninth, monitored for over a year, does not apply to a cohort
    of households that are not monitored. The notice gives no numbers; assumed are "low" as under 1.5 times the
    line, "on wages" as two thirds of income, and "several" as two.
    """

    name = "eight must-visit groups"
    needs = frozenset({"shocks", "supports"})

    def score(self, data: Dataset, rows: Flags) -> Numbers:
        """Return the number of groups, 0 to 8."""
        f = _columns(data.rule_features, rows)
        groups = [
            ~np.isnan(f["lifted_days"]),
            (f["net_ratio_12m"] < 1.5) | (f["net_change_12m"] < 0.0),
            f["dibao"] > 0,
            f["n_disabled"] > 0,
            f["n_students"] >= 2,
            (f["wage_share_12m"] >= 2 / 3) & (f["employed_mean_6m"] < 1.0),
            (f["n_major_illness"] > 0) | (f["event_count_12m"] > 0),
            (f["n_elderly"] > 0) & (f["n_labour"] == 0),
        ]
        return np.asarray(np.sum(groups, axis=0), np.float64)


class Thresholds(Baseline):
    """The warning thresholds of data comparison: households that crossed more of them are visited first.

    In yuan, as in county rules: self-paid medical bills of twelve months of 5,000 in a lifted household and
    20,000 in any other; a bill of 500 in the last two months; school costs of 10,000 in twelve months; an illness,
    accident or disaster in the last two months.
    """

    name = "warning thresholds"
    needs = frozenset({"expenses", "shocks"})

    def score(self, data: Dataset, rows: Flags) -> Numbers:
        """Return the number of thresholds crossed, 0 to 4."""
        f = _columns(data.rule_features, rows)
        medical = np.where(np.isnan(f["lifted_days"]), 20_000.0, 5_000.0)
        crossed = [
            f["medical_yuan_12m"] >= medical,
            f["medical_bill_2m"] >= 500.0,
            f["education_yuan_12m"] > 10_000.0,
            f["event_count_2m"] > 0,
        ]
        return np.asarray(np.sum(crossed, axis=0), np.float64)


class Logistic(Baseline):
    """Logistic regression on all features, with missing values replaced by medians and flagged."""

    name = "logistic regression"

    def __init__(self) -> None:
        self._pipeline: Pipeline | None = None
        self._bounds: tuple[Numbers, Numbers] | None = None

    def fit(self, data: Dataset, rows: Flags) -> Self:
        """Fit the weights."""
        rows, weight = data.thinned(rows, MOST_NEGATIVES)
        matrix = _numbers(data.X[rows])
        filled = np.where(np.isnan(matrix).all(axis=0), 0.0, matrix)
        # A few incomes are hundreds of times the line; such outliers must not decide the weights.
        low, high = np.nanquantile(filled, [0.005, 0.995], axis=0)
        self._bounds = (low, high)
        self._pipeline = make_pipeline(
            SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
            StandardScaler(),
            LogisticRegression(C=0.01, max_iter=1000),
        )
        # Medians, bounds and scales are those of the rows fitted on: only the regression takes weights.
        self._pipeline.fit(np.clip(matrix, low, high), data.y[rows], logisticregression__sample_weight=weight)
        return self

    def score(self, data: Dataset, rows: Flags) -> Numbers:
        """Return the log-odds."""
        assert self._pipeline is not None  # noqa: S101
        assert self._bounds is not None  # noqa: S101
        prepared = self._pipeline[:-1].transform(np.clip(_numbers(data.X[rows]), *self._bounds))
        regression: LogisticRegression = self._pipeline[-1]
        # Row by row: a matrix product rounds a row's sum by how many rows there are.
        return np.asarray((prepared * regression.coef_[0]).sum(axis=1) + regression.intercept_[0], np.float64)


class PaperScorecard(Baseline):
    """Ten questions with points, fitted to the data, for use on paper."""

    name = "ten-item scorecard"

    def __init__(self) -> None:
        self.card = Scorecard()

    def fit(self, data: Dataset, rows: Flags) -> Self:
        """Choose the items and their points."""
        rows, weight = data.thinned(rows, MOST_NEGATIVES)
        self.card.fit(data.X[rows], data.y[rows], weight)
        return self

    def score(self, data: Dataset, rows: Flags) -> Numbers:
        """Return the points, 0 to about 100."""
        return self.card.points(data.X[rows])


def _columns(frame: pd.DataFrame, rows: Flags) -> dict[str, Numbers]:
    return {str(name): frame[name].to_numpy(np.float64)[rows] for name in frame}


def _numbers(X: pd.DataFrame) -> Numbers:
    columns = []
    for name in X:
        if X[name].dtype.name == "category":
            columns += [(X[name] == category).to_numpy(np.float64) for category in X[name].cat.categories]
        else:
            columns.append(X[name].to_numpy(np.float64))
    return np.column_stack(columns)


def baselines(present: Container[str]) -> list[Baseline]:
    """Return new baselines, in the order of the printed tables: those whose records are there.

    Parameters
    ----------
    present : container of str
        Tables the records have.
    """
    every: list[Baseline] = [
        LowestBalance(),
        LowestIncome(),
        LastGrades(),
        MustVisit(),
        Thresholds(),
        PaperScorecard(),
        Logistic(),
    ]
    return [baseline for baseline in every if all(table in present for table in baseline.needs)]
