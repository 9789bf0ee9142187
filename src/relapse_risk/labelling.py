"""What happened next: poor at any status in the horizon, where that is known for sure."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from relapse_risk.dates import DateLike, Days, add_months, from_days, month_number, to_days
from relapse_risk.features.build import encode, rows_of, split_index
from relapse_risk.features.declare import Series
from relapse_risk.features.kernel import NO_LINE, Dates, Stat, sweep
from relapse_risk.features.plan import Ask, make_stream
from relapse_risk.records.records import Records
from relapse_risk.settings import OutcomeSettings

if TYPE_CHECKING:
    import pandas as pd

_STATUS = Series("statuses", "poor")


def settled_on(as_of: DateLike, outcome: OutcomeSettings) -> dt.date:
    """Return the first day on which a label made for ``as_of`` is known for sure.

    That is when every status that can fall into the horizon has come in::

        as_of 2024-01-01, horizon 6 months, lag 30 days:  horizon ends 2024-07-01 -> settled 2024-07-31

    Where statuses are dated to fixed days (a panel's rounds), only those days count::

        as_of 2018-04-01, horizon 13 months to 2019-05-01, rounds at quarter ends, lag 0:
        the last round inside is 2019-03-31 -> settled 2019-04-01

    Parameters
    ----------
    as_of : date
        Day the score is made for.
    outcome : OutcomeSettings
        Horizon, lag and rounds.
    """
    return from_days(_settled(to_days(as_of), outcome))


def _settled(as_of: int, outcome: OutcomeSettings) -> int:
    """Return the same in days, where the calendar's end is no bound."""
    end = int(add_months(as_of, outcome.horizon_months))
    inside = _rounds(as_of, end, outcome.rounds)
    if inside:
        end = max(inside) + 1
    return end + outcome.reporting_lag_days


def _rounds(start: int, end: int, rounds: tuple[str, ...]) -> list[int]:
    first, last = (1970 + month_number([start, end]) // 12).tolist()
    days = [to_days(f"{year:04}-{day}") for year in range(first, min(last, dt.MAXYEAR) + 1) for day in rounds]
    return [day for day in days if start <= day < end]


def labels(records: Records, index: pd.MultiIndex) -> pd.Series[bool]:
    """Return whether each household was found poor within the horizon after its date.

    Parameters
    ----------
    records : Records
        All of them may be used: a label looks forward over ``[as_of, as_of + horizon)``.
    index : pandas.MultiIndex
        Pairs (household_id, as_of); see ``cohort``.

    Returns
    -------
    pandas.Series of boolean
        Missing where the label is immature (its horizon is not over, or its records not all in) or, in a panel,
        where the household was not observed in the horizon. Missing labels are left out of everything and
        counted (``label_counts``); they are never taken for "not poor".
    """
    import pandas as pd  # noqa: PLC0415

    mature, observed, poor = _outcomes(records, index)
    values = pd.array(poor, dtype="boolean")
    values[~(mature & observed)] = pd.NA
    series = pd.Series(values, index=index, name="poor_in_horizon")
    series.attrs["outcome"] = records.settings.outcome.model_dump()
    return series


def label_counts(records: Records, index: pd.MultiIndex) -> dict[str, int]:
    """Return how many labels are positive, negative, unobserved and immature."""
    mature, observed, poor = _outcomes(records, index)
    used = mature & observed
    return {
        "positive": int((used & poor).sum()),
        "negative": int((used & ~poor).sum()),
        "unobserved": int((mature & ~observed).sum()),
        "immature": int((~mature).sum()),
    }


def _outcomes(
    records: Records, index: pd.MultiIndex
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return where the label is mature, where a status was observed in the horizon, where one was poor."""
    outcome = records.settings.outcome
    ids, household_code, days, date_code = split_index(index)
    end = to_days(records.end)
    mature_day = np.array([_settled(int(day), outcome) <= end for day in days], bool)
    encoded = encode(records)
    stream = make_stream([Ask(_STATUS, (None, 0), Stat.COUNT), Ask(_STATUS, (None, 0), Stat.MAX)])
    n_statuses, worst = sweep(
        encoded.households(ids)[household_code],
        date_code.astype(np.int32),
        rows_of(encoded, stream),
        NO_LINE,
        _horizon(days, outcome.horizon_months, end),
        stream.wanted,
        by_month=False,
        in_line_units=False,
    )
    observed = n_statuses > 0 if outcome.kind == "panel" else np.full(len(worst), True)
    return mature_day[date_code], observed, worst > 0


def _horizon(days: Days, months: int, end: int) -> Dates:
    """Return the windows ``[as_of, as_of + horizon)``, seen with all that the records hold."""
    starts, ends = days[:, None], add_months(days, months)[:, None]
    return Dates(np.full(len(days), end, np.int32), starts, ends, starts[:, 0], ends[:, 0])
