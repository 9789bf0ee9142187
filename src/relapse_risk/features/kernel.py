"""The compiled engine: a whole row of features for each (household, as_of).

Rows lie household by household, or person by person, in order of ``occurred_on``. For each index row, the visible
rows of a table are found once, walking back from its date; every stream takes those that pass its filter, and every
window reads on from the shorter one before it. Nothing is shared between index rows, and every sum runs in one
fixed order, so a row's numbers do not depend, to the last bit, on the batch it is computed in or on the number of
threads. The loop releases Python's lock: the caller runs one for each part of a large index.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from relapse_risk.compiled import checksum_of, compiled, compiled_part, inlined_part
from relapse_risk.dates import Days
from relapse_risk.features import across, combine, line
from relapse_risk.features.across import AcrossSpec, take_across
from relapse_risk.features.combine import ValuesProgram
from relapse_risk.features.declare import Scale
from relapse_risk.features.line import Line, is_visible, line_on
from relapse_risk.records import visibility

#: Where a channel that is 1 for each row begins: it is not stored.
ONES = -(2**62)
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


class Facts(NamedTuple):
    """Rows as the kernel reads them, one source after another; see ``layout.py``.

    A source's rows lie unit by unit, oldest first; a unit is a household or a person.

    Parameters
    ----------
    unit_at : ndarray of int64, shape (n_sources,)
        Where each source's offsets begin.
    offsets : ndarray of int64
        Unit u of source s has the rows ``offsets[unit_at[s] + u]`` to before ``offsets[unit_at[s] + u + 1]``.
    occurred, known, superseded, month : ndarray of int32, shape (n_rows,)
        Days since 1970-01-01; ``month`` in months since then.
    byte_at : ndarray of int64, shape (n_bytes,)
        Filter byte b of row r is ``passing[byte_at[b] + r]``.
    passing : ndarray of uint8
        A bit each for the filters of a source: whether the row passes.
    value_at : ndarray of int64, shape (n_channels,)
        The value of row r in channel c is ``values[value_at[c] + r]``; 1 where ``value_at[c]`` is ``ONES``.
    values : ndarray of float64
        NaN where missing.
    persons : ndarray of int64, shape (n_households + 1,)
        Household h has the persons ``persons[h]`` to before ``persons[h + 1]``.
    line : Line
        The monitoring line.
    changes : ndarray of int32
        The days on which it changes somewhere, in order.
    most_rows, most_persons : int
        Of one unit in one source, and of one household.
    """

    unit_at: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]
    occurred: Days
    known: Days
    superseded: Days
    month: Days
    byte_at: npt.NDArray[np.int64]
    passing: npt.NDArray[np.uint8]
    value_at: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    persons: npt.NDArray[np.int64]
    line: Line
    changes: Days
    most_rows: int
    most_persons: int


class DateWindows(NamedTuple):
    """The as_of days of index rows, and their windows.

    Parameters
    ----------
    as_of : ndarray of int32, shape (n_dates,)
        Rows known before this day are visible.
    month : ndarray of int32, shape (n_dates,)
        Its calendar month, since 1970-01.
    step : ndarray of int32, shape (n_dates,)
        Column of ``Line.yuan`` on the day.
    starts, ends : ndarray of int32, shape (n_dates, n_windows)
        Half-open windows on ``occurred_on``.
    """

    as_of: Days
    month: Days
    step: Days
    starts: Days
    ends: Days


class StatisticsProgram(NamedTuple):
    """What is computed of one kind of unit: sources, their streams, groups of statistics, statistics, nested so.

    Parameters
    ----------
    source : ndarray of int32, shape (n_sources,)
        Which of the sources of ``Facts`` each is.
    reads_line : ndarray of bool, shape (n_sources,)
        Whether a value is divided by a line of the row's day.
    latest : ndarray of int32, shape (n_sources,)
        Of the windows read, the one that ends last.
    first_byte, n_filters : ndarray of int32, shape (n_sources,)
        Filter f of the source is bit ``f % 8`` of filter byte ``first_byte + f // 8``.
    first_stream : ndarray of int32, shape (n_sources + 1,)
        Source k has the streams ``first_stream[k]:first_stream[k + 1]``.
    filter : ndarray of int32, shape (n_streams,)
        Which of the source's filters a row must pass; -1 for all rows.
    by_month : ndarray of bool, shape (n_streams,)
        Whether an observation is a calendar month's total rather than a row.
    first_group : ndarray of int32, shape (n_streams + 1,)
        As ``first_stream``.
    channel, scale, window : ndarray of int32, shape (n_groups,)
        Statistics of one channel, divided by a ``Scale``, in one window.
    longer : ndarray of bool, shape (n_groups,)
        Whether the group's window is the one before of the same values, begun earlier: only what lies between is
        read.
    most : ndarray of int32, shape (n_groups,)
        Observations that the group's statistics need at most, the newest.
    is_summed, is_ranged, is_timed : ndarray of bool, shape (n_groups,)
        Whether a statistic of the group, or of one that reads on from it or that it reads on from, needs the sum
        of the values, their range, or their times.
    first_statistic : ndarray of int32, shape (n_groups + 1,)
        As ``first_stream``.
    kind : ndarray of int32, shape (n_statistics,)
        A ``StatisticKind`` each.
    blank : ndarray of float64, shape (n_statistics or more,)
        What the statistics of a unit without observations are; after them, room for what is taken across members.
    """

    source: Days
    reads_line: npt.NDArray[np.bool_]
    latest: Days
    first_byte: Days
    n_filters: Days
    first_stream: Days
    filter: Days
    by_month: npt.NDArray[np.bool_]
    first_group: Days
    channel: Days
    scale: Days
    window: Days
    longer: npt.NDArray[np.bool_]
    most: Days
    is_summed: npt.NDArray[np.bool_]
    is_ranged: npt.NDArray[np.bool_]
    is_timed: npt.NDArray[np.bool_]
    first_statistic: Days
    kind: Days
    blank: npt.NDArray[np.float64]


class Program(NamedTuple):
    """All that is computed for an index row.

    Parameters
    ----------
    persons : StatisticsProgram
        What is computed of each person.
    person_values : ValuesProgram
        The persons' values.
    across : AcrossSpec
        What is taken across members.
    households : StatisticsProgram
        What is computed of the household.
    values : ValuesProgram
        The features.
    reads_line_now : bool
        Whether a value is divided by the line of the as_of day.
    most_filters : int
        Of one source.
    """

    persons: StatisticsProgram
    person_values: ValuesProgram
    across: AcrossSpec
    households: StatisticsProgram
    values: ValuesProgram
    reads_line_now: bool
    most_filters: int


class Unit(NamedTuple):
    """A household or a person whose rows in one source are read, on one date.

    Parameters
    ----------
    household : int
        It, or the person's.
    first, after : int
        Its rows in the source are those from ``first`` to before ``after``.
    as_of : int
        Rows known before this day are visible.
    line_now : float
        The household's line on that day.
    reads_line, first_byte, n_filters
        Of the source: see ``StatisticsProgram``.
    """

    household: int
    first: int
    after: int
    as_of: int
    line_now: float
    reads_line: bool
    first_byte: int
    n_filters: int


class Room(NamedTuple):
    """Where the kernel puts what it reads and computes, over and over.

    Parameters
    ----------
    row : ndarray of int64
        A unit's visible rows in a source, newest first, as far as they have been found.
    day : ndarray of int32
        The day of each.
    line, head : ndarray of float64
        The household's line on that day, and one head's.
    taken : ndarray of int64, shape (most_filters, most_rows)
        Of these rows, by position, those that pass each filter.
    n_taken : ndarray of int64, shape (most_filters,)
        How many do.
    values, ticks : ndarray of float64
        The observations of a window, and the time of each in months.
    inputs, of_person : ndarray of float64
        The statistics of the household, those taken across members after them; and those of a person.
    of_members : ndarray of float64, shape (most_persons, n_person_values)
        Each person's values.
    features : ndarray of float64
        The features and their terms.
    """

    row: npt.NDArray[np.int64]
    day: Days
    line: npt.NDArray[np.float64]
    head: npt.NDArray[np.float64]
    taken: npt.NDArray[np.int64]
    n_taken: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    ticks: npt.NDArray[np.float64]
    inputs: npt.NDArray[np.float64]
    features: npt.NDArray[np.float64]
    of_person: npt.NDArray[np.float64]
    of_members: npt.NDArray[np.float64]


@inlined_part
def _is_visible_row(facts, r, as_of):  # type: ignore[no-untyped-def]
    return is_visible(facts.known[r], as_of) and not is_visible(facts.superseded[r], as_of)


@inlined_part
def _passes(facts, unit, f, r):  # type: ignore[no-untyped-def]
    """Return 1 for a row that passes a filter of its source, else 0."""
    return facts.passing[facts.byte_at[unit.first_byte + f // 8] + r] >> (f % 8) & 1


@inlined_part
def _value(facts, at, r):  # type: ignore[no-untyped-def]
    """Return the value of a row in a channel."""
    return 1.0 if at == ONES else facts.values[at + r]


@inlined_part
def _over_scale(value, scale, line, head, line_now):  # type: ignore[no-untyped-def]
    if scale == _LINE:
        return value / line
    if scale == _LINE_NOW:
        return value / line_now
    if scale == _HEAD:
        return value / head
    return value


@inlined_part
def _last_before(facts, first, after, end):  # type: ignore[no-untyped-def]
    """Return the last of the rows ``first:after`` that lies before a day; ``first - 1`` if none does."""
    low, high = first, after
    while low < high:
        middle = (low + high) // 2
        if facts.occurred[middle] < end:
            low = middle + 1
        else:
            high = middle
    return low - 1


@inlined_part
def _line_of_day(facts, unit, day):  # type: ignore[no-untyped-def]
    step = len(facts.changes)
    while step > 0 and facts.changes[step - 1] > day:
        step -= 1
    return line_on(facts.line, unit.household, day, step, unit.as_of)


@inlined_part
def _see(facts, unit, f, n_seen, next_row, start, room):  # type: ignore[no-untyped-def]
    """Find a unit's visible rows, back to the next one that passes filter f (-1 for any), but not before a day.

    Parameters
    ----------
    n_seen, next_row : int
        Rows found so far, and the one to look at next.
    start : int
        The day.

    Returns
    -------
    n_seen, next_row : int
        The same, now.
    """
    while next_row >= unit.first and facts.occurred[next_row] >= start:
        r, n = next_row, n_seen
        next_row -= 1
        if not _is_visible_row(facts, r, unit.as_of):
            continue
        day = facts.occurred[r]
        room.row[n] = r
        room.day[n] = day
        if unit.reads_line:
            if n > 0 and room.day[n - 1] == day:
                room.line[n], room.head[n] = room.line[n - 1], room.head[n - 1]
            else:
                room.line[n], room.head[n] = _line_of_day(facts, unit, day)
        for each in range(unit.n_filters):
            room.taken[each, room.n_taken[each]] = n
            room.n_taken[each] += _passes(facts, unit, each, r)
        n_seen += 1
        if f < 0 or _passes(facts, unit, f, r):
            break
    return n_seen, next_row


@inlined_part
def _oldest_month(facts, unit, f, at, scale, start, end):  # type: ignore[no-untyped-def]
    """Return the month of a unit's oldest observation in a window, NaN if there is none."""
    for r in range(unit.first, unit.after):
        day = facts.occurred[r]
        if day >= end:
            break
        if day < start or not _is_visible_row(facts, r, unit.as_of) or (f >= 0 and not _passes(facts, unit, f, r)):
            continue
        line, head = np.nan, np.nan
        if unit.reads_line:
            line, head = _line_of_day(facts, unit, day)
        if not np.isnan(_over_scale(_value(facts, at, r), scale, line, head, unit.line_now)):
            return float(facts.month[r])
    return np.nan


@compiled_part
def _deviation(values, n, mean):  # type: ignore[no-untyped-def]
    squares = 0.0
    for j in range(n):
        squares += (values[j] - mean) ** 2
    return np.sqrt(squares / (n - 1))


@compiled_part
def _slope(values, ticks, n, mean):  # type: ignore[no-untyped-def]
    mean_tick = 0.0
    for j in range(n):
        mean_tick += ticks[j]
    mean_tick /= n
    covariance = 0.0
    variance = 0.0
    for j in range(n):
        covariance += (ticks[j] - mean_tick) * (values[j] - mean)
        variance += (ticks[j] - mean_tick) ** 2
    return covariance / variance if variance > 0.0 else np.nan


@inlined_part
def _read_windows(program, s, facts, dates, d, unit, n_seen, next_row, room, inputs):  # type: ignore[no-untyped-def]
    """Write the statistics of a stream: of all its channels, in all its windows.

    Parameters
    ----------
    s : int
        Which stream.
    d : int
        Which date.
    n_seen, next_row : int
        The unit's visible rows that have been found, and the row to look at next.
    inputs : ndarray of float64, shape (n_inputs,)
        Written.

    Returns
    -------
    n_seen, next_row : int
        The same, now.
    """
    f = program.filter[s]
    n_taken = room.n_taken[f] if f >= 0 else n_seen
    by_month = program.by_month[s]
    n = 0
    n_read = 0
    n_summed = 0
    days_since = 0
    n_open = 0
    newest = 0
    month = 0
    total = 0.0
    lowest = np.inf
    highest = -np.inf
    n_below = 0
    for g in range(program.first_group[s], program.first_group[s + 1]):
        at, scale, most = facts.value_at[program.channel[g]], program.scale[g], program.most[g]
        start, end = dates.starts[d, program.window[g]], dates.ends[d, program.window[g]]
        is_timed = program.is_timed[g]
        if not program.longer[g]:
            n = 0
            n_read = 0
            n_summed = 0
            days_since = 0
            n_open = 0
        while True:
            if n_read == n_taken:
                n_seen, next_row = _see(facts, unit, f, n_seen, next_row, start, room)
                n_taken = room.n_taken[f] if f >= 0 else n_seen
                if n_read == n_taken:
                    break
            j = room.taken[f, n_read] if f >= 0 else n_read
            r, day = room.row[j], room.day[j]
            if day < start:
                break
            if n >= most and not (by_month and facts.month[r] == month):
                break  # enough is read: older observations change nothing
            n_read += 1
            if day >= end:
                continue
            value = _over_scale(_value(facts, at, r), scale, room.line[j], room.head[j], unit.line_now)
            if np.isnan(value):
                continue
            if value >= end:
                n_open += 1
            if by_month:
                month_before, month = month, facts.month[r]
                if n > 0 and month == month_before:
                    room.values[n - 1] += value
                    continue
            if n == 0:
                days_since = end - day
                newest = facts.month[r]
            room.values[n] = value
            if is_timed:
                room.ticks[n] = float(month) if by_month else day / DAYS_PER_MONTH
            n += 1
        if by_month:  # a month that two windows share may have grown
            n_summed = 0
        if n_summed == 0:
            total = 0.0
            lowest = np.inf
            highest = -np.inf
            n_below = 0
        if program.is_summed[g]:
            for j in range(n_summed, n):
                total += room.values[j]
            if program.is_ranged[g]:
                for j in range(n_summed, n):
                    value = room.values[j]
                    lowest = min(lowest, value)
                    highest = max(highest, value)
                    if value < 1.0:
                        n_below += 1
            n_summed = n
        mean = total / n
        for o in range(program.first_statistic[g], program.first_statistic[g + 1]):
            kind = program.kind[o]
            if kind == _OLDEST_MONTH:
                inputs[o] = _oldest_month(facts, unit, f, at, scale, start, end)
            elif n == 0:
                pass
            elif kind == _COUNT:
                inputs[o] = n
            elif kind == _SUM:
                inputs[o] = total
            elif kind == _MEAN:
                inputs[o] = mean
            elif kind == _LAST:
                inputs[o] = room.values[0]
            elif kind == _DAYS_SINCE:
                inputs[o] = days_since
            elif kind == _OPEN:
                inputs[o] = n_open
            elif kind == _MIN:
                inputs[o] = lowest
            elif kind == _MAX:
                inputs[o] = highest
            elif kind == _BELOW:
                inputs[o] = n_below
            elif kind == _NEWEST_MONTH:
                inputs[o] = newest
            elif n == 1:
                pass
            elif kind == _PREVIOUS:
                inputs[o] = room.values[1]
            elif kind == _STD:
                inputs[o] = _deviation(room.values, n, mean)
            elif kind == _SLOPE:
                inputs[o] = _slope(room.values, room.ticks, n, mean)
    return n_seen, next_row


@inlined_part
def _clear(program, inputs):  # type: ignore[no-untyped-def]
    """Write what the statistics of a unit without observations are."""
    for o in range(len(program.blank)):
        inputs[o] = program.blank[o]


@inlined_part
def _read_unit(program, facts, dates, d, number, household, line_now, room, inputs):  # type: ignore[no-untyped-def]
    """Write the statistics of a household, or of a person of one, on date d."""
    _clear(program, inputs)
    for k in range(len(program.source)):
        at = facts.unit_at[program.source[k]] + number
        first, after = facts.offsets[at], facts.offsets[at + 1]
        if first == after:
            continue
        unit = Unit(
            household,
            first,
            after,
            dates.as_of[d],
            line_now,
            program.reads_line[k],
            program.first_byte[k],
            program.n_filters[k],
        )
        for f in range(unit.n_filters):
            room.n_taken[f] = 0
        n_seen, next_row = 0, _last_before(facts, first, after, dates.ends[d, program.latest[k]])
        for s in range(program.first_stream[k], program.first_stream[k + 1]):
            n_seen, next_row = _read_windows(program, s, facts, dates, d, unit, n_seen, next_row, room, inputs)


@compiled_part
def _fill(household, date, program, facts, dates, room, out):  # type: ignore[no-untyped-def]
    """Compute the features of index rows; see ``fill_rows``."""
    has_persons = len(program.person_values.op) > 0
    for i in range(len(household)):
        h, d = np.int64(household[i]), date[i]
        as_of, month = dates.as_of[d], dates.month[d]
        if h < 0:
            _clear(program.households, room.inputs)
        else:
            line_now = np.nan
            if program.reads_line_now:
                line_now, _head = line_on(facts.line, h, as_of, dates.step[d], as_of)
            n_members = facts.persons[h + 1] - facts.persons[h] if has_persons else 0
            for u in range(n_members + 1):  # the persons, then the household itself
                is_person = u < n_members
                unit = facts.persons[h] + u if is_person else h
                of_unit = program.persons if is_person else program.households
                inputs = room.of_person if is_person else room.inputs
                _read_unit(of_unit, facts, dates, d, unit, h, line_now, room, inputs)
                if is_person:
                    combine.combine(program.person_values, inputs, as_of, month, room.of_members[u])
            taken = room.inputs[len(program.households.kind) :]
            take_across(program.across, room.of_members, n_members, taken)
        combine.combine(program.values, room.inputs, as_of, month, room.features)
        for k in range(len(program.values.output)):
            out[i, k] = room.features[program.values.output[k]]


def _compile_entries(sources: int) -> Any:
    """Return the compiled functions that Python calls.

    Parameters
    ----------
    sources : int
        Checksum of the other files that hold parts of them.
    """

    @compiled
    def fill_rows(household, date, program, facts, dates, out):  # type: ignore[no-untyped-def]
        _ = sources
        n = facts.most_rows
        room = Room(
            row=np.empty(n, np.int64),
            day=np.empty(n, np.int32),
            line=np.empty(n),
            head=np.empty(n),
            taken=np.empty((program.most_filters, n), np.int64),
            n_taken=np.empty(program.most_filters, np.int64),
            values=np.empty(n),
            ticks=np.empty(n),
            inputs=np.empty(len(program.households.blank)),
            features=np.empty(len(program.values.op)),
            of_person=np.empty(len(program.persons.blank)),
            of_members=np.empty((facts.most_persons, len(program.person_values.op))),
        )
        _fill(household, date, program, facts, dates, room, out)

    @compiled
    def lines_on(line, household, days, steps, as_of, out):  # type: ignore[no-untyped-def]
        _ = sources
        for i in range(len(days)):
            out[i], _head = line_on(line, household, days[i], steps[i], as_of)

    return fill_rows, lines_on


_fill_rows, _lines_on = _compile_entries(checksum_of(visibility, across, combine, line))


def fill_rows(
    household: Days, date: Days, program: Program, facts: Facts, dates: DateWindows, out: npt.NDArray[np.float32]
) -> None:
    """Compute the features of index rows.

    Parameters
    ----------
    household : ndarray of int32, shape (n,)
        Household of each index row; -1 has no records.
    date : ndarray of int32, shape (n,)
        Row of ``dates`` of each index row.
    program, facts, dates
        See their classes.
    out : ndarray of float32, shape (n, n_features)
        Written.
    """
    _fill_rows(household, date, program, facts, dates, out)


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
    lines = np.empty(len(days))
    _lines_on(line, household, days, step, as_of, lines)
    return lines
