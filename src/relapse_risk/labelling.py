"""Labels: whether a household was poor at any status within the horizon.

A household that was identified before as_of, by a record known on or after as_of, is in the cohort, because that
was not visible yet. It was poor already, so it is neither a positive nor a negative and has no label. Example: not
poor on 2024-01-10, poor on 2024-02-10, and the latter known on 2024-03-05::

    as_of 2024-02-01: not poor, and poor nine days later: the label is "poor"
    as_of 2024-03-01: in the cohort, but poor already: no label
    as_of 2024-03-06: visibly poor: not in the cohort
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from relapse_risk.dates import FAR_FUTURE, DateLike, Days, add_months, from_days, month_number, to_days
from relapse_risk.features.build import build_in_windows
from relapse_risk.features.declare import Aggregation, Feature, Series
from relapse_risk.features.kernel import DateWindows
from relapse_risk.features.plan import make_plan
from relapse_risk.pairs import Pairs, values_of_pairs
from relapse_risk.records.blocks import RecordBlocks
from relapse_risk.records.codes import Label
from relapse_risk.records.records import Records
from relapse_risk.settings import OutcomeSettings

if TYPE_CHECKING:
    import pandas as pd

Flags: TypeAlias = npt.NDArray[np.bool_]

#: Reasons why a label is missing.
LEFT_OUT = {
    "immature": "the horizon is not over, or its records may not all have come in",
    "already_poor": "poor at the latest status before the date, which became known on the date or later",
    "unobserved": "a panel's household that was not observed in the horizon",
}
_STATUS = Series("statuses", "poor")


def matures_on(as_of: DateLike, outcome: OutcomeSettings) -> dt.date:
    """Return the first day on which a label of ``as_of`` is mature: every status of its horizon has come in.

    The end of the horizon plus the reporting lag::

        as_of 2024-01-01, horizon 6 months, lag 30 days:  horizon ends 2024-07-01 -> mature 2024-07-31

    Where statuses have fixed days of the year (a panel's rounds), the last one inside the horizon counts::

        as_of 2018-04-01, horizon 13 months to 2019-05-01, rounds at quarter ends, lag 0:
        the last round inside is 2019-03-31 -> mature 2019-04-01

    Parameters
    ----------
    as_of : date
        Day the score is made for.
    outcome : OutcomeSettings
        Horizon, lag and rounds.
    """
    return from_days(_maturity_day(to_days(as_of), outcome))


def _maturity_day(as_of: int, outcome: OutcomeSettings) -> int:
    """Return ``matures_on`` in days since 1970-01-01, which may lie past the last date of the calendar."""
    end = int(add_months(as_of, outcome.horizon_months))
    inside = _rounds(as_of, end, outcome.rounds)
    if inside:
        end = max(inside) + 1
    return end + outcome.reporting_lag_days


def _rounds(start: int, end: int, rounds: tuple[str, ...]) -> list[int]:
    first, last = (1970 + month_number([start, end]) // 12).tolist()
    days = [to_days(f"{year:04}-{day}") for year in range(first, min(last, dt.MAXYEAR) + 1) for day in rounds]
    return [day for day in days if start <= day < end]


def labels(records: Records | RecordBlocks, index: pd.MultiIndex) -> pd.Series[bool]:
    """Return whether each household was found poor within the horizon after its date.

    Parameters
    ----------
    records : Records or RecordBlocks
        Also those after as_of: a label looks forward over ``[as_of, as_of + horizon)``.
    index : pandas.MultiIndex
        Pairs (household_id, as_of); see ``cohort``.

    Returns
    -------
    pandas.Series of boolean
        Missing for the reasons of ``LEFT_OUT``. Rows without a label are left out of training and judging, and
        counted (``label_counts``); a missing label never counts as "not poor".
    """
    import pandas as pd  # noqa: PLC0415

    poor, missing = _outcomes(records, index)
    values = pd.array(poor, dtype="boolean")
    values[_any(missing)] = pd.NA
    return pd.Series(values, index=index, name="poor_in_horizon")


def label_counts(records: Records | RecordBlocks, index: pd.MultiIndex) -> dict[str, int]:
    """Return how many labels are ``positive`` and ``negative``, and are missing for each reason of ``LEFT_OUT``."""
    poor, missing = _outcomes(records, index)
    known = ~_any(missing)
    found = {"positive": known & poor, "negative": known & ~poor, **missing}
    return {name: int(rows.sum()) for name, rows in found.items()}


def _any(missing: dict[str, Flags]) -> Flags:
    rows: Flags = np.any(list(missing.values()), axis=0)
    return rows


def _outcomes(records: Records | RecordBlocks, index: pd.MultiIndex) -> tuple[Flags, dict[str, Flags]]:
    """Return which rows have a poor status in the horizon, and which have no label, by reason."""
    poor, *missing = values_of_pairs(records, index, _outcomes_of_pairs)
    return poor, dict(zip(LEFT_OUT, missing, strict=True))


def _outcomes_of_pairs(records: Records, pairs: Pairs) -> tuple[Flags, ...]:
    """Return which pairs have a poor status in the horizon, and which have no label for each reason."""
    outcome, days = records.settings.outcome, pairs.days
    end = to_days(records.end)

    def statuses(
        aggregations: tuple[Aggregation, ...], as_of: Days, starts: Days, ends: Days
    ) -> npt.NDArray[np.float32]:
        plan = make_plan(tuple(Feature("", Label("", ""), "", _STATUS, one) for one in aggregations))
        no_line = np.zeros(len(days), np.int32)
        windows = DateWindows(as_of, month_number(as_of), no_line, starts[:, None], ends[:, None])
        return build_in_windows(records, pairs.ids, pairs.household, windows, pairs.date, plan).T

    now = np.full(len(days), end, np.int32)
    n_statuses, worst = statuses(
        (Aggregation.COUNT, Aggregation.MAX), now, days, add_months(days, outcome.horizon_months)
    )
    within = records.settings.cohort.status_within_months
    since = np.full(len(days), -FAR_FUTURE, np.int32) if within is None else add_months(days, -within)
    (known_then,) = statuses((Aggregation.LAST,), days, since, days)
    (known_now,) = statuses((Aggregation.LAST,), now, since, days)

    mature = np.array([_maturity_day(int(day), outcome) <= end for day in days], bool)[pairs.date]
    already_poor = (known_now > 0) & ~(known_then > 0)
    unobserved = n_statuses == 0 if outcome.kind == "panel" else np.full(len(worst), False)
    return worst > 0, ~mature, mature & already_poor, mature & ~already_poor & unobserved
