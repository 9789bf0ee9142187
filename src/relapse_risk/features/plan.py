"""From declarations to statistics: what the features need of which streams, and how it combines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from relapse_risk.errors import UsageError
from relapse_risk.features.across import (
    AcrossSpec,
    MemberStatistic,
    make_across_spec,
    member_statistic,
    values_needed,
)
from relapse_risk.features.declare import YEAR, Aggregation, Feature, Scale, Series
from relapse_risk.features.kernel import NEWEST, SUMMED, KernelSpec, StatisticKind

#: Months back from as_of: (start, end) of a window; no start is "ever".
Window = tuple[int | None, int]
#: A table, the codes its rows must have, and whether they are taken by month, and by person.
Filter = tuple[str, tuple[tuple[str, tuple[str, ...]], ...], bool, bool]


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
    table, where, by_month, by_person
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
    by_person: bool
    channels: tuple[tuple[str | None, Scale], ...]
    statistics: tuple[Statistic, ...]
    windows: tuple[Window, ...]
    spec: KernelSpec

    @property
    def filter(self) -> Filter:
        """Which rows are read, and as what."""
        return self.table, self.where, self.by_month, self.by_person


@dataclass(frozen=True)
class PersonPlan:
    """What is computed of persons, and taken across members.

    Parameters
    ----------
    streams : tuple of Stream
        What is read, by person.
    values : tuple of Feature
        The persons' values.
    needs : tuple of tuple of int
        For each value, the places of its statistics among those of all streams, one stream after another.
    spec : AcrossSpec
        What is taken across members.
    """

    streams: tuple[Stream, ...]
    values: tuple[Feature, ...]
    needs: tuple[tuple[int, ...], ...]
    spec: AcrossSpec


@dataclass(frozen=True)
class Plan:
    """What is computed for a list of features.

    Parameters
    ----------
    features : tuple of Feature
        Output columns in order.
    streams : tuple of Stream
        What is read, by household.
    persons : PersonPlan or None
        What is computed of persons, where a feature is taken across members.
    needs : tuple of tuple of int
        For each feature, the places of its inputs among the statistics of all streams, one stream after another,
        and those taken across members after them.
    """

    features: tuple[Feature, ...]
    streams: tuple[Stream, ...]
    persons: PersonPlan | None
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
    Aggregation.AGE: (StatisticKind.LAST,),
}


Input = Statistic | MemberStatistic


def inputs_of(feature: Feature) -> tuple[Input, ...]:
    """Return what a feature is made of."""
    if feature.aggregation is Aggregation.TERMS:
        return tuple(one for _, term in feature.terms for one in inputs_of(term))
    if feature.aggregation is Aggregation.CALENDAR:
        return ()
    return (member_statistic(feature),) if feature.across else _statistics_of(feature)


def _statistics_of(feature: Feature) -> tuple[Statistic, ...]:
    """Return the statistics that a value of one series is made of."""
    series, window, a = feature.series, _window(feature), feature.aggregation
    return (*(Statistic(series, window, stat) for stat in DIRECT[a]), *_statistics_elsewhere(feature))


def _statistics_elsewhere(feature: Feature) -> tuple[Statistic, ...]:
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


@lru_cache(maxsize=32)
def make_plan(features: tuple[Feature, ...]) -> Plan:
    """Return what a list of features needs, each statistic once.

    Raises
    ------
    UsageError
        If one is a person's value.
    """
    of_persons = [feature.name for feature in features if feature.is_of_persons]
    if of_persons:
        raise UsageError(
            f"{', '.join(of_persons)}: values of persons, not of households. Say how they are taken across members."
        )
    needed = [inputs_of(feature) for feature in features]
    inputs = dict.fromkeys(one for some in needed for one in some)
    streams = _make_streams(one for one in inputs if isinstance(one, Statistic))
    across = [one for one in inputs if isinstance(one, MemberStatistic)]
    places = _places((*_in_order(streams), *across))
    needs = tuple(tuple(places[one] for one in some) for some in needed)
    return Plan(features, streams, _make_person_plan(across) if across else None, needs)


def _make_person_plan(across: Sequence[MemberStatistic]) -> PersonPlan:
    values = values_needed(across)
    needed = [_statistics_of(value) for value in values]
    streams = _make_streams(dict.fromkeys(one for some in needed for one in some))
    places = _places(_in_order(streams))
    needs = tuple(tuple(places[one] for one in some) for some in needed)
    return PersonPlan(streams, values, needs, make_across_spec(across, values))


def _make_streams(statistics: Iterable[Statistic]) -> tuple[Stream, ...]:
    streams: dict[Filter, list[Statistic]] = {}
    for one in statistics:
        s = one.series
        streams.setdefault((s.table, s.where, s.by_month, s.by_person), []).append(one)
    return tuple(make_stream(of) for of in streams.values())


def _in_order(streams: Iterable[Stream]) -> tuple[Statistic, ...]:
    return tuple(one for stream in streams for one in stream.statistics)


def _places(inputs: Iterable[Input]) -> dict[Input, int]:
    return {one: k for k, one in enumerate(inputs)}


def _reads_on(before: tuple[int, int] | None, one: tuple[int, int] | None, windows: Sequence[Window]) -> bool:
    """Return whether a group of channel and window has the channel and the end of the group before it."""
    if before is None or one is None:
        return False
    return before[0] == one[0] and windows[before[1]][1] == windows[one[1]][1]


#: More observations than a household or person has.
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
        series.by_person,
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
