"""Steady income: net income without the parts that do not come again, to the household's line on the as_of day.

And what would be left of it without the pay that is least sure.
"""

from __future__ import annotations

from relapse_risk.features.catalogue.incomes import UNIT
from relapse_risk.features.catalogue.jobs import PAY_INFORMAL, PAY_TEMPORARY
from relapse_risk.features.declare import Aggregation as A
from relapse_risk.features.declare import Feature, Scale, Series
from relapse_risk.records.codes import Label

RISK = "income"
STEADY = Series("incomes", "steady_yuan", by_month=True, scale=Scale.LINE_NOW)
#: All months of which income is known: one-off parts count as 0 in them.
LAST = Feature("steady_last", Label("最近一次核算的月均稳定收入(不含一次性收入,按现行监测线)",
                                    "steady income a month (without one-off parts), latest account, to the line now"),
               UNIT, STEADY, A.LAST, risk_type=RISK, monotone=-1)  # fmt: skip


def _less(name: str, word: Label, pay: Feature) -> Feature:
    return Feature(name, word, UNIT, STEADY, A.TERMS, risk_type=RISK, monotone=-1, terms=((1.0, LAST), (-1.0, pay)))


FEATURES: tuple[Feature, ...] = (
    LAST,
    *(Feature(f"steady_mean_{w}m", Label(f"近{w}个月有记录月份的月均稳定收入(按现行监测线)", f"mean steady income of the months recorded, {w} months, to the line now"),
              UNIT, STEADY, A.MEAN, w, risk_type=RISK, monotone=-1) for w in (6, 12, 24)),
    Feature("steady_ratio_12m", Label("近12个月月均稳定收入(按已核算月份,按现行监测线)", "steady income a month accounted for, 12 months, to the line now"),
            UNIT, STEADY, A.MONTHLY, 12, account=STEADY, risk_type=RISK, monotone=-1),
    _less("steady_less_informal", Label("稳定收入减未缴社保成员的工资", "steady income less pay of members in informal work"), PAY_INFORMAL),
    _less("steady_less_temporary", Label("稳定收入减临时性务工成员的工资", "steady income less pay of members in temporary work"), PAY_TEMPORARY),
)  # fmt: skip
