"""Records laid out for the kernel: the rows of a plan's sources, with filters as bits and values as numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from relapse_risk.dates import FAR_FUTURE, Days
from relapse_risk.features.declare import ACCOUNT, ACCOUNT_OF
from relapse_risk.features.derive import derive
from relapse_risk.features.encode import Encoded, EncodedTable, days_of_change
from relapse_risk.features.kernel import Facts
from relapse_risk.features.line import NO_LINE
from relapse_risk.features.plan import Plan
from relapse_risk.features.program import Source
from relapse_risk.records.columns import Kind
from relapse_risk.records.records import Records
from relapse_risk.records.tables import TABLES

Numbers = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint8]
Each = Callable[..., Iterable[Any]]


def lay_out(records: Records, encoded: Encoded, plan: Plan, each: Each = map) -> Facts:
    """Return what a plan reads of records, made once for all plans that read the same.

    Parameters
    ----------
    records : Records
        Where the rows are.
    encoded : Encoded
        The same as arrays.
    plan : Plan
        Its sources.
    each : callable
        Maps a function over what it is made of, on threads or not.
    """
    laid_out = cast(dict[Any, Facts], records.cache.setdefault("laid out", {}))
    key = (plan.sources, plan.reads_line)
    if key not in laid_out:
        laid_out[key] = _lay_out(encoded, days_of_change(records.settings.line), plan, each)
    return laid_out[key]


def _lay_out(encoded: Encoded, changes: Days, plan: Plan, each: Each) -> Facts:
    tables = dict.fromkeys(name for source in plan.sources for name in _tables(source))
    deque(each(encoded.table, tables), maxlen=0)
    if plan.has_persons:
        _ = encoded.persons  # made once, before threads ask for it
    parts = list(each(lambda source: _rows_of(encoded, source), plan.sources))
    persons = encoded.persons.offsets if plan.has_persons else np.zeros(1, np.int64)
    starts = np.cumsum([0, *(len(part.days[0]) for part in parts)])
    values = [column for part in parts for column in part.values]
    passing = [bits for part in parts for bits in part.passing]
    occurred, known, superseded, month = (_joined([part.days[k] for part in parts], np.int32) for k in range(4))
    return Facts(
        unit_at=np.cumsum([0, *(len(part.offsets) for part in parts)])[:-1],
        offsets=_joined([part.offsets + start for part, start in zip(parts, starts[:-1], strict=True)], np.int64),
        occurred=occurred,
        known=known,
        superseded=superseded,
        month=month,
        byte_at=_columns_at(passing, np.repeat(starts[:-1], [len(part.passing) for part in parts])),
        passing=_joined(passing, np.uint8),
        value_at=_columns_at(values, np.repeat(starts[:-1], [len(part.values) for part in parts])),
        values=_joined(values, np.float64),
        persons=persons,
        line=encoded.line if plan.reads_line else NO_LINE,
        changes=changes,
        most_rows=max((_most(part.offsets) for part in parts), default=0),
        most_persons=_most(persons),
    )


def _tables(source: Source) -> tuple[str, ...]:
    return ACCOUNT_OF if source.table == ACCOUNT else (source.table,)


def _joined(arrays: Sequence[npt.NDArray[Any]], dtype: type) -> npt.NDArray[Any]:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype)


def _columns_at(columns: Sequence[npt.NDArray[Any]], starts: Positions) -> Positions:
    """Return where each of the columns, joined, would hold row 0; its own first row has the number ``starts``."""
    return np.cumsum([0, *(len(column) for column in columns)])[:-1] - starts


def _most(offsets: Positions) -> int:
    return int(np.diff(offsets).max(initial=0))


class _Rows(NamedTuple):
    """A source's rows, unit by unit, oldest first: see ``Facts``.

    ``days`` are ``occurred``, ``known``, ``superseded`` and ``month``.
    """

    offsets: Positions
    days: list[Days]
    passing: list[Bits]
    values: list[Numbers]


def _rows_of(encoded: Encoded, source: Source) -> _Rows:
    if source.table == ACCOUNT:
        account = encoded.account
        yuan = [account.yuan for _ in source.channels]
        days = [account.occurred, account.known, account.superseded, account.month]
        return _Rows(encoded.offsets(account.household), days, [], yuan)
    table = encoded.table(source.table)
    days = [table.occurred, table.known, table.superseded, table.month]
    passing = _filter_bits(table, source)
    values = [np.ones(len(table)) if value is None else derive(table, value) for value in source.channels]
    if source.by_person:
        order, person = encoded.persons.rows(table.name)
        offsets = np.searchsorted(person, np.arange(len(encoded.persons) + 1))
        days, passing = [a.take(order) for a in days], [bits.take(order) for bits in passing]
        return _Rows(offsets, days, passing, [column.take(order) for column in values])
    rows = _Rows(encoded.offsets(table.household), days, passing, values)
    if encoded.complete and any(takes_zero for _, takes_zero in source.filters) and len(table):
        return _with_zero_rows(table, source, rows)
    return rows


def _with_zero_rows(table: EncodedTable, source: Source, rows: _Rows) -> _Rows:
    """Add a row of zero on each day of a complete account, from when any of the day's rows is known.

    It passes the filters of the sources and parts that no lasting row of the day names from then on: it says that
    they brought nothing. It comes where its day begins, and does not count as a row.
    """
    household, occurred = table.household, table.occurred
    another = (household[1:] != household[:-1]) | (occurred[1:] != occurred[:-1])
    starts = np.concatenate([[0], np.flatnonzero(another) + 1])
    known = np.minimum.reduceat(table.known, starts)
    day = np.concatenate([[0], np.cumsum(another)])
    names = (table.superseded == FAR_FUTURE) & (table.known == known[day])
    zero_bits = []
    for number, bits in enumerate(rows.passing):
        of_zero = np.uint8(_bits_where([takes_zero for _, takes_zero in source.filters], number))
        zero_bits.append(of_zero & ~np.bitwise_or.reduceat(np.where(names, bits, np.uint8(0)), starts))
    lacking = np.flatnonzero(np.logical_or.reduce([bits > 0 for bits in zero_bits]))
    starts = starts[lacking]
    row = np.insert(np.arange(len(table)), starts, starts)
    zero = starts + np.arange(len(starts))
    days = [array.take(row) for array in rows.days]
    days[1][zero] = known[lacking]
    days[2][zero] = FAR_FUTURE
    passing = [bits.take(row) for bits in rows.passing]
    for bits, of_zero_rows in zip(passing, zero_bits, strict=True):
        bits[zero] = of_zero_rows[lacking]
    values = [column.take(row) for column in rows.values]
    for value, column in zip(source.channels, values, strict=True):
        column[zero] = np.nan if value is None else 0.0
    offsets = rows.offsets + np.searchsorted(starts, rows.offsets)
    return _Rows(offsets, days, passing, values)


def _bits_where(flags: Sequence[bool], number: int) -> int:
    """Return a byte of filters' bits, set where a flag is."""
    return sum(1 << bit for bit, flag in enumerate(flags[8 * number : 8 * number + 8]) if flag)


def _filter_bits(table: EncodedTable, source: Source) -> list[Bits]:
    """Return the filters' bits of each row: set where the row passes, eight filters to an array."""
    columns = dict.fromkeys(column for where, _ in source.filters for column, _ in where)
    passing = [np.full(len(table), 255, np.uint8) for _ in range(source.n_bytes)]
    for column in columns:
        codes = [dict(where).get(column) for where, _ in source.filters]
        for number, bits in enumerate(passing):
            of_byte = codes[8 * number : 8 * number + 8]
            if any(one is not None for one in of_byte):
                np.bitwise_and(bits, _column_bits(table, column, of_byte), out=bits)
    return passing


def _column_bits(table: EncodedTable, column: str, codes: Sequence[tuple[str, ...] | None]) -> Bits:
    """Return bits of each row: set where a column holds one of some codes, or does not matter (None)."""
    kind = TABLES[table.name].columns[column].kind
    elsewhere = _bits_where([one is None for one in codes], 0)
    asked = [(bit, one) for bit, one in enumerate(codes) if one is not None]
    if kind in (Kind.CODE, Kind.TEXT):
        listed = table.code(column)
        positions = [(bit, [table.position(column, code) for code in one]) for bit, one in asked]
        most = max(int(listed.max(initial=-1)), *(max(of_bit) for _, of_bit in positions))
        of_code = np.full(most + 2, elsewhere, np.uint8)  # the last is that of a missing code, -1
        for bit, of_bit in positions:
            of_code[of_bit] |= 1 << bit
        return of_code[listed]
    bits = np.full(len(table), elsewhere, np.uint8)
    for bit, one in asked:
        bits |= _holds(table, column, kind, one).astype(np.uint8) << np.uint8(bit)
    return bits


def _holds(table: EncodedTable, column: str, kind: Kind, codes: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    if kind is Kind.CODE_SET:
        return table.holds_code(column, *codes)
    numbers = [float(code == "true") if kind is Kind.FLAG else float(code) for code in codes]
    values = table.number(column)
    passes = np.zeros(len(table), bool)
    for number in numbers:
        passes |= values == number
    return passes
