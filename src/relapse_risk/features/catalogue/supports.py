"""Support measures. They go where risk is and lower it, so no direction is sure."""

from __future__ import annotations

from relapse_risk.features.declare import Aggregation as A
from relapse_risk.features.declare import Feature, Missing, Scale, Series
from relapse_risk.records.codes import Label

SUPPORT = Series("supports")
#: Measures that serve one purpose, and their reason group.
PURPOSES = (
    ("industry", Label("产业和金融帮扶", "industry and finance"), ("industry", "finance"), "industry_failure"),
    ("work", Label("就业和公益岗帮扶", "employment and welfare posts"), ("employment", "welfare_post"),
     "unstable_work"),
    ("health", Label("健康帮扶", "health"), ("health",), "illness"),
    ("education", Label("教育帮扶", "education"), ("compulsory_education", "other_education"), "schooling"),
    ("security", Label("综合保障", "social security"), ("comprehensive_security",), "history"),
    ("society", Label("社会帮扶", "assistance from society"), ("social_assistance",), "history"),
    ("housing", Label("住房、饮水和生产生活条件", "housing, water and living conditions"),
     ("housing_safety", "water_safety", "relocation", "living_conditions", "infrastructure"), "living_conditions"),
)  # fmt: skip


def _purpose(name: str, word: Label, kinds: tuple[str, ...], risk_type: str) -> list[Feature]:
    where = (("kind", kinds),)
    return [
        Feature(f"support_{name}_open", Label(f"正在享受的{word.zh}措施数", f"running measures: {word.en}"), "measures",
                Series("supports", "runs_until", where), A.OPEN, missing=Missing.ZERO, risk_type=risk_type),
        Feature(f"support_{name}_count_24m", Label(f"近24个月新增{word.zh}措施数", f"measures begun in 24 months: {word.en}"),
                "measures", Series("supports", where=where), A.COUNT, 24, missing=Missing.ZERO, risk_type=risk_type),
    ]  # fmt: skip


FEATURES: tuple[Feature, ...] = (
    Feature("support_open", Label("正在享受的帮扶措施数", "running measures"), "measures",
            Series("supports", "runs_until"), A.OPEN, missing=Missing.ZERO, risk_type="history"),
    *(Feature(f"support_count_{w}m", Label(f"近{w}个月新增帮扶措施数", f"measures begun in {w} months"), "measures",
              SUPPORT, A.COUNT, w, missing=Missing.ZERO, risk_type="history") for w in (6, 12, 24)),
    Feature("support_paid_12m", Label("近12个月月均帮扶资金", "money from measures a month, 12 months"),
            "line", Series("supports", "amount_yuan", scale=Scale.LINE), A.RATIO, 12, missing=Missing.ZERO,
            risk_type="history"),
    Feature("support_days_since", Label("距最近一项帮扶措施开始的天数", "days since the last measure began"), "days",
            SUPPORT, A.DAYS_SINCE, missing=Missing.NEVER, risk_type="history"),
    *(feature for purpose in PURPOSES for feature in _purpose(*purpose)),
)  # fmt: skip
