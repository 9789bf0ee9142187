"""Events that hit the household."""

from __future__ import annotations

from relapse_risk.features.declare import Aggregation as A
from relapse_risk.features.declare import Feature, Missing, Series
from relapse_risk.records.codes import SHOCK_KIND, Label

#: The reason group of each kind of shock.
RISK_TYPES = {
    "illness": "illness",
    "accident": "accident",
    "disaster": "natural_disaster",
    "job_loss": "unstable_work",
    "crop_failure": "industry_failure",
    "market": "industry_failure",
}
SHOCK = Series("shocks")


def _kind(kind: str, word: Label, risk_type: str) -> list[Feature]:
    series = Series("shocks", where=(("kind", (kind,)),))
    return [
        *(Feature(f"shock_{kind}_count_{w}m", Label(f"近{w}个月{word.zh}次数", f"events of {word.en} in {w} months"),
                  "events", series, A.COUNT, w, missing=Missing.ZERO, risk_type=risk_type, monotone=1)
          for w in (12, 24)),
        Feature(f"shock_{kind}_days_since", Label(f"距最近一次{word.zh}的天数", f"days since the last {word.en}"),
                "days", series, A.DAYS_SINCE, missing=Missing.NEVER, risk_type=risk_type, monotone=-1),
    ]  # fmt: skip


FEATURES: tuple[Feature, ...] = (
    *(Feature(f"shock_count_{w}m", Label(f"近{w}个月冲击次数", f"shocks in {w} months"), "events", SHOCK, A.COUNT, w,
              missing=Missing.ZERO, monotone=1) for w in (2, 6)),
    Feature("shock_days_since", Label("距最近一次冲击的天数", "days since the last shock"), "days", SHOCK,
            A.DAYS_SINCE, missing=Missing.NEVER, monotone=-1),
    *(feature for kind, word in SHOCK_KIND.labels.items() for feature in _kind(kind, word, RISK_TYPES[kind])),
)  # fmt: skip
