"""Reasons of a score: exact contributions of the features, summed by risk type and put into words.

The contributions of all groups and the base score add up to the raw score. They show what the model used, not what
caused anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relapse_risk.features.declare import REASON_GROUPS, Feature
from relapse_risk.model.inputs import FeatureReference
from relapse_risk.records.codes import Label

#: Words of units: put after the number, or around it where there is a ``{}``. Other units have none.
UNITS: dict[str, Label] = {
    "line": Label("月监测线的{}倍", "{} times the monthly line"),
    "line a month": Label("每月{}倍月监测线", "{} times the monthly line, each month"),
    "head line": Label("一人月监测线的{}倍", "{} times one member's monthly line"),
    "share": Label("", ""),
    "standard deviations": Label("个标准差", "standard deviations"),
    "days": Label("天", "days"),
    "months": Label("个月", "months"),
    "month": Label("月", ""),
    "persons": Label("人", "persons"),
    "persons a month": Label("人/月", "persons a month"),
    "mu": Label("亩", "mu"),
    "visits": Label("次", "visits"),
    "looks": Label("项", "looks"),
    "clues": Label("条", "clues"),
    "times": Label("次", "times"),
    "events": Label("次", "events"),
    "bills": Label("笔", "bills"),
    "measures": Label("项", "measures"),
    "years": Label("岁", "years"),
    "rooms": Label("间", "rooms"),
}
#: Reasons given for each household, at most.
MOST_REASONS = 3
YES, NO = Label("是", "yes"), Label("否", "no")
NOT_RECORDED = Label("无记录", "not recorded")


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


class Explainer:
    """Makes reasons of contributions.

    Parameters
    ----------
    features : tuple of Feature
        The model's features, in order.
    references : dict of str to FeatureReference
        Distribution of each feature over the training rows, to give the usual value.
    """

    def __init__(self, features: tuple[Feature, ...], references: Mapping[str, FeatureReference]) -> None:
        self._features = features
        self._references = references
        self.groups = tuple(g for g in REASON_GROUPS if any(f.risk_type == g for f in features))
        self._members = [
            np.array([k for k, feature in enumerate(features) if feature.risk_type == group])
            for group in self.groups
        ]

    def by_group(self, contributions: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return contributions summed by group.

        Parameters
        ----------
        contributions : ndarray of float64, shape (n, n_features + 1)
            As ``Boosters.contributions`` returns them, the base score last.

        Returns
        -------
        ndarray of float64, shape (n, n_groups)
            In the order of ``groups``.
        """
        # cumsum adds from left to right; the order in which numpy's sum adds depends on the number of rows.
        sums = [np.cumsum(contributions[:, members], axis=1)[:, -1] for members in self._members]
        return np.stack(sums, axis=1)

    def reasons(
        self,
        values: npt.NDArray[np.float32],
        contributions: npt.NDArray[np.float64],
        grouped: npt.NDArray[np.float64],
        at_most: int,
    ) -> list[Reason]:
        """Return the groups that raise a household's risk most, largest contribution first.

        Parameters
        ----------
        values : ndarray of float32, shape (n_features,)
            The household's features.
        contributions : ndarray of float64, shape (n_features + 1,)
            Their contributions.
        grouped : ndarray of float64, shape (n_groups,)
            Their sums by group.
        at_most : int
            Most reasons; there are fewer if fewer groups raise the risk.
        """
        order = [g for g in np.argsort(-grouped, kind="stable") if grouped[g] > 0]
        reasons = []
        for g in order[:at_most]:
            members = self._members[g]
            k = int(members[np.argmax(contributions[members])])
            reasons.append(self._worded(self.groups[g], float(grouped[g]), k, float(values[k])))
        return reasons

    def _worded(self, group: str, contribution: float, k: int, value: float) -> Reason:
        feature = self._features[k]
        words = self._value_in_words(feature, value)
        usual = self._usual(feature)
        word = REASON_GROUPS[group]
        beside = Label(f"(通常{usual.zh})", f" (usually {usual.en})") if usual else Label("", "")
        missing = np.isnan(value)
        return Reason(
            group=group,
            contribution=contribution,
            feature=feature.name,
            value=None if missing else value,
            zh=f"{word.zh}:{feature.label.zh}{':' if missing else '为'}{words.zh}{beside.zh}",
            en=f"{word.en}: {feature.label.en}: {words.en}{beside.en}",
        )

    def _usual(self, feature: Feature) -> Label | None:
        reference = self._references[feature.name]
        if feature.codes or reference.median is None:
            return None
        if reference.missing > 0.5:
            return self._value_in_words(feature, float("nan"))
        return self._value_in_words(feature, reference.median, beside=True)

    @staticmethod
    def _value_in_words(feature: Feature, value: float, *, beside: bool = False) -> Label:
        """Return a value in words, with its unit; ``beside`` the household's own value, the unit is shortened."""
        if np.isnan(value):
            missing = feature.missing.value
            return Label(missing.zh, missing.en) if feature.codes is None else NOT_RECORDED
        if feature.codes:
            return feature.codes.labels[feature.codes.values[int(value)]]
        if feature.unit == "flag" and value in (0.0, 1.0):
            return YES if value else NO
        number = f"{value:.0%}" if feature.unit == "share" else _number(value)
        unit = UNITS.get(feature.unit, Label("", ""))
        if "{}" in unit.zh and beside:
            return Label(f"{number}倍", number)
        if "{}" in unit.zh:
            return Label(unit.zh.format(number), unit.en.format(number))
        return Label(f"{number}{unit.zh}", f"{number} {unit.en}".rstrip())


def _number(value: float) -> str:
    if value == round(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def as_records(reasons: Sequence[Reason]) -> list[dict[str, object]]:
    """Return reasons as plain dictionaries, for Parquet and JSON."""
    return [dict(vars(reason)) for reason in reasons]
