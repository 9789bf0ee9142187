"""What is known of earlier poverty, and of its causes."""

from __future__ import annotations

from relapse_risk.features.declare import EVER, Feature, Missing, Series
from relapse_risk.features.declare import Aggregation as A
from relapse_risk.records.codes import RISK_TYPE, Label

STATUS = Series("statuses", "poor")
POOR = Series("statuses", where=(("poor", ("true",)),))
ANY_STATUS = Series("statuses")

FEATURES: tuple[Feature, ...] = (
    Feature("poor_last", Label("最近一次认定是否贫困", "poor at the last status (1 yes, 0 no)"), "flag", STATUS, A.LAST,
            risk_type="history", monotone=1),
    *(Feature(f"poor_count_{w}m" if w else "poor_count_ever",
              Label(f"近{w}个月认定贫困次数" if w else "历次认定贫困次数",
                    f"times found poor in {w} months" if w else "times found poor, ever"),
              "times", POOR, A.COUNT, w, missing=Missing.ZERO, risk_type="history", monotone=1)
      for w in (12, 24, EVER)),
    *(Feature(f"poor_mean_{w}m" if w else "poor_mean_ever",
              Label(f"近{w}个月认定为贫困的比例" if w else "历次认定为贫困的比例",
                    f"share of statuses that were poor, {w} months" if w else "share of statuses that were poor, ever"),
              "share", STATUS, A.MEAN, w, risk_type="history", monotone=1) for w in (24, EVER)),
    *(Feature(f"status_count_{w}m" if w else "status_count_ever",
              Label(f"近{w}个月认定次数" if w else "历次认定次数", f"statuses in {w} months" if w else "statuses, ever"),
              "times", ANY_STATUS, A.COUNT, w, missing=Missing.ZERO, risk_type="history") for w in (24, EVER)),
    Feature("poor_days_since", Label("距最近一次认定贫困的天数", "days since last found poor"), "days", POOR,
            A.DAYS_SINCE, missing=Missing.NEVER, risk_type="history", monotone=-1),
    Feature("status_days_since", Label("距最近一次认定的天数", "days since the last status"), "days", ANY_STATUS,
            A.DAYS_SINCE, missing=Missing.NEVER, risk_type="history"),
    *(Feature(f"poor_by_{code}_ever", Label(f"历次认定贫困中风险类型含{word.zh}的次数", f"times found poor with risk type {word.en}, ever"),
              "times", Series("statuses", where=(("poor", ("true",)), ("risk_types", (code,)))), A.COUNT,
              missing=Missing.ZERO, risk_type=code, monotone=1) for code, word in RISK_TYPE.labels.items()),
)  # fmt: skip
