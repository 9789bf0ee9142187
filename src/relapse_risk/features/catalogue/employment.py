"""The real-name employment ledger: who works, where, for how much."""

from __future__ import annotations

from relapse_risk.features.declare import Aggregation as A
from relapse_risk.features.declare import Feature, Missing, Scale, Series
from relapse_risk.records.codes import Label

RISK = "unstable_work"
IN_WORK = Series("employment", "employed", by_month=True)
#: Of a member not in work the ledger need not say that the wage is 0.
WAGES = Series("employment", "earned_yuan", by_month=True, scale=Scale.LINE)
MONTH_IN_WORK = Series("employment", where=(("employed", ("true",)),), by_month=True)

FEATURES: tuple[Feature, ...] = (
    Feature("employed_last", Label("台账最近一月务工人数", "members in work, latest month of the ledger"), "persons", IN_WORK, A.LAST,
            risk_type=RISK),
    Feature("employed_step", Label("台账最近一月务工人数较前一月的变化", "members in work, latest month of the ledger less the one before"),
            "persons", IN_WORK, A.STEP, missing=Missing.TOO_FEW, risk_type=RISK),
    *(Feature(f"employed_mean_{w}m", Label(f"近{w}个月月均务工人数", f"mean members in work, {w} months"), "persons",
              IN_WORK, A.MEAN, w, risk_type=RISK) for w in (6, 12, 24)),
    Feature("employed_min_12m", Label("近12个月最少务工人数", "fewest members in work, 12 months"), "persons", IN_WORK,
            A.MIN, 12, risk_type=RISK),
    Feature("employed_slope_12m", Label("近12个月务工人数的走势", "trend of members in work over 12 months"),
            "persons a month", IN_WORK, A.SLOPE, 12, missing=Missing.TOO_FEW, risk_type=RISK),
    Feature("employed_change_6m", Label("近6个月月均务工人数较上年同期的变化", "mean members in work, 6 months less a year before"),
            "persons", IN_WORK, A.CHANGE, 6, missing=Missing.TOO_FEW, risk_type=RISK),
    Feature("work_days_since", Label("距最近一次务工记录的天数", "days since a member was last in work"), "days",
            MONTH_IN_WORK, A.DAYS_SINCE, missing=Missing.NEVER, risk_type=RISK),
    Feature("work_months_12m", Label("近12个月有人务工的月数", "months with a member in work, of 12"), "months",
            MONTH_IN_WORK, A.COUNT, 12, missing=Missing.ZERO, risk_type=RISK),
    Feature("ledger_wage_last", Label("台账最近一月工资", "wages of the ledger's latest month"),
            "line", WAGES, A.LAST, risk_type=RISK, account=IN_WORK),
    *(Feature(f"ledger_wage_mean_{w}m", Label(f"近{w}个月月均台账工资",
                                             f"mean monthly wages in the ledger, {w} months"),
              "line", WAGES, A.MEAN, w, risk_type=RISK) for w in (2, 6, 12)),
    Feature("ledger_wage_std_12m", Label("近12个月台账月工资的标准差", "standard deviation of monthly wages in the ledger, 12 months"),
            "line", WAGES, A.STD, 12, missing=Missing.TOO_FEW, risk_type=RISK),
    Feature("away_mean_12m", Label("近12个月务工在县外的比例", "share of work outside the county, 12 months"), "share",
            Series("employment", "away"), A.MEAN, 12, risk_type=RISK),
)  # fmt: skip
