"""From declarations to sweeps: which statistics of which streams the features need, and how they combine."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from relapse_risk.features.declare import YEAR, Aggregation, Feature, Missing, Series
from relapse_risk.features.kernel import Stat, Wanted

#: Months back from as_of: (start, end) of a window; no start is "ever".
Window = tuple[int | None, int]
#: A table and the codes its rows must have.
Filter = tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]


@dataclass(frozen=True)
class Ask:
    """One statistic of one series in one window."""

    series: Series
    window: Window
    stat: Stat


@dataclass(frozen=True)
class Stream:
    """Rows that are swept together: those of one table that pass one filter.

    Parameters
    ----------
    table, where, by_month, in_line_units
        As in ``Series``.
    channels : tuple of (str or None)
        The values that are swept.
    asks : tuple of Ask
        In the order of the sweep's outputs.
    windows : tuple of Window
        All windows that occur.
    wanted : Wanted
        The asks, as the kernel reads them.
    """

    table: str
    where: tuple[tuple[str, tuple[str, ...]], ...]
    by_month: bool
    in_line_units: bool
    channels: tuple[str | None, ...]
    asks: tuple[Ask, ...]
    windows: tuple[Window, ...]
    wanted: Wanted


@dataclass(frozen=True)
class Plan:
    """What ``build`` does for a list of features.

    Parameters
    ----------
    features : tuple of Feature
        Output columns in order.
    streams : tuple of Stream
        The sweeps.
    needs : tuple of tuple of int
        For each feature, the places of its statistics among those of all streams, one stream after another.
    """

    features: tuple[Feature, ...]
    streams: tuple[Stream, ...]
    needs: tuple[tuple[int, ...], ...]


def _window(feature: Feature, back: int = 0) -> Window:
    skip = feature.skip + back
    return (None if feature.window is None else feature.window + skip, skip)


#: Aggregations that are one statistic of the kernel.
DIRECT: dict[Aggregation, Stat] = {
    Aggregation.COUNT: Stat.COUNT,
    Aggregation.SUM: Stat.SUM,
    Aggregation.MEAN: Stat.MEAN,
    Aggregation.MIN: Stat.MIN,
    Aggregation.MAX: Stat.MAX,
    Aggregation.STD: Stat.STD,
    Aggregation.SLOPE: Stat.SLOPE,
    Aggregation.LAST: Stat.LAST,
    Aggregation.DAYS_SINCE: Stat.DAYS_SINCE,
    Aggregation.OPEN: Stat.OPEN,
    Aggregation.BELOW: Stat.BELOW,
}


def asks_of(feature: Feature) -> tuple[Ask, ...]:
    """Return the statistics a feature is made of."""
    series, window, a = feature.series, _window(feature), feature.aggregation
    if a in DIRECT:
        if a is Aggregation.BELOW:  # an empty window is told from a window without a month below
            return (Ask(series, window, Stat.BELOW), Ask(series, window, Stat.COUNT))
        return (Ask(series, window, DIRECT[a]),)
    if a is Aggregation.STEP:
        return (Ask(series, window, Stat.LAST), Ask(series, window, Stat.PREVIOUS))
    if a is Aggregation.RATIO:
        return (Ask(series, window, Stat.SUM),)
    if a is Aggregation.SHARE and feature.of:
        return (Ask(series, window, Stat.SUM), Ask(feature.of, window, Stat.SUM))
    if a is Aggregation.PER and feature.of:
        return (Ask(series, window, Stat.LAST), Ask(feature.of, (None, feature.skip), Stat.LAST))
    if a is Aggregation.MARGIN:
        return (Ask(series, window, Stat.MEAN), Ask(series, window, Stat.STD))
    if a is Aggregation.CHANGE:
        return (Ask(series, window, Stat.MEAN), Ask(series, _window(feature, YEAR), Stat.MEAN))
    if a is Aggregation.LAST_CHANGE:
        return (Ask(series, window, Stat.LAST), Ask(series, _window(feature, YEAR), Stat.LAST))
    if a is Aggregation.ELAPSED:
        return (Ask(series, window, Stat.LAST),)
    return ()  # the calendar needs no records


Combine = Callable[[Feature, Sequence[npt.NDArray[np.float64]], npt.NDArray[np.float64]], npt.NDArray[np.float64]]


def _difference(_f: Feature, of: Sequence[npt.NDArray[np.float64]], _d: object) -> npt.NDArray[np.float64]:
    return of[0] - of[1]


def _share(_f: Feature, of: Sequence[npt.NDArray[np.float64]], _d: object) -> npt.NDArray[np.float64]:
    part = np.where(np.isnan(of[0]), 0.0, of[0])
    return part / np.where(of[1] > 0, of[1], np.nan)


#: Added to a standard deviation, in lines: two equal incomes do not make a household infinitely safe.
LEAST_STD = 0.1

COMBINED: dict[Aggregation, Combine] = {
    Aggregation.BELOW: lambda _f, of, _d: np.where(of[1] > 0, of[0], np.nan),
    Aggregation.STEP: _difference,
    Aggregation.RATIO: lambda f, of, _d: of[0] / float(f.window or 1),
    Aggregation.SHARE: _share,
    Aggregation.PER: lambda _f, of, _d: of[0] / np.where(of[1] > 0, of[1], np.nan),
    Aggregation.MARGIN: lambda _f, of, _d: (of[0] - 1.0) / (of[1] + LEAST_STD),
    Aggregation.CHANGE: _difference,
    Aggregation.LAST_CHANGE: _difference,
    Aggregation.ELAPSED: lambda _f, of, as_of: as_of - of[0],
}


def value_of(
    feature: Feature, statistics: Sequence[npt.NDArray[np.float64]], as_of: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return a feature's values from the statistics it is made of.

    Parameters
    ----------
    feature : Feature
        Not of the calendar.
    statistics : sequence of ndarray of float64, shape (n,)
        Those of ``asks_of``, in its order.
    as_of : ndarray of float64, shape (n,)
        Days since 1970-01-01.
    """
    combine = COMBINED.get(feature.aggregation)
    values = statistics[0] if combine is None else combine(feature, statistics, as_of)
    if feature.missing is Missing.ZERO:
        values = np.where(np.isnan(values), 0.0, values)
    return values


@lru_cache(maxsize=32)
def make_plan(features: tuple[Feature, ...]) -> Plan:
    """Return the sweeps that a list of features needs, each statistic once."""
    asks = list(dict.fromkeys(ask for feature in features for ask in asks_of(feature)))
    streams: dict[tuple[object, ...], list[Ask]] = {}
    for ask in asks:
        s = ask.series
        streams.setdefault((s.table, s.where, s.by_month, s.in_line_units), []).append(ask)
    made = tuple(make_stream(of) for of in streams.values())
    places = {ask: k for k, ask in enumerate(ask for stream in made for ask in stream.asks)}
    return Plan(features, made, tuple(tuple(places[ask] for ask in asks_of(feature)) for feature in features))


def _reads_on(before: tuple[int, int] | None, one: tuple[int, int] | None, windows: Sequence[Window]) -> bool:
    """Return whether a group of channel and window has the channel and the end of the group before it."""
    if before is None or one is None:
        return False
    return before[0] == one[0] and windows[before[1]][1] == windows[one[1]][1]


def make_stream(asks: Sequence[Ask]) -> Stream:
    """Return the stream of asks that share a table, a filter and a way of counting."""
    # Windows that end together stand one after another, the longer after the shorter: each reads on from the last.
    windows = tuple(sorted({ask.window for ask in asks}, key=lambda w: (w[1], math.inf if w[0] is None else w[0])))
    values = tuple(dict.fromkeys(ask.series.value for ask in asks))
    groups: dict[tuple[int, int], list[Ask]] = {}
    for ask in asks:
        groups.setdefault((values.index(ask.series.value), windows.index(ask.window)), []).append(ask)
    groups = dict(sorted(groups.items()))
    ordered = tuple(ask for of in groups.values() for ask in of)
    series = asks[0].series
    sizes = [len(of) for of in groups.values()]
    return Stream(
        series.table,
        series.where,
        series.by_month,
        series.in_line_units,
        values,
        ordered,
        windows,
        Wanted(
            channel=np.array([channel for channel, _ in groups], np.int32),
            window=np.array([window for _, window in groups], np.int32),
            first=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32),
            longer=np.array([_reads_on(before, one, windows) for before, one in pairwise([None, *groups])], bool),
            stat=np.array([int(ask.stat) for ask in ordered], np.int32),
        ),
    )
