"""The only maker of features: any (household, as_of) pairs, from what was visible on each pair's day."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from relapse_risk.dates import FAR_FUTURE, Days, add_months, month_of_year, to_days
from relapse_risk.errors import UsageError
from relapse_risk.features.across import take_across
from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.catalogue.calendar import HARVEST_MONTH
from relapse_risk.features.combine import AsOfDays, value_of
from relapse_risk.features.declare import ACCOUNT, ACCOUNT_OF, Aggregation, Feature, Scale
from relapse_risk.features.derive import derive
from relapse_risk.features.encode import Encoded, EncodedTable, Numbers
from relapse_risk.features.kernel import NO_LINE, DateWindows, Line, StreamRows, aggregate_windows
from relapse_risk.features.person_rows import Persons
from relapse_risk.features.plan import Filter, PersonPlan, Plan, Stream, Window, make_plan
from relapse_risk.records.columns import Kind
from relapse_risk.records.records import Records
from relapse_risk.records.tables import TABLES

if TYPE_CHECKING:
    import pandas as pd

#: Index rows a thread computes at a time: bounds the memory of intermediate statistics.
CHUNK = 16384
#: Windows without a start reach back to here.
_DISTANT_PAST = -FAR_FUTURE


def build_features(
    records: Records, index: pd.MultiIndex, features: Sequence[Feature] | None = None
) -> pd.DataFrame:
    """Compute features of households on dates.

    A row depends on its own household's records that were visible on its as_of date, and on nothing else: not on
    the other rows, their order, the order of the records or the number of threads.

    Parameters
    ----------
    records : Records
        Where the histories are.
    index : pandas.MultiIndex
        Levels ``household_id`` and ``as_of``, any order and number of pairs; see ``cohort``.
    features : sequence of Feature, optional
        What to compute; otherwise the catalogue's features of the tables the records have.

    Returns
    -------
    pandas.DataFrame
        A row per pair, a float32 column per feature (categorical for codes); missing values stay missing.

    Raises
    ------
    UsageError
        If the index is not of pairs (household_id, as_of).
    """
    chosen = tuple(catalogue(records.settings, records.present) if features is None else features)
    ids, household_code, dates, date_code = split_index(index)
    return frame_of(build_matrix(records, ids, household_code, dates, date_code, make_plan(chosen)), index, chosen)


def frame_of(matrix: npt.NDArray[np.float32], index: pd.MultiIndex, features: Sequence[Feature]) -> pd.DataFrame:
    """Return a matrix of ``build_matrix`` as a frame: codes are categorical; numbers are not copied."""
    import pandas as pd  # noqa: PLC0415

    frame = pd.DataFrame(matrix, index=index, columns=[feature.name for feature in features], copy=False)
    coded = {f.name: _categorical(matrix[:, k], f) for k, f in enumerate(features) if f.codes}
    return frame.assign(**coded) if coded else frame


def _categorical(values: npt.NDArray[np.float32], feature: Feature) -> Any:
    import pandas as pd  # noqa: PLC0415

    assert feature.codes is not None  # noqa: S101
    codes: Any = np.where(np.isnan(values), -1, values).astype(np.int64)
    return pd.Categorical.from_codes(codes, categories=pd.Index(feature.codes.values))


def split_index(index: pd.MultiIndex) -> tuple[pa.Array, npt.NDArray[np.int64], Days, npt.NDArray[np.int64]]:
    """Return an index's household ids and dates, each once, and the positions of every pair's.

    Raises
    ------
    UsageError
        If the index has other levels than ``household_id`` (text) and ``as_of`` (whole days: datetime64, or dates),
        or a pair lacks one of the two.
    """
    names = list(getattr(index, "names", []))
    if names != ["household_id", "as_of"]:
        raise UsageError(f"an index of pairs (household_id, as_of) is needed, not of {names}; see cohort()")
    ids, dates = index.levels
    if dates.dtype.kind == "M":
        days = dates.to_numpy().astype("datetime64[D]").astype(np.int32)
    else:
        days = np.array([to_days(day) for day in dates], np.int32)
    household_code, date_code = (np.asarray(codes, np.int64) for codes in index.codes)
    if (household_code < 0).any() or (date_code < 0).any():
        raise UsageError("the index has pairs without a household_id or as_of; drop them, or state both")
    return pa.array(ids, pa.string()), household_code, days, date_code


def build_matrix(
    records: Records,
    ids: pa.Array,
    household_code: npt.NDArray[np.int64],
    days: Days,
    date_code: npt.NDArray[np.int64],
    plan: Plan,
) -> npt.NDArray[np.float32]:
    """Compute features as a matrix; ``build_features`` and the service both call this.

    Parameters
    ----------
    records : Records
        Where the histories are.
    ids : pyarrow.Array of string
        Household ids.
    household_code, date_code : ndarray of int64, shape (n,)
        Position of each pair's household in ``ids`` and of its date in ``days``.
    days : ndarray of int32
        As_of dates, days since 1970-01-01.
    plan : Plan
        What to compute; see ``make_plan``.

    Returns
    -------
    ndarray of float32, shape (n, n_features)
        Codes as their position in the code list; NaN where missing. Sums run in float64.
    """
    encoded = encode(records)
    household = encoded.households(ids)[household_code]
    date = date_code.astype(np.int32)
    matrix = np.empty((len(household), len(plan.features)), np.float32, order="F")
    if len(household) <= CHUNK:
        _Filler(encoded, plan, days, map).fill(matrix, household, date)
        return matrix
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        filler = _Filler(encoded, plan, days, pool.map)

        def fill(low: int) -> None:
            part = slice(low, low + CHUNK)
            filler.fill(matrix[part], household[part], date[part])

        deque(pool.map(fill, range(0, len(household), CHUNK)), maxlen=0)
    return matrix


class _StreamInput(NamedTuple):
    """A stream and what it is computed from: rows, line and windows."""

    stream: Stream
    rows: StreamRows
    line: Line
    dates: DateWindows


class _Filler:
    """Computes a plan's features of index rows, part by part; parts may run on threads.

    Parameters
    ----------
    encoded : Encoded
        The records.
    plan : Plan
        What to compute.
    days : ndarray of int32
        As_of dates, days since 1970-01-01.
    each : callable
        Maps a function over what it is made of, on threads or not.
    """

    def __init__(self, encoded: Encoded, plan: Plan, days: Days, each: Callable[..., Iterable[Any]]) -> None:
        self._plan, self._days = plan, days
        person_streams = plan.persons.streams if plan.persons else ()
        inputs = _inputs(encoded, (*plan.streams, *person_streams), days, each)
        self._inputs, self._person_inputs = inputs[: len(plan.streams)], inputs[len(plan.streams) :]
        self._persons = encoded.persons if plan.persons else None

    def fill(self, out: npt.NDArray[np.float32], household: Days, date: Days) -> None:
        """Write the features of some index rows."""
        plan, as_of = self._plan, AsOfDays(self._days, date)
        columns = _aggregate(self._inputs, household, date)
        if plan.persons:
            columns.extend(self._across_members(plan.persons, household, date))
        for position, (feature, needs) in enumerate(zip(plan.features, plan.needs, strict=True)):
            if feature.aggregation is Aggregation.CALENDAR:
                out[:, position] = _calendar(feature, self._days)[date]
            else:
                out[:, position] = value_of(feature, [columns[k] for k in needs], as_of)

    def _across_members(self, plan: PersonPlan, household: Days, date: Days) -> npt.NDArray[np.float64]:
        assert self._persons is not None  # noqa: S101
        person, date_of_person, starts = self._persons.of_rows(household, date)
        columns = _aggregate(self._person_inputs, person, date_of_person)
        as_of = AsOfDays(self._days, date_of_person)
        values = np.empty((len(plan.values), len(person)))
        for k, (value, needs) in enumerate(zip(plan.values, plan.needs, strict=True)):
            values[k] = value_of(value, [columns[n] for n in needs], as_of)
        return take_across(values, starts, plan.spec)


def _aggregate(inputs: list[_StreamInput], unit: Days, date: Days) -> list[npt.NDArray[np.float64]]:
    """Return the statistics of all streams, one stream after another."""
    columns: list[npt.NDArray[np.float64]] = []
    for stream, rows, line, dates in inputs:
        columns.extend(aggregate_windows(unit, date, rows, line, dates, stream.spec, by_month=stream.by_month))
    return columns


def _inputs(
    encoded: Encoded, streams: Sequence[Stream], days: Days, each: Callable[..., Iterable[Any]]
) -> list[_StreamInput]:
    """Return what streams are computed from; ``each`` maps, on threads or not."""
    bounds = _Bounds(days, encoded.step(days))
    deque(each(encoded.table, dict.fromkeys(name for stream in streams for name in _tables(stream))), maxlen=0)
    line = encoded.line if any(_needs_line(stream) for stream in streams) else NO_LINE
    if any(stream.by_person for stream in streams):
        _ = encoded.persons  # made once, before threads ask for it
    by_filter: dict[Filter, list[Stream]] = {}
    for stream in streams:
        by_filter.setdefault(stream.filter, []).append(stream)

    def inputs(some: list[Stream]) -> list[_StreamInput]:
        kept = filter_rows(encoded, some[0])
        return [
            _StreamInput(stream, rows_of(encoded, stream, kept), line, bounds.dates(stream.windows))
            for stream in some
        ]

    found = {id(one.stream): one for some in each(inputs, by_filter.values()) for one in some}
    return [found[id(stream)] for stream in streams]  # in the order of the plan, which places statistics by it


def _needs_line(stream: Stream) -> bool:
    return any(scale is not Scale.NONE for _, scale in stream.channels)


def _tables(stream: Stream) -> tuple[str, ...]:
    return ACCOUNT_OF if stream.table == ACCOUNT else (stream.table,)


def encode(records: Records) -> Encoded:
    """Return the records as arrays, made once."""
    encoded = records.cache.get("encoded")
    if encoded is None:
        encoded = records.cache["encoded"] = Encoded(records)
    return cast(Encoded, encoded)


def _calendar(feature: Feature, days: Days) -> npt.NDArray[np.float64]:
    month = month_of_year(days)
    if feature.series.value == "months_since_harvest":
        month = (month - HARVEST_MONTH) % 12
    return month.astype(np.float64)


class _Bounds:
    """The days that windows begin and end on, each moved by months once."""

    def __init__(self, days: Days, step: Days) -> None:
        self._days, self._step = days, step
        self._moved: dict[int | None, Days] = {None: np.full(len(days), _DISTANT_PAST, np.int32)}
        self._dates: dict[tuple[Window, ...], DateWindows] = {}

    def dates(self, windows: tuple[Window, ...]) -> DateWindows:
        if windows not in self._dates:
            starts = np.stack([self._back(start) for start, _ in windows], axis=1)
            ends = np.stack([self._back(end) for _, end in windows], axis=1)
            self._dates[windows] = DateWindows(
                self._days, starts, ends, starts.min(axis=1), ends.max(axis=1), self._step
            )
        return self._dates[windows]

    def _back(self, months: int | None) -> Days:
        if months not in self._moved:
            self._moved[months] = add_months(self._days, -months) if months else self._days
        return self._moved[months]


class FilteredRows(NamedTuple):
    """Rows of a table that pass a filter, with what every stream reads of them.

    ``positions`` are the rows' positions in the table, None for all; -1 is an added row of zero, of a day whose
    account does not name the source.
    """

    positions: npt.NDArray[np.int64] | None
    household: Days
    offsets: npt.NDArray[np.int64]
    occurred: Days
    known: Days
    superseded: Days
    month: Days


def rows_of(encoded: Encoded, stream: Stream, kept: FilteredRows | None = None) -> StreamRows:
    """Return a stream's rows.

    Parameters
    ----------
    encoded : Encoded
        The records.
    stream : Stream
        Which rows.
    kept : FilteredRows, optional
        The rows that pass its filter, where they are known already.
    """
    kept = kept or filter_rows(encoded, stream)
    channels = np.empty((len(kept.occurred), len(stream.channels)))
    for k, (value, _) in enumerate(stream.channels):
        if stream.table == ACCOUNT:
            channels[:, k] = encoded.account.yuan
            continue
        values = None if value is None else derive(encoded.table(stream.table), value)
        channels[:, k] = _values(values, kept.positions)
    step = encoded.step(kept.occurred) if _needs_line(stream) else kept.month
    return StreamRows(*kept[1:], step, channels)


def _values(values: Numbers | None, positions: npt.NDArray[np.int64] | None) -> Numbers | float:
    """Return the rows' values, 1 for each row if none are given; an added row of zero does not count as a row."""
    if positions is None:
        return 1.0 if values is None else values
    if not positions.size or positions.min() >= 0:
        return 1.0 if values is None else values.take(positions)
    if values is None:
        return np.where(positions < 0, np.nan, 1.0)
    return np.where(positions < 0, 0.0, values.take(positions, mode="clip"))


def filter_rows(encoded: Encoded, stream: Stream) -> FilteredRows:
    """Return the rows that pass a stream's filter."""
    if stream.table == ACCOUNT:
        account = encoded.account
        offsets = encoded.offsets(account.household)
        return FilteredRows(
            None,
            encoded.each_household,
            offsets,
            account.occurred,
            account.known,
            account.superseded,
            account.month,
        )
    table = encoded.table(stream.table)
    if stream.by_person:
        return _filter_by_person(table, stream, encoded.persons)
    positions = _passes(table, stream.where)
    arrays = (table.household, table.occurred, table.known, table.superseded, table.month)
    if positions is None:
        household, *rest = arrays
        return FilteredRows(None, encoded.each_household, encoded.offsets(household), *rest)
    if stream.table == ACCOUNT_OF[0] and stream.by_month and encoded.complete:
        positions, *arrays_kept = _with_zero_rows(table, positions)
        household, *rest = arrays_kept
    else:
        household, *rest = (array.take(positions) for array in arrays)
    return FilteredRows(positions, encoded.each_household, encoded.offsets(household), *rest)


def _filter_by_person(table: EncodedTable, stream: Stream, persons: Persons) -> FilteredRows:
    positions, person = persons.rows(table.name)
    passing = _passes(table, stream.where)
    if passing is not None:
        is_kept = np.isin(positions, passing)
        positions, person = positions[is_kept], person[is_kept]
    offsets = np.searchsorted(person, np.arange(len(persons) + 1))
    arrays = (table.occurred, table.known, table.superseded, table.month)
    return FilteredRows(positions, persons.household, offsets, *(array.take(positions) for array in arrays))


def _with_zero_rows(table: EncodedTable, positions: npt.NDArray[np.int64]) -> tuple[npt.NDArray[Any], ...]:
    """Return the rows that pass, and a row of zero on each day whose account is known before such a row is.

    Returns
    -------
    positions, household, occurred, known, superseded, month
        -1 for the rows of zero.
    """
    day, starts, first_known = table.days
    # Rows that a later version replaces do not count: a zero beside them changes no month's sum.
    lasting = positions[table.superseded[positions] == FAR_FUTURE]
    new_day = np.flatnonzero(np.diff(day[lasting], prepend=-1))
    passing_known = np.full(len(starts), FAR_FUTURE, np.int32)
    if lasting.size:
        passing_known[day[lasting[new_day]]] = np.minimum.reduceat(table.known[lasting], new_day)
    lacking = np.flatnonzero(passing_known > first_known)
    # A row of zero comes where its day begins: sorted stably, before that day's rows that pass.
    row = np.concatenate([starts[lacking], positions])
    order = np.argsort(row, kind="stable")
    row, is_zero_row = row[order], order < len(lacking)
    known, superseded = table.known.take(row), table.superseded.take(row)
    known[is_zero_row], superseded[is_zero_row] = first_known[lacking], FAR_FUTURE
    rest = (table.household.take(row), table.occurred.take(row), known, superseded, table.month.take(row))
    return np.where(is_zero_row, -1, row), *rest


def _passes(table: EncodedTable, where: tuple[tuple[str, tuple[str, ...]], ...]) -> npt.NDArray[np.int64] | None:
    """Return the rows that pass, None for all."""
    kept: npt.NDArray[np.bool_] | None = None
    for column, codes in where:
        kind = TABLES[table.name].columns[column].kind
        if kind is Kind.CODE_SET:
            each = [table.holds_code(column, *codes)]
        elif kind is Kind.FLAG:
            each = [table.number(column) == (code == "true") for code in codes]
        elif kind is Kind.INTEGER:
            each = [table.number(column) == float(code) for code in codes]
        else:
            each = [table.code(column) == table.position(column, code) for code in codes]
        passed = each[0] if len(each) == 1 else np.logical_or.reduce(each)
        kept = passed if kept is None else kept & passed
    return None if kept is None else np.flatnonzero(kept)
