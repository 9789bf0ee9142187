"""From declarations to statistics: what the features need of which streams, and how it combines."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from relapse_risk.dates import Days, month_number
from relapse_risk.features.declare import LATEST_OF_ACCOUNTS, YEAR, Aggregation, Feature, Missing, Scale, Series
from relapse_risk.features.kernel import NEWEST, SUMMED, KernelSpec, StatisticKind

#: Months back from as_of: (start, end) of a window; no start is "ever".
Window = tuple[int | None, int]
#: A table, the codes its rows must have, and whether they are taken by month.
Filter = tuple[str, tuple[tuple[str, tuple[str, ...]], ...], bool]


@dataclass(frozen=True)
class Statistic:
    """One statistic of one series in one window."""

    series: Series
    window: Window
    kind: StatisticKind


@dataclass(frozen=True)
class Stream:
    """Rows that are read together: those of one table that pass one filter.

    Parameters
    ----------
    table, where, by_month
        As in ``Series``.
    channels : tuple of (str or None, Scale)
        The values that are read, and what they are divided by.
    statistics : tuple of Statistic
        In the order of the kernel's outputs.
    windows : tuple of Window
        All windows that occur.
    spec : KernelSpec
        The statistics, as the kernel reads them.
    """

    table: str
    where: tuple[tuple[str, tuple[str, ...]], ...]
    by_month: bool
    channels: tuple[tuple[str | None, Scale], ...]
    statistics: tuple[Statistic, ...]
    windows: tuple[Window, ...]
    spec: KernelSpec


@dataclass(frozen=True)
class Plan:
    """What is computed for a list of features.

    Parameters
    ----------
    features : tuple of Feature
        Output columns in order.
    streams : tuple of Stream
        What is read.
    needs : tuple of tuple of int
        For each feature, the places of its statistics among those of all streams, one stream after another.
    """

    features: tuple[Feature, ...]
    streams: tuple[Stream, ...]
    needs: tuple[tuple[int, ...], ...]


def _window(feature: Feature, back: int = 0) -> Window:
    skip = feature.skip + back
    return (None if feature.window is None else feature.window + skip, skip)


#: The statistics of its own series and window that each aggregation needs.
DIRECT: dict[Aggregation, tuple[StatisticKind, ...]] = {
    Aggregation.COUNT: (StatisticKind.COUNT,),
    Aggregation.SUM: (StatisticKind.SUM,),
    Aggregation.MEAN: (StatisticKind.MEAN,),
    Aggregation.MIN: (StatisticKind.MIN,),
    Aggregation.MAX: (StatisticKind.MAX,),
    Aggregation.STD: (StatisticKind.STD,),
    Aggregation.SLOPE: (StatisticKind.SLOPE,),
    Aggregation.LAST: (StatisticKind.LAST,),
    Aggregation.STEP: (StatisticKind.LAST, StatisticKind.PREVIOUS),
    Aggregation.DAYS_SINCE: (StatisticKind.DAYS_SINCE,),
    Aggregation.OPEN: (StatisticKind.OPEN,),
    Aggregation.RATIO: (StatisticKind.SUM,),
    Aggregation.MONTHLY: (StatisticKind.SUM,),
    Aggregation.BELOW: (
        StatisticKind.BELOW,
        StatisticKind.COUNT,
    ),  # the count distinguishes an empty window from one without a month below
    Aggregation.SHARE: (StatisticKind.SUM,),
    Aggregation.PER: (StatisticKind.LAST,),
    Aggregation.MARGIN: (StatisticKind.MEAN, StatisticKind.STD),
    Aggregation.CHANGE: (StatisticKind.MEAN,),
    Aggregation.LAST_CHANGE: (StatisticKind.LAST,),
    Aggregation.ELAPSED: (StatisticKind.LAST,),
}


def statistics_of(feature: Feature) -> tuple[Statistic, ...]:
    """Return the statistics a feature is made of."""
    series, window, a = feature.series, _window(feature), feature.aggregation
    if a is Aggregation.TERMS:
        return tuple(one for _, term in feature.terms for one in statistics_of(term))
    if a is Aggregation.CALENDAR:
        return ()
    return (*(Statistic(series, window, stat) for stat in DIRECT[a]), *_statistics_beside(feature))


def _statistics_beside(feature: Feature) -> tuple[Statistic, ...]:
    """Return the statistics of other series or windows that an aggregation needs."""
    series, window, a = feature.series, _window(feature), feature.aggregation
    ever = (None, feature.skip)
    statistics: list[Statistic] = []
    if a is Aggregation.SHARE and feature.of:
        statistics.append(Statistic(feature.of, window, StatisticKind.SUM))
    elif a is Aggregation.PER and feature.of:
        statistics.append(Statistic(feature.of, ever, StatisticKind.LAST))
    elif a is Aggregation.CHANGE:
        statistics.append(Statistic(series, _window(feature, YEAR), StatisticKind.MEAN))
    elif a is Aggregation.LAST_CHANGE:
        statistics.append(Statistic(series, _window(feature, YEAR), StatisticKind.LAST))
    if a is Aggregation.MONTHLY and feature.account:
        statistics += [
            Statistic(feature.account, window, StatisticKind.NEWEST_MONTH),
            Statistic(feature.account, ever, StatisticKind.OLDEST_MONTH),
        ]
    elif feature.account:
        statistics += [
            Statistic(series, window, StatisticKind.NEWEST_MONTH),
            Statistic(feature.account, ever, StatisticKind.NEWEST_MONTH),
        ]
    return tuple(statistics)


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
}


def _or_zero(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(np.isnan(values), 0.0, values)


def _positive(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(values > 0, values, np.nan)


def value_of(feature: Feature, statistics: Values, as_of: AsOfDays) -> npt.NDArray[np.float64]:
    """Return a feature's values from the statistics it is made of.

    Parameters
    ----------
    feature : Feature
        Not of the calendar.
    statistics : sequence of ndarray of float64, shape (n,)
        Those of ``statistics_of``, in its order.
    as_of : AsOfDays
        The rows' as_of days.
    """
    if feature.aggregation is Aggregation.TERMS:
        return _sum_of_terms(feature, statistics, as_of)
    values = COMBINED.get(feature.aggregation, _first)(feature, statistics, as_of)
    if feature.account and feature.aggregation in LATEST_OF_ACCOUNTS:
        newest, of_account = statistics[-2:]
        values = np.where(newest < of_account, np.nan, values)
    return _or_zero(values) if feature.missing is Missing.ZERO else values


def _sum_of_terms(feature: Feature, statistics: Values, as_of: AsOfDays) -> npt.NDArray[np.float64]:
    total, at = np.zeros(len(statistics[0])), 0
    for factor, term in feature.terms:
        n = len(statistics_of(term))
        total = total + factor * value_of(term, statistics[at : at + n], as_of)
        at += n
    return total


@lru_cache(maxsize=32)
def make_plan(features: tuple[Feature, ...]) -> Plan:
    """Return what a list of features needs, each statistic once."""
    statistics = list(dict.fromkeys(one for feature in features for one in statistics_of(feature)))
    streams: dict[tuple[object, ...], list[Statistic]] = {}
    for one in statistics:
        s = one.series
        streams.setdefault((s.table, s.where, s.by_month), []).append(one)
    made = tuple(make_stream(of) for of in streams.values())
    places = {one: k for k, one in enumerate(one for stream in made for one in stream.statistics)}
    return Plan(features, made, tuple(tuple(places[one] for one in statistics_of(feature)) for feature in features))


def _reads_on(before: tuple[int, int] | None, one: tuple[int, int] | None, windows: Sequence[Window]) -> bool:
    """Return whether a group of channel and window has the channel and the end of the group before it."""
    if before is None or one is None:
        return False
    return before[0] == one[0] and windows[before[1]][1] == windows[one[1]][1]


#: More observations than a household has.
_ALL = 2**31 - 1


def _channel(one: Statistic) -> tuple[str | None, Scale]:
    return one.series.value, one.series.scale


def make_stream(statistics: Sequence[Statistic]) -> Stream:
    """Return the stream of statistics that share a table, a filter and a way of counting."""
    # Windows of one end follow each other, the longer after the shorter: each reads on from the one before.
    windows = tuple(
        sorted({one.window for one in statistics}, key=lambda w: (w[1], math.inf if w[0] is None else w[0]))
    )
    channels = tuple(dict.fromkeys(_channel(one) for one in statistics))
    groups: dict[tuple[int, int], list[Statistic]] = {}
    for one in statistics:
        groups.setdefault((channels.index(_channel(one)), windows.index(one.window)), []).append(one)
    groups = dict(sorted(groups.items()))
    ordered = tuple(one for of in groups.values() for one in of)
    series = statistics[0].series
    sizes = [len(of) for of in groups.values()]
    return Stream(
        series.table,
        series.where,
        series.by_month,
        channels,
        ordered,
        windows,
        KernelSpec(
            channel=np.array([channel for channel, _ in groups], np.int32),
            window=np.array([window for _, window in groups], np.int32),
            first=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32),
            longer=np.array([_reads_on(before, one, windows) for before, one in pairwise([None, *groups])], bool),
            most=np.array([max(NEWEST.get(one.kind, _ALL) for one in of) for of in groups.values()], np.int32),
            summed=np.array([any(one.kind in SUMMED for one in of) for of in groups.values()], bool),
            kind=np.array([int(one.kind) for one in ordered], np.int32),
            scale=np.array([int(scale) for _, scale in channels], np.int32),
        ),
    )
