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

from relapse_risk.dates import FAR_FUTURE, Days, add_months, month_of_year
from relapse_risk.errors import UsageError
from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.catalogue.calendar import HARVEST_MONTH
from relapse_risk.features.declare import ACCOUNT, ACCOUNT_OF, Aggregation, Feature, Scale
from relapse_risk.features.derive import derive
from relapse_risk.features.encode import Encoded, EncodedTable, Numbers
from relapse_risk.features.kernel import NO_LINE, Dates, Line, Rows, sweep
from relapse_risk.features.plan import AsOf, Filter, Plan, Stream, Window, make_plan, value_of
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
    import pandas as pd  # noqa: PLC0415

    chosen = tuple(catalogue(records.settings, records.present) if features is None else features)
    ids, household_code, dates, date_code = split_index(index)
    matrix = build_matrix(records, ids, household_code, dates, date_code, make_plan(chosen))
    frame = pd.DataFrame(matrix, index=index, columns=[feature.name for feature in chosen], copy=False)
    coded = {f.name: _categorical(matrix[:, k], f) for k, f in enumerate(chosen) if f.codes}
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
        If the index has other levels than ``household_id`` (text) and ``as_of`` (dates).
    """
    names = list(getattr(index, "names", []))
    if names != ["household_id", "as_of"]:
        raise UsageError(f"an index of pairs (household_id, as_of) is needed, not of {names}; see cohort()")
    ids, dates = index.levels
    if len(dates) and dates.dtype.kind != "M":
        raise UsageError(f"as_of must hold dates (datetime64), not {dates.dtype}")
    days = dates.to_numpy().astype("datetime64[D]").astype(np.int32)
    household_code, date_code = (np.asarray(codes, np.int64) for codes in index.codes)
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
        _fill(matrix, plan, _inputs(encoded, plan, days, map), household, date, days)
        return matrix
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        inputs = _inputs(encoded, plan, days, pool.map)

        def fill(low: int) -> None:
            part = slice(low, low + CHUNK)
            _fill(matrix[part], plan, inputs, household[part], date[part], days)

        deque(pool.map(fill, range(0, len(household), CHUNK)), maxlen=0)
    return matrix


class _Input(NamedTuple):
    """A stream with the rows, the line and the windows it is swept with."""

    stream: Stream
    rows: Rows
    line: Line
    dates: Dates


def _inputs(encoded: Encoded, plan: Plan, days: Days, each: Callable[..., Iterable[Any]]) -> list[_Input]:
    """Return what the plan's streams read; ``each`` maps, on threads or not."""
    bounds = _Bounds(days, encoded.step(days))
    deque(each(encoded.table, dict.fromkeys(name for stream in plan.streams for name in _tables(stream))), maxlen=0)
    line = encoded.line if any(_needs_line(stream) for stream in plan.streams) else NO_LINE
    alike: dict[Filter, list[Stream]] = {}
    for stream in plan.streams:
        alike.setdefault((stream.table, stream.where, stream.by_month), []).append(stream)

    def inputs(streams: list[Stream]) -> list[_Input]:
        keep = keep_rows(encoded, streams[0])
        return [
            _Input(stream, rows_of(encoded, stream, keep), line, bounds.dates(stream.windows)) for stream in streams
        ]

    found = {id(one.stream): one for some in each(inputs, alike.values()) for one in some}
    return [found[id(stream)] for stream in plan.streams]  # statistics are told apart by their place


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


def _fill(
    out: npt.NDArray[np.float32],
    plan: Plan,
    inputs: list[_Input],
    household: npt.NDArray[np.int32],
    date: npt.NDArray[np.int32],
    days: Days,
) -> None:
    columns: list[npt.NDArray[np.float64]] = []
    for stream, rows, line, dates in inputs:
        numbers = sweep(
            household,
            date,
            rows,
            line,
            dates,
            stream.wanted,
            by_month=stream.by_month,
        )
        columns.extend(numbers)
    as_of = AsOf(days, date)
    for position, (feature, needs) in enumerate(zip(plan.features, plan.needs, strict=True)):
        if feature.aggregation is Aggregation.CALENDAR:
            out[:, position] = _calendar(feature, days)[date]
        else:
            out[:, position] = value_of(feature, [columns[k] for k in needs], as_of)


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
        self._dates: dict[tuple[Window, ...], Dates] = {}

    def dates(self, windows: tuple[Window, ...]) -> Dates:
        if windows not in self._dates:
            starts = np.stack([self._back(start) for start, _ in windows], axis=1)
            ends = np.stack([self._back(end) for _, end in windows], axis=1)
            self._dates[windows] = Dates(self._days, starts, ends, starts.min(axis=1), ends.max(axis=1), self._step)
        return self._dates[windows]

    def _back(self, months: int | None) -> Days:
        if months not in self._moved:
            self._moved[months] = add_months(self._days, -months) if months else self._days
        return self._moved[months]


class Kept(NamedTuple):
    """Rows of a table that pass a filter, and what every stream reads of them.

    ``positions`` are the rows' own, None for all; -1 is a nought: a day's account that does not name what is asked.
    """

    positions: npt.NDArray[np.int64] | None
    offsets: npt.NDArray[np.int64]
    occurred: Days
    known: Days
    superseded: Days
    month: Days


def rows_of(encoded: Encoded, stream: Stream, keep: Kept | None = None) -> Rows:
    """Return a stream's rows.

    Parameters
    ----------
    encoded : Encoded
        The records.
    stream : Stream
        Which rows.
    keep : Kept, optional
        The rows that pass its filter, where they are known already.
    """
    keep = keep or keep_rows(encoded, stream)
    channels = np.empty((len(keep.occurred), len(stream.channels)))
    for k, (value, _) in enumerate(stream.channels):
        if stream.table == ACCOUNT:
            channels[:, k] = encoded.account.yuan
            continue
        values = None if value is None else derive(encoded.table(stream.table), value)
        channels[:, k] = _values(values, keep.positions)
    step = encoded.step(keep.occurred) if _needs_line(stream) else keep.month
    return Rows(keep.offsets, keep.occurred, keep.known, keep.superseded, keep.month, step, channels)


def _values(values: Numbers | None, positions: npt.NDArray[np.int64] | None) -> Numbers | float:
    """Return the rows' values, 1 of each row where there are none; a nought is 0, and no row."""
    if positions is None:
        return 1.0 if values is None else values
    if not positions.size or positions.min() >= 0:
        return 1.0 if values is None else values.take(positions)
    if values is None:
        return np.where(positions < 0, np.nan, 1.0)
    return np.where(positions < 0, 0.0, values.take(positions, mode="clip"))


def keep_rows(encoded: Encoded, stream: Stream) -> Kept:
    """Return the rows that pass a stream's filter."""
    if stream.table == ACCOUNT:
        account = encoded.account
        offsets = encoded.offsets(account.household)
        return Kept(None, offsets, account.occurred, account.known, account.superseded, account.month)
    table = encoded.table(stream.table)
    positions = _passes(table, stream.where)
    arrays = (table.household, table.occurred, table.known, table.superseded, table.month)
    if positions is None:
        household, *rest = arrays
        return Kept(None, encoded.offsets(household), *rest)
    if stream.table == ACCOUNT_OF[0] and stream.by_month and encoded.complete:
        positions, *arrays_kept = _with_noughts(table, positions)
        household, *rest = arrays_kept
    else:
        household, *rest = (array.take(positions) for array in arrays)
    return Kept(positions, encoded.offsets(household), *rest)


def _with_noughts(table: EncodedTable, positions: npt.NDArray[np.int64]) -> tuple[npt.NDArray[Any], ...]:
    """Return rows that pass, and a nought on each day whose account is known before one of them is, to stay.

    Returns
    -------
    positions, household, occurred, known, superseded, month
        -1 for the noughts.
    """
    day, starts, first_known = table.days
    # Rows that a later version replaces do not count: a nought beside them changes no month's sum.
    lasting = positions[table.superseded[positions] == FAR_FUTURE]
    new_day = np.flatnonzero(np.diff(day[lasting], prepend=-1))
    told = np.full(len(starts), FAR_FUTURE, np.int32)
    if lasting.size:
        told[day[lasting[new_day]]] = np.minimum.reduceat(table.known[lasting], new_day)
    lacking = np.flatnonzero(told > first_known)
    # A nought stands where its day begins; sorted stably, it comes before rows of that day that pass.
    row = np.concatenate([starts[lacking], positions])
    order = np.argsort(row, kind="stable")
    row, is_nought = row[order], order < len(lacking)
    known, superseded = table.known.take(row), table.superseded.take(row)
    known[is_nought], superseded[is_nought] = first_known[lacking], FAR_FUTURE
    rest = (table.household.take(row), table.occurred.take(row), known, superseded, table.month.take(row))
    return np.where(is_nought, -1, row), *rest


def _passes(table: EncodedTable, where: tuple[tuple[str, tuple[str, ...]], ...]) -> npt.NDArray[np.int64] | None:
    """Return the rows that pass, None for all."""
    keep: npt.NDArray[np.bool_] | None = None
    for column, codes in where:
        kind = TABLES[table.name].columns[column].kind
        if kind is Kind.CODE_SET:
            each = [table.holds_code(column, code) for code in codes]
        elif kind is Kind.FLAG:
            each = [table.number(column) == (code == "true") for code in codes]
        elif kind is Kind.INTEGER:
            each = [table.number(column) == float(code) for code in codes]
        else:
            each = [table.code(column) == table.position(column, code) for code in codes]
        passed = each[0] if len(each) == 1 else np.logical_or.reduce(each)
        keep = passed if keep is None else keep & passed
    return None if keep is None else np.flatnonzero(keep)
