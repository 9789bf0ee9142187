"""Values of features in words, in Chinese and English."""

from __future__ import annotations

import math
from dataclasses import dataclass

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
YES, NO = Label("是", "yes"), Label("否", "no")
NOT_RECORDED = Label("无记录", "not recorded")


@dataclass(frozen=True)
class Wording:
    """Makes the sentence of a reason: group, feature, value with unit, and the usual value beside it.

    Parameters
    ----------
    feature : Feature
        The feature that the reason is worded by.
    before, after : Label
        What comes before and after the value, the same in every sentence.
    """

    feature: Feature
    before: Label
    after: Label

    @classmethod
    def of_feature(cls, feature: Feature, reference: FeatureReference) -> Wording:
        """Return the wording of a feature, with the usual value from its reference."""
        group = REASON_GROUPS[feature.risk_type]
        before = Label(f"{group.zh}:{feature.label.zh}", f"{group.en}: {feature.label.en}: ")
        usual = _usual(feature, reference)
        after = Label(f"(通常{usual.zh})", f" (usually {usual.en})") if usual else Label("", "")
        return cls(feature, before, after)

    def sentence(self, value: float) -> tuple[str, str]:
        """Return the sentence in Chinese and English; a missing value is NaN."""
        words = _value_in_words(self.feature, value)
        verb = ":" if math.isnan(value) else "为"
        return (
            f"{self.before.zh}{verb}{words.zh}{self.after.zh}",
            f"{self.before.en}{words.en}{self.after.en}",
        )


def _usual(feature: Feature, reference: FeatureReference) -> Label | None:
    if feature.codes or reference.median is None:
        return None
    if reference.missing > 0.5:
        return _value_in_words(feature, math.nan)
    return _value_in_words(feature, reference.median, beside=True)


def _value_in_words(feature: Feature, value: float, *, beside: bool = False) -> Label:
    """Return a value in words, with its unit; ``beside`` the household's own value, the unit is shortened."""
    if math.isnan(value):
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
