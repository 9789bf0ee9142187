"""Pictures for notebooks and reports; each function takes a table that the library made and returns a figure.

They need the extra ``notebook``: ``pip install 'relapse-risk[notebook]'``.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from relapse_risk.errors import UsageError
from relapse_risk.lazy import lazily

if TYPE_CHECKING:
    from relapse_risk.plots.completeness import plot_missingness, plot_rows_by_month
    from relapse_risk.plots.household import plot_reasons, plot_timeline
    from relapse_risk.plots.judging import plot_comparison, plot_foreseen, plot_reliability, plot_scores
    from relapse_risk.plots.outcomes import plot_attrition, plot_outcomes_by_date, plot_outcomes_by_value

_WHERE = {
    "plot_attrition": "outcomes",
    "plot_comparison": "judging",
    "plot_foreseen": "judging",
    "plot_missingness": "completeness",
    "plot_outcomes_by_date": "outcomes",
    "plot_outcomes_by_value": "outcomes",
    "plot_reasons": "household",
    "plot_reliability": "judging",
    "plot_rows_by_month": "completeness",
    "plot_scores": "judging",
    "plot_timeline": "household",
}

__all__ = [
    "plot_attrition",
    "plot_comparison",
    "plot_foreseen",
    "plot_missingness",
    "plot_outcomes_by_date",
    "plot_outcomes_by_value",
    "plot_reasons",
    "plot_reliability",
    "plot_rows_by_month",
    "plot_scores",
    "plot_timeline",
]

_get, __dir__ = lazily(__name__, _WHERE)


def __getattr__(name: str) -> Any:
    if name in _WHERE and find_spec("matplotlib") is None:
        raise UsageError("plots need matplotlib: pip install 'relapse-risk[notebook]'")
    return _get(name)
