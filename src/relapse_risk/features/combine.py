"""How the statistics of a feature's series combine into its value."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from relapse_risk.dates import Days, month_number
from relapse_risk.features.declare import LATEST_OF_ACCOUNTS, Aggregation, Feature, Missing
from relapse_risk.features.plan import inputs_of

Values = Sequence[npt.NDArray[np.float64]]
Combine = Callable[[Feature, Values, "AsOfDays"], npt.NDArray[np.float64]]


class AsOfDays:
    """The as_of days of index rows.

    Parameters
    ----------
    days : ndarray of int32
        Days since 1970-01-01, each once.
    date : ndarray of int32, shape (n,)
        Each row's position in ``days``.
    """

    def __init__(self, days: Days, date: Days) -> None:
        self._days, self._date = days, date
        self._months: dict[int, npt.NDArray[np.float64]] = {}

    @property
    def day(self) -> npt.NDArray[np.float64]:
        """Each row's day, shape (n,)."""
        return self._days[self._date].astype(np.float64)

    def month(self, back: int) -> npt.NDArray[np.float64]:
        """Return the month, since 1970-01, that lies ``back`` months before each row's, shape (n,)."""
        if back not in self._months:
            self._months[back] = (month_number(self._days) - back)[self._date].astype(np.float64)
        return self._months[back]


def _first(_f: Feature, of: Values, _d: AsOfDays) -> npt.NDArray[np.float64]:
    return of[0]


def _difference(_f: Feature, of: Values, _d: AsOfDays) -> npt.NDArray[np.float64]:
    return of[0] - of[1]


def _share(_f: Feature, of: Values, _d: AsOfDays) -> npt.NDArray[np.float64]:
    return _or_zero(of[0]) / _positive(of[1])


def _monthly(f: Feature, of: Values, as_of: AsOfDays) -> npt.NDArray[np.float64]:
    """Divide by the months from the window's start, or from the account's beginning, to the account's latest."""
    assert f.window is not None  # noqa: S101
    total, newest, oldest = of
    months = newest - np.maximum(as_of.month(f.window + f.skip), oldest) + 1.0
    return _or_zero(total) / np.minimum(months, f.window)


COMBINED: dict[Aggregation, Combine] = {
    Aggregation.BELOW: lambda _f, of, _d: of[0] / np.where(of[1] > 0, 1.0, np.nan),
    Aggregation.STEP: _difference,
    Aggregation.RATIO: lambda f, of, _d: of[0] / float(f.window or 1),
    Aggregation.MONTHLY: _monthly,
    Aggregation.SHARE: _share,
    Aggregation.PER: lambda _f, of, _d: of[0] / _positive(of[1]),
    Aggregation.MARGIN: lambda f, of, _d: (of[0] - 1.0) / (of[1] + f.cushion),
    Aggregation.CHANGE: _difference,
    Aggregation.LAST_CHANGE: _difference,
    Aggregation.ELAPSED: lambda _f, of, as_of: as_of.day - of[0],
    Aggregation.AGE: lambda _f, of, as_of: (as_of.month(0) - of[0]) / 12.0,
}


def _or_zero(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(np.isnan(values), 0.0, values)


def _positive(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(values > 0, values, np.nan)


def value_of(feature: Feature, statistics: Values, as_of: AsOfDays) -> npt.NDArray[np.float64]:
    """Return a feature's values from its inputs.

    Parameters
    ----------
    feature : Feature
        Not of the calendar.
    statistics : sequence of ndarray of float64, shape (n,)
        Those of ``inputs_of``, in its order.
    as_of : AsOfDays
        The rows' as_of days.
    """
    if feature.aggregation is Aggregation.TERMS:
        return _sum_of_terms(feature, statistics, as_of)
    # The one input of a feature across members is taken from combined values of persons: see across.py.
    values = statistics[0] if feature.across else _combined(feature, statistics, as_of)
    return _or_zero(values) if feature.missing is Missing.ZERO else values


def _combined(feature: Feature, statistics: Values, as_of: AsOfDays) -> npt.NDArray[np.float64]:
    values = COMBINED.get(feature.aggregation, _first)(feature, statistics, as_of)
    if feature.account and feature.aggregation in LATEST_OF_ACCOUNTS:
        newest, of_account = statistics[-2:]
        values = np.where(newest < of_account, np.nan, values)
    return values


def _sum_of_terms(feature: Feature, statistics: Values, as_of: AsOfDays) -> npt.NDArray[np.float64]:
    total, at = np.zeros(len(statistics[0])), 0
    for factor, term in feature.terms:
        n = len(inputs_of(term))
        total = total + factor * value_of(term, statistics[at : at + n], as_of)
        at += n
    return total
