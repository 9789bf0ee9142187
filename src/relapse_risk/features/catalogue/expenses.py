"""Rigid spending as a ratio to the line: what the test against the line counts off.

Spending of a window is per month of it, a single bill as it is; both relative to the month's line of the bill's day.
"""

from __future__ import annotations

from relapse_risk.features.declare import Aggregation as A
from relapse_risk.features.declare import Feature, Missing, Scale, Series
from relapse_risk.records.codes import Label

UNIT = "line"
MEDICAL = Series("expenses", where=(("kind", ("medical",)),))
KINDS = (
    ("medical", Label("医疗", "medical"), "illness"),
    ("education", Label("教育", "education"), "schooling"),
    ("housing", Label("住房", "housing"), "living_conditions"),
    ("other", Label("其他刚性", "other rigid"), "other"),
)
RIGID = Series("expenses", "self_paid_yuan", scale=Scale.LINE)


def _paid(kind: str) -> Series:
    return Series("expenses", "self_paid_yuan", where=(("kind", (kind,)),), scale=Scale.LINE)


def _kind(name: str, word: Label, risk_type: str) -> list[Feature]:
    return [
        Feature(f"{name}_paid_{w}m", Label(f"近{w}个月月均{word.zh}自付支出",
                                          f"self-paid {word.en} spending a month, {w} months"),
                UNIT, _paid(name), A.RATIO, w, missing=Missing.ZERO, risk_type=risk_type, monotone=1)
        for w in (6, 12, 24)
    ]  # fmt: skip


FEATURES: tuple[Feature, ...] = (
    *(Feature(f"rigid_paid_{w}m", Label(f"近{w}个月月均刚性自付支出",
                                       f"self-paid rigid spending a month, {w} months"),
              UNIT, RIGID, A.RATIO, w, missing=Missing.ZERO, risk_type="other", monotone=1) for w in (2, 6, 12, 24)),
    *(feature for kind in KINDS for feature in _kind(*kind)),
    Feature("medical_bills_12m", Label("近12个月就医费用笔数", "medical bills in 12 months"), "bills",
            MEDICAL, A.COUNT, 12, missing=Missing.ZERO,
            risk_type="illness"),
    Feature("medical_max_12m", Label("近12个月最大一笔医疗自付", "largest self-paid medical bill in 12 months"),
            UNIT, _paid("medical"), A.MAX, 12, missing=Missing.ZERO, risk_type="illness", monotone=1),
    Feature("medical_change_12m", Label("近12个月平均每笔医疗自付较上年同期的变化",
                                        "mean self-paid medical bill of 12 months less a year before"),
            UNIT, _paid("medical"), A.CHANGE, 12, missing=Missing.TOO_FEW, risk_type="illness"),
    Feature("medical_days_since", Label("距最近一次就医支出的天数", "days since the last medical bill"), "days",
            MEDICAL, A.DAYS_SINCE, missing=Missing.NEVER, risk_type="illness"),
    Feature("reimbursed_mean_12m", Label("近12个月医疗平均报销比例", "mean share reimbursed of medical bills, 12 months"),
            "share", Series("expenses", "reimbursed_share", where=(("kind", ("medical",)),)), A.MEAN, 12,
            risk_type="illness"),
)  # fmt: skip
