"""The features that the rules of today need; the engine computes them as it does the model's."""

from __future__ import annotations

from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import Aggregation as A
from relapse_risk.features.declare import Feature, Missing, Series
from relapse_risk.records.codes import Label

#: Those that are features of the model too.
FROM_CATALOGUE = (
    *(
        "balance_12m",
        "net_last",
        "grades_last",
        "lifted_days",
        "net_ratio_12m",
        "net_change_12m",
        "dibao",
        "n_disabled",
    ),
    *("n_students", "wage_share_12m", "employed_mean_6m", "n_major_illness", "n_elderly", "n_labour"),
)


def _paid(kind: str) -> Series:
    return Series("expenses", "self_paid_yuan", where=(("kind", (kind,)),))


_EVENT = Series("shocks", where=(("kind", ("illness", "accident", "disaster")),))
#: Those in yuan, as the rules have them; a model is given amounts as ratios to the line only.
_OF_THE_RULES = (
    Feature("medical_yuan_12m", Label("近12个月医疗自付", "self-paid medical bills, 12 months"), "yuan",
            _paid("medical"), A.SUM, 12, missing=Missing.ZERO),
    Feature("medical_bill_2m", Label("近2个月最高医疗自付", "highest self-paid medical bill, 2 months"), "yuan",
            _paid("medical"), A.MAX, 2),
    Feature("education_yuan_12m", Label("近12个月教育自付", "self-paid school costs, 12 months"), "yuan",
            _paid("education"), A.SUM, 12, missing=Missing.ZERO),
    *(Feature(f"event_count_{w}m",
              Label(f"近{w}个月因病因灾因意外事件数", f"illness, accident, disaster, {w} months"),
              "events", _EVENT, A.COUNT, w, missing=Missing.ZERO) for w in (2, 12)),
)  # fmt: skip


def rule_features() -> tuple[Feature, ...]:
    """Return the rule features."""
    known = {feature.name: feature for feature in catalogue()}
    return (*(known[name] for name in FROM_CATALOGUE), *_OF_THE_RULES)
