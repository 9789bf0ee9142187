"""The compiled loop over one stream of records: every window of every (household, as_of) row.

A stream's rows lie household by household, or person by person, in order of ``occurred_on``. Each index row
walks back over its own rows once, drops what was not visible, and takes each window's statistics from the rest.
Nothing is shared between index rows, and every sum runs in one fixed order, so a row's numbers do not depend, to
the last bit, on the batch it is computed in or on the number of threads. The loop releases Python's lock: the
caller runs one for each part of a large index.
"""

from __future__ import annotations

import inspect
import zlib
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from relapse_risk.dates import Days
from relapse_risk.features.compiled import compiled
from relapse_risk.features.declare import Scale
from relapse_risk.records import visibility

#: Mean length of a calendar month in days: slopes are per month.
DAYS_PER_MONTH = 365.2425 / 12


class StatisticKind(IntEnum):
    """What can be computed from the observations in a window; the newest observation is the first."""

    COUNT = 0
    SUM = 1
    MEAN = 2
    MIN = 3
    MAX = 4
    STD = 5
    SLOPE = 6
    LAST = 7
    PREVIOUS = 8
    DAYS_SINCE = 9
    OPEN = 10
    BELOW = 11
    NEWEST_MONTH = 12
    OLDEST_MONTH = 13


(
    _COUNT,
    _SUM,
    _MEAN,
    _MIN,
    _MAX,
    _STD,
    _SLOPE,
    _LAST,
    _PREVIOUS,
    _DAYS_SINCE,
    _OPEN,
    _BELOW,
    _NEWEST_MONTH,
    _OLDEST_MONTH,
) = map(int, StatisticKind)
_NONE, _LINE, _LINE_NOW, _HEAD = map(int, Scale)


class StreamRows(NamedTuple):
    """Rows of a stream, unit by unit, oldest first; a unit is a household or a person.

    Parameters
    ----------
    household : ndarray of int32, shape (n_units,)
        Each unit's household.
    offsets : ndarray of int64, shape (n_units + 1,)
        Unit u's rows are ``offsets[u]:offsets[u + 1]``.
    occurred, known, superseded, month : ndarray of int32, shape (n_rows,)
        Days since 1970-01-01; ``month`` in months since then.
    step : ndarray of int32, shape (n_rows,)
        Column of ``Line.yuan`` on the row's day; anything where no channel is divided by a line of that day.
    values : ndarray of float64, shape (n_rows, n_channels)
        NaN where missing.
    """

    household: Days
    offsets: npt.NDArray[np.int64]
    occurred: Days
    known: Days
    superseded: Days
    month: Days
    step: Days
    values: npt.NDArray[np.float64]


class Line(NamedTuple):
    """The monitoring line of each household and day, as far as its profiles were visible.

    Parameters
    ----------
    offsets, occurred, known, superseded
        Profile rows, as in ``StreamRows``.
    units : ndarray of float64, shape (n_profiles,)
        Members the line counts.
    area : ndarray of int32, shape (n_profiles,)
        Row of ``yuan``.
    yuan : ndarray of float64, shape (n_areas, n_steps + 1)
        Line per counted member and month, from each day on which a line changes somewhere; NaN before any holds.
    """

    offsets: npt.NDArray[np.int64]
    occurred: Days
    known: Days
    superseded: Days
    units: npt.NDArray[np.float64]
    area: Days
    yuan: npt.NDArray[np.float64]


#: An empty line, for streams without money.
NO_LINE = Line(
    offsets=np.zeros(1, np.int64),
    occurred=np.zeros(0, np.int32),
    known=np.zeros(0, np.int32),
    superseded=np.zeros(0, np.int32),
    units=np.zeros(0),
    area=np.zeros(0, np.int32),
    yuan=np.full((1, 1), np.nan),
)


class DateWindows(NamedTuple):
    """The as_of days of index rows, and their windows.

    Parameters
    ----------
    as_of : ndarray of int32, shape (n_dates,)
        Rows known before this day are visible.
    starts, ends : ndarray of int32, shape (n_dates, n_windows)
        Half-open windows on ``occurred_on``.
    earliest, latest : ndarray of int32, shape (n_dates,)
        What the windows span together.
    step : ndarray of int32, shape (n_dates,)
        Column of ``Line.yuan`` on the day.
    """

    as_of: Days
    starts: Days
    ends: Days
    earliest: Days
    latest: Days
    step: Days


class KernelSpec(NamedTuple):
    """What to compute, grouped by channel and window.

    Parameters
    ----------
    channel, window, first : ndarray of int32, shape (n_groups,), the last of shape (n_groups + 1,)
        Group g computes the statistics ``kind[first[g]:first[g + 1]]`` of one channel in one window.
    longer : ndarray of bool, shape (n_groups,)
        Whether the group's window is the one before of the same channel, begun earlier: only what lies between is
        read.
    most : ndarray of int32, shape (n_groups,)
        Observations that the group's statistics need at most, the newest.
    summed : ndarray of bool, shape (n_groups,)
        Whether a statistic of the group needs their values together.
    kind : ndarray of int32, shape (n_outputs,)
        A ``StatisticKind`` each.
    scale : ndarray of int32, shape (n_channels,)
        A ``Scale`` each.
    """

    channel: Days
    window: Days
    first: Days
    longer: npt.NDArray[np.bool_]
    most: Days
    summed: npt.NDArray[np.bool_]
    kind: Days
    scale: Days


_is_visible = compiled(visibility.is_visible)


@compiled
def _set_line(divisors, scales, of_day, line, household, day, step, as_of):  # type: ignore[no-untyped-def]
    """Set what channels are divided by: the month's line, on a day, of a household or of one head.

    The members are those of the latest visible profile at or before the day, else of the earliest visible one. NaN
    where there is no profile, no number of members or no line yet.
    """
    low, high = line.offsets[household], line.offsets[household + 1]
    chosen = -1
    for p in range(low, high):
        if not _is_visible(line.known[p], as_of) or _is_visible(line.superseded[p], as_of):
            continue
        if line.occurred[p] > day and chosen >= 0:
            break
        chosen = p
        if line.occurred[p] > day:
            break
    for c in range(len(scales)):
        if scales[c] == _NONE or (scales[c] == _LINE_NOW) == of_day:
            continue
        divisors[c] = np.nan
        if chosen >= 0:
            head = line.yuan[line.area[chosen], step]
            divisors[c] = head if scales[c] == _HEAD else line.units[chosen] * head


def household_lines(line: Line, household: int, days: Days, step: Days, as_of: int) -> npt.NDArray[np.float64]:
    """Return a household's monitoring line on some days, as values are divided by it.

    Parameters
    ----------
    line : Line
        The line of all households.
    household : int
        Which one.
    days, step : ndarray of int32, shape (n,)
        The days, and each one's column of ``line.yuan``.
    as_of : int
        Profiles known before this day are used.

    Returns
    -------
    ndarray of float64, shape (n,)
        Yuan a month; NaN where there is no profile, no number of members or no line yet.
    """
    lines = np.empty((len(days), 1))
    for divisors, day, at in zip(lines, days, step, strict=True):
        _set_line(divisors, np.array([_LINE], np.int32), True, line, household, day, at, as_of)
    return lines[:, 0]


@compiled
def _oldest_month(rows, unit, channel, scales, divisors, line, start, end, as_of):  # type: ignore[no-untyped-def]
    """Return the month of the oldest observation in a window, NaN if there is none.

    Parameters
    ----------
    divisors : ndarray of float64, shape (n_channels,)
        Written over where channels are divided by a line of the row's day.
    """
    if unit >= 0:
        of_day = scales[channel] == _LINE or scales[channel] == _HEAD
        for r in range(rows.offsets[unit], rows.offsets[unit + 1]):
            if rows.occurred[r] >= end:
                break
            visible = _is_visible(rows.known[r], as_of) and not _is_visible(rows.superseded[r], as_of)
            if not visible or rows.occurred[r] < start or np.isnan(rows.values[r, channel]):
                continue
            if of_day:
                household = rows.household[unit]
                _set_line(divisors, scales, True, line, household, rows.occurred[r], rows.step[r], as_of)
            if not np.isnan(divisors[channel]):
                return float(rows.month[r])
    return np.nan


#: Statistics of the newest observations, and how many of them; the oldest is found from the other end.
NEWEST = {
    StatisticKind.LAST: 1,
    StatisticKind.DAYS_SINCE: 1,
    StatisticKind.NEWEST_MONTH: 1,
    StatisticKind.PREVIOUS: 2,
    StatisticKind.OLDEST_MONTH: 0,
}
#: Statistics that add values up or compare them.
SUMMED = {
    StatisticKind.SUM,
    StatisticKind.MEAN,
    StatisticKind.MIN,
    StatisticKind.MAX,
    StatisticKind.STD,
    StatisticKind.SLOPE,
    StatisticKind.BELOW,
}


def _compile_aggregation(rule: int) -> Any:
    """Return the compiled loop; numba's cache on disk distinguishes versions by the number closed over.

    Parameters
    ----------
    rule : int
        Checksum of the rule of visibility, which lies in another file than the loop: a change there must not be
        answered from the cache.
    """

    @compiled
    def _aggregate_rows(unit, date, rows, longest, by_month, line, dates, spec, out):  # type: ignore[no-untyped-def]
        _ = rule
        n_channels = rows.values.shape[1]
        seen = np.empty(longest, np.int64)
        numbers = np.empty((longest, n_channels))
        values = np.empty(longest)
        ticks = np.empty(longest)
        divisors = np.ones(n_channels)
        line_now = bool(np.any(spec.scale == _LINE_NOW))
        line_of_day = bool(np.any((spec.scale == _LINE) | (spec.scale == _HEAD)))
        for i in range(len(unit)):
            u, d = unit[i], date[i]
            as_of = dates.as_of[d]
            n_seen = 0
            of_day = 0
            is_line_set = False  # for the rows of that day
            following = -1
            if u >= 0:
                low, high = rows.offsets[u], rows.offsets[u + 1]
                while low < high:  # the first row of the unit that lies after all windows
                    middle = (low + high) // 2
                    if rows.occurred[middle] < dates.latest[d]:
                        low = middle + 1
                    else:
                        high = middle
                if line_now:
                    _set_line(divisors, spec.scale, False, line, rows.household[u], as_of, dates.step[d], as_of)
                following = low - 1
            n = 0
            n_read = 0
            n_summed = 0
            days_since = 0
            still_open = 0
            newest = 0
            month = 0
            total = 0.0
            lowest = np.inf
            highest = -np.inf
            below = 0
            for g in range(len(spec.channel)):
                c, w = spec.channel[g], spec.window[g]
                start, end = dates.starts[d, w], dates.ends[d, w]
                if not spec.longer[g]:
                    n = 0
                    n_read = 0
                    n_summed = 0
                    days_since = 0
                    still_open = 0
                while True:
                    while n_read == n_seen and u >= 0 and following >= rows.offsets[u]:  # look for one more row
                        r = following
                        occurred = rows.occurred[r]
                        if occurred < dates.earliest[d]:
                            break
                        following -= 1
                        if not _is_visible(rows.known[r], as_of) or _is_visible(rows.superseded[r], as_of):
                            continue
                        seen[n_seen] = r
                        if line_of_day and not (is_line_set and occurred == of_day):
                            _set_line(
                                divisors, spec.scale, True, line, rows.household[u], occurred, rows.step[r], as_of
                            )
                            of_day = occurred
                            is_line_set = True
                        for k in range(n_channels):
                            numbers[n_seen, k] = rows.values[r, k] / divisors[k]
                        n_seen += 1
                    if n_read == n_seen:
                        break
                    j = n_read
                    r = seen[j]
                    occurred = rows.occurred[r]
                    if occurred < start:
                        break
                    if n >= spec.most[g] and not (by_month and rows.month[r] == month):
                        break  # enough is read: older observations change nothing
                    n_read += 1
                    if occurred >= end:
                        continue
                    value = numbers[j, c]
                    if np.isnan(value):
                        continue
                    if n == 0:
                        days_since = end - occurred
                        newest = rows.month[r]
                    if value >= end:
                        still_open += 1
                    if by_month and n > 0 and rows.month[r] == month:
                        values[n - 1] += value
                        continue
                    month = rows.month[r]
                    values[n] = value
                    ticks[n] = float(month) if by_month else occurred / DAYS_PER_MONTH
                    n += 1
                if by_month and spec.summed[g]:  # a month that two windows share may have grown
                    n_summed = 0
                if n_summed == 0:
                    total = 0.0
                    lowest = np.inf
                    highest = -np.inf
                    below = 0
                if spec.summed[g]:
                    for j in range(n_summed, n):
                        value = values[j]
                        total += value
                        lowest = min(lowest, value)
                        highest = max(highest, value)
                        if value < 1.0:
                            below += 1
                    n_summed = n
                mean = total / n if n > 0 else np.nan
                # Written out here rather than in a function: a call would cost more than most statistics do.
                for o in range(spec.first[g], spec.first[g + 1]):
                    kind = spec.kind[o]
                    result = np.nan
                    if kind == _COUNT:
                        result = float(n)
                    elif kind == _OPEN:
                        result = float(still_open)
                    elif kind == _OLDEST_MONTH:
                        result = _oldest_month(rows, u, c, spec.scale, divisors, line, start, end, as_of)
                        is_line_set = False
                    elif n == 0:
                        pass
                    elif kind == _SUM:
                        result = total
                    elif kind == _MEAN:
                        result = mean
                    elif kind == _MIN:
                        result = lowest
                    elif kind == _MAX:
                        result = highest
                    elif kind == _LAST:
                        result = values[0]
                    elif kind == _DAYS_SINCE:
                        result = float(days_since)
                    elif kind == _BELOW:
                        result = float(below)
                    elif kind == _NEWEST_MONTH:
                        result = float(newest)
                    elif n == 1:
                        pass
                    elif kind == _PREVIOUS:
                        result = values[1]
                    elif kind == _STD:
                        squares = 0.0
                        for j in range(n):
                            squares += (values[j] - mean) ** 2
                        result = np.sqrt(squares / (n - 1))
                    elif kind == _SLOPE:
                        mean_tick = 0.0
                        for j in range(n):
                            mean_tick += ticks[j]
                        mean_tick /= n
                        across = 0.0
                        along = 0.0
                        for j in range(n):
                            across += (ticks[j] - mean_tick) * (values[j] - mean)
                            along += (ticks[j] - mean_tick) ** 2
                        if along > 0.0:
                            result = across / along
                    out[o, i] = result

    return _aggregate_rows


_aggregate_rows = _compile_aggregation(zlib.crc32(inspect.getsource(visibility).encode()))


@compiled
def _longest(offsets):  # type: ignore[no-untyped-def]
    longest = 1
    for u in range(len(offsets) - 1):
        longest = max(longest, offsets[u + 1] - offsets[u])
    return longest


def aggregate_windows(
    unit: npt.NDArray[np.int32],
    date: npt.NDArray[np.int32],
    rows: StreamRows,
    line: Line,
    dates: DateWindows,
    spec: KernelSpec,
    *,
    by_month: bool,
) -> npt.NDArray[np.float64]:
    """Compute a stream's statistics for every index row.

    Parameters
    ----------
    unit : ndarray of int32, shape (n,)
        Household or person of each index row; -1 has no records.
    date : ndarray of int32, shape (n,)
        Row of ``dates`` of each index row.
    rows, line, dates, spec
        See their classes.
    by_month : bool
        Whether an observation is a calendar month's total rather than a row.

    Returns
    -------
    ndarray of float64, shape (n_outputs, n)
        NaN where a statistic has too few observations: one for most, two for the previous value, the standard
        deviation and the slope.
    """
    out = np.empty((len(spec.kind), len(unit)))  # a statistic's values lie together
    _aggregate_rows(unit, date, rows, _longest(rows.offsets), by_month, line, dates, spec, out)
    return out
