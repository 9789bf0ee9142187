"""Reasons of a score: exact contributions of the features, summed by risk type and put into words.

The contributions of all groups and the base score add up to the raw score. They show what the model used, not what
caused anything.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import islice

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from relapse_risk.features.declare import REASON_GROUPS, Feature
from relapse_risk.model.boosters import Matrix
from relapse_risk.model.grouping import Explanation
from relapse_risk.model.inputs import FeatureReference
from relapse_risk.model.wording import Wording

#: Reasons given for each household, at most.
MOST_REASONS = 3


@dataclass(frozen=True)
class Reason:
    """The contribution of one reason group to a score, worded by the feature that contributes most to it.

    Parameters
    ----------
    group : str
        Reason group, mostly a risk type.
    contribution : float
        What the group adds to the raw score, in log-odds; positive raises risk.
    feature : str
        The feature with the largest contribution in the group.
    value : float or None
        Its value, None where missing.
    zh, en : str
        The reason in words: group, feature, value with unit, and the usual value beside it.
    """

    group: str
    contribution: float
    feature: str
    value: float | None
    zh: str
    en: str


_ARROW_TYPES = {"str": pa.dictionary(pa.int32(), pa.string()), "float": pa.float64(), "float | None": pa.float64()}
#: Type of a household's reasons in Arrow.
REASONS_TYPE = pa.list_(pa.struct([(field.name, _ARROW_TYPES[str(field.type)]) for field in fields(Reason)]))


@dataclass(frozen=True, eq=False)
class Reasons:
    """The reasons of n scores as arrays, put into words when asked for.

    Parameters
    ----------
    wordings : sequence of Wording
        One for each feature.
    groups : sequence of str
        Reason groups.
    group, feature : ndarray of int32, shape (n, n_reasons)
        Positions of each reason's group and feature, the largest contribution first; -1 where there is no reason.
    contribution : ndarray of float64, shape (n, n_reasons)
        What the group adds to the raw score, in log-odds; NaN where there is no reason.
    value : ndarray of float32, shape (n, n_reasons)
        The feature's value; NaN where it is missing, or there is no reason.
    """

    wordings: Sequence[Wording]
    groups: Sequence[str]
    group: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int32]
    contribution: npt.NDArray[np.float64]
    value: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.group)

    def of(self, row: int) -> list[Reason]:
        """Return the reasons of one row in words."""
        arrays = (self.group, self.contribution, self.feature, self.value)
        return [
            self._reason(g, contribution, f, value, self.wordings[f].sentence(value))
            for g, contribution, f, value in zip(*(array[row].tolist() for array in arrays), strict=True)
            if g >= 0
        ]

    def to_arrow(self) -> pa.ListArray:
        """Return the reasons as Arrow lists, of type ``REASONS_TYPE``: each distinct text is held once."""
        there = self.group >= 0
        sentences, which = self._sentences(there)
        zh, en = (pa.array([sentence[k] for sentence in sentences], pa.string()) for k in range(2))
        groups, features = pa.array(self.groups), pa.array([wording.feature.name for wording in self.wordings])
        value = self.value[there].astype(np.float64)
        columns = [
            pa.DictionaryArray.from_arrays(self.group[there], groups),
            pa.array(self.contribution[there]),
            pa.DictionaryArray.from_arrays(self.feature[there], features),
            pa.array(value, mask=np.isnan(value)),
            pa.DictionaryArray.from_arrays(which.astype(np.int32), zh),
            pa.DictionaryArray.from_arrays(which.astype(np.int32), en),
        ]
        ends = np.cumsum(there.sum(axis=1), dtype=np.int32)
        structs = pa.StructArray.from_arrays(columns, fields=list(REASONS_TYPE.value_type))
        return pa.ListArray.from_arrays(np.concatenate([np.zeros(1, np.int32), ends]), structs, type=REASONS_TYPE)

    def to_list(self) -> list[list[Reason]]:
        """Return the reasons of every row in words; equal sentences are one text."""
        there = self.group >= 0
        sentences, which = self._sentences(there)
        arrays = (self.group, self.contribution, self.feature, self.value)
        columns = [array[there].tolist() for array in arrays]
        rows = zip(*columns, which.tolist(), strict=True)
        reasons = (self._reason(g, by, f, value, sentences[k]) for g, by, f, value, k in rows)
        return [list(islice(reasons, n)) for n in there.sum(axis=1).tolist()]

    def _sentences(self, there: npt.NDArray[np.bool_]) -> tuple[list[tuple[str, str]], npt.NDArray[np.int64]]:
        """Return the distinct sentences, and which of them each reason has."""
        feature, value = self.feature[there], self.value[there]
        key = (feature.astype(np.int64) << 32) | value.view(np.uint32)
        _, first, which = np.unique(key, return_index=True, return_inverse=True)
        pairs = zip(feature[first].tolist(), value[first].tolist(), strict=True)
        return [self.wordings[f].sentence(v) for f, v in pairs], which

    def _reason(self, g: int, contribution: float, f: int, value: float, sentence: tuple[str, str]) -> Reason:
        known = None if math.isnan(value) else value
        return Reason(self.groups[g], contribution, self.wordings[f].feature.name, known, *sentence)


class Explainer:
    """Makes reasons of raw scores.

    Parameters
    ----------
    features : tuple of Feature
        The model's features, in order.
    references : dict of str to FeatureReference
        Distribution of each feature over the training rows, to give the usual value.

    Attributes
    ----------
    groups : tuple of str
        The reason groups of the features.
    group_of : ndarray of int32, shape (n_features,)
        The position of each feature's group.
    """

    def __init__(self, features: Sequence[Feature], references: Mapping[str, FeatureReference]) -> None:
        present = {feature.risk_type for feature in features}
        self.groups = tuple(group for group in REASON_GROUPS if group in present)
        self.group_of = np.array([self.groups.index(feature.risk_type) for feature in features], np.int32)
        self._wordings = tuple(Wording.of_feature(feature, references[feature.name]) for feature in features)

    def reasons(self, matrix: Matrix, explanation: Explanation) -> Reasons:
        """Return the reasons of the rows of a matrix; ``explanation`` is of the same rows, by ``group_of``."""
        group, feature = explanation.group, explanation.feature
        none = group < 0
        row = np.arange(len(matrix))[:, None]
        return Reasons(
            self._wordings,
            self.groups,
            group,
            feature,
            np.where(none, np.nan, explanation.by_group[row, group]),
            np.where(none, np.float32(np.nan), matrix[row, feature]),
        )


def as_records(reasons: Sequence[Reason]) -> list[dict[str, object]]:
    """Return reasons as plain dictionaries, for Parquet and JSON."""
    return [dict(vars(reason)) for reason in reasons]
