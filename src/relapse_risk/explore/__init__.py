"""What to look at in records before anything is learned from them."""

from relapse_risk.explore.contents import columns_of, delays, missingness, rows_by_month
from relapse_risk.explore.rates import outcomes_by_date, outcomes_by_value
from relapse_risk.explore.timeline import timeline

__all__ = [
    "columns_of",
    "delays",
    "missingness",
    "outcomes_by_date",
    "outcomes_by_value",
    "rows_by_month",
    "timeline",
]
