"""Data sets to train and evaluate on: features, labels, and which cohorts each row is in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from relapse_risk.cohorts import cohort, cohort_flags
from relapse_risk.features.build import build_features
from relapse_risk.labelling import label_counts, labels
from relapse_risk.records.records import Records
from relapse_risk.training.rule_features import rule_features

if TYPE_CHECKING:
    import pandas as pd

    from relapse_risk.features.declare import Feature
    from relapse_risk.model.estimator import RelapseModel

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Dataset:
    """Labelled rows.

    Parameters
    ----------
    X : DataFrame
        Features, by (household_id, as_of).
    y : ndarray of bool
        The outcome.
    to_train, in_cohort, not_poor, poor_before : ndarray of bool
        Whether a row is in the cohort to train on; is in the cohort to score; was not poor; had been poor or lifted
        before.
    counts : dict of str to int
        Labels by value, and rows left out without a label by reason; see ``label_counts``.
    records : Records
        Records that the rows were made from.
    """

    X: pd.DataFrame
    y: Flags
    to_train: Flags
    in_cohort: Flags
    not_poor: Flags
    poor_before: Flags
    counts: dict[str, int]
    records: Records

    @cached_property
    def rule_features(self) -> pd.DataFrame:
        """The features that the rules of today need, of the same rows."""
        return build_features(self.records, cast("pd.MultiIndex", self.X.index), rule_features())

    @property
    def dates(self) -> npt.NDArray[np.datetime64]:
        """The as_of date of each row."""
        level = self.X.index.get_level_values("as_of")
        return np.asarray(level.to_numpy().astype("datetime64[D]"))

    def fit(self, model: RelapseModel, rows: Flags) -> RelapseModel:
        """Fit a model on some rows; its level is fitted on those of them in the cohort to score."""
        return model.fit(self.X[rows], self.y[rows], scored=self.in_cohort[rows])

    def describe(self, rows: Flags | npt.NDArray[np.intp]) -> pd.DataFrame:
        """Return whom some rows are of, their labels and cohorts: how tables of predictions begin."""
        import pandas as pd  # noqa: PLC0415

        index = self.X.index[rows]
        return pd.DataFrame(
            {
                "household_id": index.get_level_values("household_id"),
                "as_of": index.get_level_values("as_of"),
                "label": self.y[rows],
                "in_cohort": self.in_cohort[rows],
                "was_poor_before": self.poor_before[rows],
                "not_poor": self.not_poor[rows],
            }
        )

    def on(self, days: Sequence[dt.date]) -> Flags:
        """Return which rows are of these dates."""
        return np.isin(self.dates, np.array(days, "datetime64[D]"))


def make_dataset(records: Records, dates: Sequence[dt.date], features: Sequence[Feature] | None = None) -> Dataset:
    """Return the labelled rows of some dates, of the cohorts to train on and to score.

    Parameters
    ----------
    records : Records
        Their end decides which labels are mature.
    dates : sequence of date
        As_of dates.
    features : sequence of Feature, optional
        All features of the tables present otherwise.
    """
    train, scored = cohort(records, dates, purpose="train"), cohort(records, dates)
    everyone = train.union(scored)
    label = labels(records, everyone)
    index = everyone[label.notna().to_numpy()]
    not_poor, poor_before = cohort_flags(records, index)
    return Dataset(
        X=build_features(records, index, features),
        y=label.dropna().to_numpy(bool),
        to_train=np.asarray(index.isin(train)),
        in_cohort=np.asarray(index.isin(scored)),
        not_poor=not_poor,
        poor_before=poor_before,
        counts=label_counts(records, everyone),
        records=records,
    )
