"""Data sets to train and evaluate on: labelled rows with their features, and what each row counts for."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from relapse_risk.features.build import build_features, build_matrix, frame_of, split_index
from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.plan import make_plan
from relapse_risk.records.blocks import RecordBlocks
from relapse_risk.records.records import Records
from relapse_risk.settings import TrainingSettings
from relapse_risk.training.rows import LabelledRows, by_block, labelled_rows
from relapse_risk.training.rule_features import rule_features
from relapse_risk.training.sampling import kept, share_of, weights

if TYPE_CHECKING:
    import pandas as pd

    from relapse_risk.features.declare import Feature
    from relapse_risk.model.estimator import RelapseModel

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Dataset(LabelledRows):
    """Labelled rows with features.

    Parameters
    ----------
    index, y, to_train, in_cohort, not_poor, poor_before
        See ``LabelledRows``.
    X : DataFrame
        Features of the rows.
    records : Records or RecordBlocks
        Records that the rows were made from.
    features : tuple of Feature
        The columns of ``X``.
    counts : dict of str to int
        Labels by value, and rows left out without a label by reason; see ``label_counts``.
    share : float
        Share of the negatives that was kept: below 1, each of them counts for ``1 / share``.
    """

    X: pd.DataFrame
    records: Records | RecordBlocks
    features: tuple[Feature, ...]
    counts: dict[str, int]
    share: float = 1.0

    @cached_property
    def rule_features(self) -> pd.DataFrame:
        """The features that the rules of today need, of the same rows."""
        return feature_frame(self.records, self, rule_features())

    @property
    def weight(self) -> Numbers | None:
        """What each row counts for in training; None if each counts for itself alone."""
        return None if self.share >= 1.0 else weights(self.y, self.share)

    def fit(self, model: RelapseModel, rows: Flags) -> RelapseModel:
        """Fit a model on some rows; its level is fitted on those of them in the cohort to score."""
        return model.fit(
            self.X[rows], self.y[rows], scored=self.in_cohort[rows], sample_weight=self.weight_of(rows)
        )

    def weight_of(self, rows: Flags) -> Numbers | None:
        """Return what some rows count for; None if each counts for itself alone."""
        return None if self.weight is None else self.weight[rows]

    def thinned(self, rows: Flags, most_negatives: int) -> tuple[Flags, Numbers | None]:
        """Return some of the rows, with at most about so many negatives, and what each of them counts for."""
        negatives = int((rows & ~self.y).sum())
        share = self.share * share_of(negatives, most_negatives)
        if share < self.share:
            rows = rows & kept(self.index, self.y, share, self.records.settings.training.seed)
        return rows, None if share >= 1.0 else weights(self.y[rows], share)


def make_dataset(
    records: Records | RecordBlocks, dates: Sequence[dt.date], features: Sequence[Feature] | None = None
) -> Dataset:
    """Return the labelled rows of some dates, of the cohorts to train on and to score.

    Parameters
    ----------
    records : Records or RecordBlocks
        Their end decides which labels are mature.
    dates : sequence of date
        As_of dates.
    features : sequence of Feature, optional
        All features of the tables present otherwise.
    """
    rows, counts = labelled_rows(records, dates)
    return with_features(records, rows, features, counts=counts)


def sampled(rows: LabelledRows, settings: TrainingSettings) -> tuple[LabelledRows, float]:
    """Return the rows to train on, all or a part of them, and the share of the negatives among these.

    Parameters
    ----------
    rows : LabelledRows
        Those not to train on are left out.
    settings : TrainingSettings
        If there are more negatives to train on than ``most_negatives``, about so many are kept; see
        ``relapse_risk.training.sampling``.
    """
    learned = rows.take(rows.to_train)
    share = share_of(int((~learned.y).sum()), settings.most_negatives)
    return learned.take(kept(learned.index, learned.y, share, settings.seed)), share


def with_features(
    records: Records | RecordBlocks,
    rows: LabelledRows,
    features: Sequence[Feature] | None = None,
    *,
    counts: dict[str, int] | None = None,
    share: float = 1.0,
    n_threads: int | None = None,
    on_done: Callable[[int, int], None] | None = None,
) -> Dataset:
    """Return rows with their features, computed block by block.

    Parameters
    ----------
    records : Records or RecordBlocks
        Where the histories are.
    rows : LabelledRows
        In order of household.
    features : sequence of Feature, optional
        All features of the tables present otherwise.
    counts, share
        See ``Dataset``.
    n_threads, on_done
        See ``each_block``.
    """
    chosen = tuple(catalogue(records.settings, records.present) if features is None else features)
    X = feature_frame(records, rows, chosen, n_threads, on_done=on_done)
    return Dataset(
        index=rows.index,
        y=rows.y,
        to_train=rows.to_train,
        in_cohort=rows.in_cohort,
        not_poor=rows.not_poor,
        poor_before=rows.poor_before,
        X=X,
        records=records,
        features=chosen,
        counts=counts or {},
        share=share,
    )


def feature_frame(
    records: Records | RecordBlocks,
    rows: LabelledRows,
    features: tuple[Feature, ...],
    n_threads: int | None = None,
    *,
    on_done: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Return the features of rows, a block at a time written into one matrix.

    Parameters
    ----------
    records, rows, features, n_threads, on_done
        See ``with_features``.
    """
    if isinstance(records, Records):
        return build_features(records, rows.index, features)
    plan = make_plan(features)
    matrix = np.empty((len(rows), len(features)), np.float32, order="F")

    def fill(block: Records, where: slice, part: LabelledRows) -> None:
        matrix[where] = build_matrix(block, *split_index(part.index), plan)

    deque(by_block(records, rows, fill, n_threads, on_done=on_done), maxlen=0)
    return frame_of(matrix, rows.index, features)
