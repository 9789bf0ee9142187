"""Statistics put in the order in which the kernel reads them, as flat arrays.

Statistics of one table are read together (a source); of these, those of one filter (a stream); of these, those of
one value in one window (a group). Windows of one end follow each other, the longer after the shorter: each reads on
from the one before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from relapse_risk.features.declare import ACCOUNT_OF, Scale, Series
from relapse_risk.features.kernel import StatisticKind, StatisticsProgram

#: Months back from as_of: (start, end) of a window; no start is "ever".
Window: TypeAlias = tuple[int | None, int]
#: The codes that rows must have, and whether rows of zero of a complete account pass too.
Filter: TypeAlias = tuple[tuple[tuple[str, tuple[str, ...]], ...], bool]


@dataclass(frozen=True)
class Statistic:
    """One statistic of one series in one window."""

    series: Series
    window: Window
    kind: StatisticKind


@dataclass(frozen=True)
class Source:
    """Rows of a table that are read together.

    Parameters
    ----------
    table : str
        Which; ``ACCOUNT`` too.
    by_person : bool
        Whether each person's rows are read on their own, rather than the household's together.
    filters : tuple of Filter
        What streams take of them: a bit each, eight to a byte.
    channels : tuple of (str or None)
        Columns and derivations; None counts 1 for each row.
    """

    table: str
    by_person: bool
    filters: tuple[Filter, ...]
    channels: tuple[str | None, ...]

    @property
    def n_bytes(self) -> int:
        """Bytes that a row's filter bits take."""
        return math.ceil(len(self.filters) / 8)


#: More observations than a household or person has.
_ALL = 2**31 - 1
#: Statistics of the newest observations, and how many of them; the oldest is found from the other end.
_NEWEST = {
    StatisticKind.LAST: 1,
    StatisticKind.DAYS_SINCE: 1,
    StatisticKind.NEWEST_MONTH: 1,
    StatisticKind.PREVIOUS: 2,
    StatisticKind.OLDEST_MONTH: 0,
}
_RANGED = {StatisticKind.MIN, StatisticKind.MAX, StatisticKind.BELOW}
_SUMMED = {*_RANGED, StatisticKind.SUM, StatisticKind.MEAN, StatisticKind.STD, StatisticKind.SLOPE}
_TIMED = {StatisticKind.SLOPE}
#: Statistics that are 0, not missing, where there is no observation.
_COUNTED = {StatisticKind.COUNT, StatisticKind.OPEN}


class Assembly:
    """The sources and windows of a plan, numbered as its programs refer to them.

    Attributes
    ----------
    sources : list of Source
    windows : list of Window
    """

    def __init__(self) -> None:
        self.sources: list[Source] = []
        self.windows: list[Window] = []

    def add(self, statistics: Sequence[Statistic], n_across: int) -> tuple[StatisticsProgram, list[Statistic]]:
        """Add the statistics of one kind of unit, each once.

        Parameters
        ----------
        statistics : sequence of Statistic
            In any order.
        n_across : int
            Inputs taken across members that come after them.

        Returns
        -------
        StatisticsProgram, list of Statistic
            The second: the statistics in the order of the kernel's.
        """
        self.windows += dict.fromkeys(one.window for one in statistics if one.window not in self.windows)
        lists = _Lists()
        for of_source in _grouped(statistics, lambda one: (one.series.table, one.series.by_person)):
            source = _make_source(of_source)
            self._add_source(source, of_source, lists)
            self.sources.append(source)
        blank = [0.0 if one.kind in _COUNTED else math.nan for one in lists.ordered]
        return lists.program([*blank, *[math.nan] * n_across]), lists.ordered

    def _add_source(self, source: Source, statistics: Sequence[Statistic], lists: _Lists) -> None:
        first_channel = sum(len(one.channels) for one in self.sources)
        windows = {one.window for one in statistics}
        lists.source.append(len(self.sources))
        lists.reads_line.append(any(one.series.scale in (Scale.LINE, Scale.HEAD) for one in statistics))
        lists.first_byte.append(sum(one.n_bytes for one in self.sources))
        lists.n_filters.append(len(source.filters))
        lists.latest.append(self.windows.index(min(windows, key=lambda window: window[1])))
        for of_stream in _grouped(statistics, _stream_of):
            wanted = _filter_of(of_stream[0].series)
            lists.filter.append(source.filters.index(wanted) if wanted in source.filters else -1)
            lists.by_month.append(of_stream[0].series.by_month)
            for chain in _chains(of_stream):
                for position, group in enumerate(chain):
                    series = group[0].series
                    lists.channel.append(first_channel + source.channels.index(series.value))
                    lists.scale.append(int(series.scale))
                    lists.window.append(self.windows.index(group[0].window))
                    lists.longer.append(position > 0)
                    lists.most.append(max(_NEWEST.get(one.kind, _ALL) for one in group))
                    kinds = {one.kind for of in chain for one in of}
                    lists.is_summed.append(bool(kinds & _SUMMED))
                    lists.is_ranged.append(bool(kinds & _RANGED))
                    lists.is_timed.append(bool(kinds & _TIMED))
                    lists.ordered += group
                    lists.first_statistic.append(len(lists.ordered))
            lists.first_group.append(len(lists.channel))
        lists.first_stream.append(len(lists.filter))


class _Lists:
    """The arrays of a ``StatisticsProgram`` while they grow, and the statistics in its order."""

    def __init__(self) -> None:
        self.source: list[int] = []
        self.reads_line: list[bool] = []
        self.latest: list[int] = []
        self.first_byte: list[int] = []
        self.n_filters: list[int] = []
        self.first_stream = [0]
        self.filter: list[int] = []
        self.by_month: list[bool] = []
        self.first_group = [0]
        self.channel: list[int] = []
        self.scale: list[int] = []
        self.window: list[int] = []
        self.longer: list[bool] = []
        self.most: list[int] = []
        self.is_summed: list[bool] = []
        self.is_ranged: list[bool] = []
        self.is_timed: list[bool] = []
        self.first_statistic = [0]
        self.ordered: list[Statistic] = []

    def program(self, blank: Sequence[float]) -> StatisticsProgram:
        return StatisticsProgram(
            source=np.array(self.source, np.int32),
            reads_line=np.array(self.reads_line, bool),
            latest=np.array(self.latest, np.int32),
            first_byte=np.array(self.first_byte, np.int32),
            n_filters=np.array(self.n_filters, np.int32),
            first_stream=np.array(self.first_stream, np.int32),
            filter=np.array(self.filter, np.int32),
            by_month=np.array(self.by_month, bool),
            first_group=np.array(self.first_group, np.int32),
            channel=np.array(self.channel, np.int32),
            scale=np.array(self.scale, np.int32),
            window=np.array(self.window, np.int32),
            longer=np.array(self.longer, bool),
            most=np.array(self.most, np.int32),
            is_summed=np.array(self.is_summed, bool),
            is_ranged=np.array(self.is_ranged, bool),
            is_timed=np.array(self.is_timed, bool),
            first_statistic=np.array(self.first_statistic, np.int32),
            kind=np.array([int(one.kind) for one in self.ordered], np.int32),
            blank=np.array(blank, np.float64),
        )


def _grouped(statistics: Iterable[Statistic], key: Callable[[Statistic], Hashable]) -> list[list[Statistic]]:
    """Return statistics of equal keys together, in the order in which the keys come first."""
    found: dict[Hashable, list[Statistic]] = {}
    for one in statistics:
        found.setdefault(key(one), []).append(one)
    return list(found.values())


def _stream_of(one: Statistic) -> Hashable:
    return _filter_of(one.series), one.series.by_month


def _reach(window: Window) -> float:
    """Return how many months before as_of a window starts."""
    return math.inf if window[0] is None else window[0]


def _chains(statistics: Sequence[Statistic]) -> list[list[list[Statistic]]]:
    """Return the groups of a stream, together those that read on from each other."""
    chains = []
    for of_chain in _grouped(statistics, lambda one: (one.series.value, one.series.scale, one.window[1])):
        groups = _grouped(of_chain, lambda one: one.window)
        chains.append(sorted(groups, key=lambda group: _reach(group[0].window)))
    return chains


def _filter_of(series: Series) -> Filter:
    """Return what a stream takes: rows of zero too, where months of a source or part of incomes are added up."""
    adds_up = series.table == ACCOUNT_OF[0] and series.by_month and series.value is not None
    return series.where, bool(series.where) and adds_up


def _make_source(statistics: Sequence[Statistic]) -> Source:
    filters = dict.fromkeys(_filter_of(one.series) for one in statistics)
    if not any(takes_zero for _, takes_zero in filters):
        filters.pop(((), False), None)  # all rows pass
    first = statistics[0].series
    channels = dict.fromkeys(one.series.value for one in statistics)
    return Source(first.table, first.by_person, tuple(filters), tuple(channels))
