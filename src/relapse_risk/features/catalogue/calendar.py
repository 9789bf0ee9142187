"""The season of the as_of date; it needs no records."""

from __future__ import annotations

from relapse_risk.features.declare import Aggregation as A
from relapse_risk.features.declare import Feature, Missing, Series
from relapse_risk.records.codes import Label

#: Navel oranges are picked from late November on, in Fengjie.
HARVEST_MONTH = 11

FEATURES: tuple[Feature, ...] = (
    Feature("month_of_year", Label("月份", "month of the year"), "month", Series("calendar", "month_of_year"),
            A.CALENDAR, missing=Missing.KNOWN, risk_type="other"),
    Feature("months_since_harvest", Label("距脐橙采收开始的月数", "months since orange picking began"), "months",
            Series("calendar", "months_since_harvest"), A.CALENDAR, missing=Missing.KNOWN,
            risk_type="industry_failure"),
)  # fmt: skip
