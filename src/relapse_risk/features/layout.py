"""Records laid out for the kernel: the rows of a plan's sources, with filters as bits and values as numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, chain
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from relapse_risk.compiled import compiled, read_only
from relapse_risk.dates import FAR_FUTURE, Days
from relapse_risk.features.declare import ACCOUNT, ACCOUNT_OF
from relapse_risk.features.derive import derive
from relapse_risk.features.encode import Encoded, EncodedTable, days_of_change, position
from relapse_risk.features.kernel import Facts
from relapse_risk.features.line import NO_LINE
from relapse_risk.features.plan import Plan
from relapse_risk.features.program import Filter, Source
from relapse_risk.records.columns import Kind
from relapse_risk.records.records import Records
from relapse_risk.records.tables import TABLES

Numbers = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint8]
Each = Callable[..., Iterable[Any]]
#: The codes that each filter of a byte takes, None where it takes any.
_Codes: TypeAlias = tuple[tuple[str, ...] | None, ...]


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
    n_values = [sum(value is not None for value in source.channels) for source in plan.sources]
    starts = _starts([part.n_rows for part in parts])
    byte_starts = _starts([part.n_rows * source.n_bytes for part, source in zip(parts, plan.sources, strict=True)])
    value_starts = _starts([part.n_rows * n for part, n in zip(parts, n_values, strict=True)])
    occurred, known, superseded, month = (np.empty(starts[-1], np.int32) for _ in range(4))
    # A count's channel is 1 for each row: all of them read the same ones, after the last value.
    n_ones = max((p.n_rows for p, s in zip(parts, plan.sources, strict=True) if None in s.channels), default=0)
    passing, values = np.empty(byte_starts[-1], np.uint8), np.empty(value_starts[-1] + n_ones)
    values[value_starts[-1] :] = 1.0

    def write(k: int) -> None:
        rows, n_rows = slice(starts[k], starts[k + 1]), parts[k].n_rows
        room = SourceRoom(
            occurred[rows],
            known[rows],
            superseded[rows],
            month[rows],
            passing[byte_starts[k] : byte_starts[k + 1]].reshape(-1, n_rows),
            values[value_starts[k] : value_starts[k + 1]].reshape(-1, n_rows),
        )
        parts[k].write(room)

    deque(each(write, [k for k, part in enumerate(parts) if part.n_rows]), maxlen=0)
    byte_at: list[int] = []
    value_at: list[int] = []
    for k, (part, source) in enumerate(zip(parts, plan.sources, strict=True)):
        byte_at += [byte_starts[k] + b * part.n_rows - starts[k] for b in range(source.n_bytes)]
        at = value_starts[k] - starts[k]
        for value in source.channels:
            value_at.append(value_starts[-1] - starts[k] if value is None else at)
            at += 0 if value is None else part.n_rows
    offsets = [part.offsets + start for part, start in zip(parts, starts[:-1], strict=True)]
    joined = np.concatenate(offsets) if offsets else np.zeros(0, np.int64)
    return Facts(
        unit_at=np.array(_starts([len(of_part) for of_part in offsets])[:-1], np.int64),
        offsets=joined,
        occurred=occurred,
        known=known,
        superseded=superseded,
        month=month,
        byte_at=np.array(byte_at, np.int64),
        passing=passing,
        value_at=np.array(value_at, np.int64),
        values=values,
        persons=persons,
        line=encoded.line if plan.reads_line else NO_LINE,
        changes=changes,
        most_rows=_most(joined),
        most_persons=_most(persons),
    )


def _tables(source: Source) -> tuple[str, ...]:
    return ACCOUNT_OF if source.table == ACCOUNT else (source.table,)


def _starts(lengths: Sequence[int]) -> list[int]:
    """Return where arrays of some lengths begin, laid one after another, and where the last ends."""
    return list(accumulate(lengths, initial=0))


def _most(offsets: Positions) -> int:
    return int((offsets[1:] - offsets[:-1]).max(initial=0))


class SourceRoom(NamedTuple):
    """Where the rows of a source are written: see ``Facts``.

    Parameters
    ----------
    occurred, known, superseded, month : ndarray of int32, shape (n_rows,)
    passing : ndarray of uint8, shape (n_bytes, n_rows)
    values : ndarray of float64, shape (n_stored_channels, n_rows)
    """

    occurred: Days
    known: Days
    superseded: Days
    month: Days
    passing: Bits
    values: Numbers


class _Rows:
    """The rows of a source as they lie in their table.

    Parameters
    ----------
    encoded : Encoded
        All tables.
    source : Source
        What is read of them.
    offsets : ndarray of int64, optional
        See below; the households' otherwise.

    Attributes
    ----------
    n_rows : int
        Rows, as the kernel reads them.
    offsets : ndarray of int64, shape (n_units + 1,)
        Unit u has the rows ``offsets[u]:offsets[u + 1]``.
    """

    def __init__(self, encoded: Encoded, source: Source, offsets: Positions | None = None) -> None:
        self.table = encoded.table(source.table)
        self.source = source
        self.n_rows = len(self.table)
        self.offsets: Positions = encoded.offsets(self.table.household) if offsets is None else offsets

    def write(self, room: SourceRoom) -> None:
        """Write the rows."""
        table = self.table
        room.occurred[:] = table.occurred
        room.known[:] = table.known
        room.superseded[:] = table.superseded
        room.month[:] = table.month
        _write_filter_bits(table, self.source, room.passing)
        for out, column in zip(room.values, self.columns(), strict=True):
            out[:] = column

    def columns(self) -> Iterator[Numbers]:
        """Yield the channels that are stored."""
        return (derive(self.table, value) for value in self.source.channels if value is not None)


class _RowsByPerson(_Rows):
    """The rows of a source person by person."""

    def __init__(self, encoded: Encoded, source: Source) -> None:
        self._order, person = encoded.persons.rows(source.table)
        offsets = person.searchsorted(np.arange(len(encoded.persons) + 1))
        super().__init__(encoded, source, offsets)

    def write(self, room: SourceRoom) -> None:
        """Write the rows."""
        table = self.table
        bits = np.empty((len(room.passing), self.n_rows), np.uint8)
        _write_filter_bits(table, self.source, bits)
        columns = chain[Any]((table.occurred, table.known, table.superseded, table.month), bits, self.columns())
        for out, column in zip(chain[Any](room[:4], room.passing, room.values), columns, strict=True):
            column.take(self._order, out=out, mode="clip")  # other modes fill a copy of ``out`` first


class _RowsWithZero(_Rows):
    """The rows of a source, and one of zero on each day of a complete account, from when any of the day's is known.

    It passes the filters of the sources and parts that no lasting row of the day names from then on: it says that
    they brought nothing. It comes where its day begins, and does not count as a row.
    """

    def __init__(self, encoded: Encoded, source: Source) -> None:
        super().__init__(encoded, source)
        table, n_rows = self.table, self.n_rows
        self._bits = np.empty((source.n_bytes, n_rows), np.uint8)
        _write_filter_bits(table, source, self._bits)
        takes_zero = [takes for _, takes in source.filters]
        of_zero = np.array(
            [_bits_where(takes_zero[8 * number : 8 * number + 8]) for number in range(source.n_bytes)], np.uint8
        )
        starts, known = np.empty(n_rows, np.int32), np.empty(n_rows, np.int32)
        bits = np.empty((source.n_bytes, n_rows), np.uint8)
        days = (table.household, table.occurred, table.known, table.superseded)
        n = _find_zero_rows(days, self._bits, of_zero, starts, known, bits)
        self._starts, self._known, self._zero_bits = starts[:n], known[:n], bits[:, :n]
        self.n_rows += n
        self.offsets = self.offsets + np.searchsorted(self._starts, self.offsets)

    def write(self, room: SourceRoom) -> None:
        """Write the rows."""
        table, starts = self.table, self._starts
        _insert(table.occurred, starts, table.occurred[starts], room.occurred)
        _insert(table.known, starts, self._known, room.known)
        _insert(table.superseded, starts, np.full(len(starts), FAR_FUTURE, np.int32), room.superseded)
        _insert(table.month, starts, table.month[starts], room.month)
        for out, bits, of_zero_rows in zip(room.passing, self._bits, self._zero_bits, strict=True):
            _insert(bits, starts, of_zero_rows, out)
        zeros = np.zeros(len(starts))
        for out, column in zip(room.values, self.columns(), strict=True):
            _insert(read_only(column), starts, zeros, out)


class _RowsOfAccount:
    """The rows of the household's account: see ``Account``."""

    def __init__(self, encoded: Encoded) -> None:
        self._account = encoded.account
        self.n_rows = self._account.n_rows
        self.offsets: Positions = encoded.offsets(self._account.incomes.household) + encoded.offsets(
            self._account.household_of_bills
        )

    def write(self, room: SourceRoom) -> None:
        """Write the rows."""
        first, *others = room.values
        self._account.write(*room[:4], first)
        for out in others:
            out[:] = first


def _rows_of(encoded: Encoded, source: Source) -> _Rows | _RowsOfAccount:
    if source.table == ACCOUNT:
        return _RowsOfAccount(encoded)
    if source.by_person:
        return _RowsByPerson(encoded, source)
    if encoded.complete and any(takes_zero for _, takes_zero in source.filters):
        return _RowsWithZero(encoded, source)
    return _Rows(encoded, source)


@compiled
def _find_zero_rows(days, passing, of_zero, starts, first_known, bits):  # type: ignore[no-untyped-def]
    """Write where rows of zero come, from when they are known and what they pass; return how many there are."""
    household, occurred, known, superseded = days
    n = 0
    low = 0
    while low < len(household):
        first = known[low]
        high = low + 1
        while high < len(household) and household[high] == household[low] and occurred[high] == occurred[low]:
            first = min(first, known[high])
            high += 1
        lacks = False
        for b in range(len(of_zero)):
            named = np.uint8(0)
            for r in range(low, high):
                if superseded[r] == FAR_FUTURE and known[r] == first:
                    named |= passing[b, r]
            bits[b, n] = of_zero[b] & ~named
            lacks = lacks or bits[b, n] != 0
        if lacks:
            starts[n], first_known[n] = low, first
            n += 1
        low = high
    return n


@compiled
def _insert(column, starts, new, out):  # type: ignore[no-untyped-def]
    """Write a column with a new value before each of the rows ``starts``."""
    low = 0
    for k in range(len(starts)):
        for r in range(low, starts[k]):
            out[r + k] = column[r]
        low = starts[k]
        out[low + k] = new[k]
    for r in range(low, len(column)):
        out[r + len(starts)] = column[r]


def _bits_where(flags: Sequence[bool]) -> int:
    """Return a byte of filters' bits, set where a flag is."""
    return sum(1 << bit for bit, flag in enumerate(flags) if flag)


def _write_filter_bits(table: EncodedTable, source: Source, out: Bits) -> None:
    """Write the filters' bits of each row: set where the row passes, eight filters to a byte."""
    out[:] = 255
    for test in _tests_of(source.filters):
        np.bitwise_and(out[test.byte], _column_bits(table, test), out=out[test.byte])


class _Test(NamedTuple):
    """What a byte of filters asks of a column.

    Parameters
    ----------
    byte : int
        Which byte of its source.
    column : str
        The column.
    codes : tuple of (tuple of str or None)
        The codes that each filter takes, None where it takes any.
    elsewhere : uint8
        Bits of the filters that take any.
    masks : tuple of (tuple of str, uint8)
        Different codes, and the bits of the filters that take them.
    """

    byte: int
    column: str
    codes: _Codes
    elsewhere: np.uint8
    masks: tuple[tuple[tuple[str, ...], np.uint8], ...]


@lru_cache(maxsize=256)
def _tests_of(filters: tuple[Filter, ...]) -> tuple[_Test, ...]:
    """Return what the bytes of filters ask of columns."""
    tests = []
    for column in dict.fromkeys(column for where, _ in filters for column, _ in where):
        for byte in range(0, len(filters), 8):
            codes = tuple(dict(where).get(column) for where, _ in filters[byte : byte + 8])
            masks = tuple(
                (one, np.uint8(_bits_where([of == one for of in codes])))
                for one in dict.fromkeys(codes)
                if one is not None
            )
            if masks:
                elsewhere = np.uint8(_bits_where([one is None for one in codes]))
                tests.append(_Test(byte // 8, column, codes, elsewhere, masks))
    return tuple(tests)


def _column_bits(table: EncodedTable, test: _Test) -> Bits:
    """Return bits of each row: set where a column holds what a filter takes."""
    column = test.column
    kind = TABLES[table.name].columns[column].kind
    if kind in (Kind.CODE, Kind.TEXT):
        of_code = _bits_of_code(table.name, column, table.listed(column), test.codes)
        return of_code.take(table.code(column), mode="wrap")
    if kind is Kind.CODE_SET:
        texts = table.texts(column)
        of_text = [_bits_of_set(text, test.codes) for text in texts.distinct.to_pylist()]
        return np.array([*of_text, test.elsewhere], np.uint8).take(texts.code, mode="wrap")
    values = table.number(column)
    bits = np.full(len(table), test.elsewhere, np.uint8)
    for codes, mask in test.masks:
        for code in codes:
            bits |= (values == (float(code == "true") if kind is Kind.FLAG else float(code))) * mask
    return bits


@lru_cache(maxsize=1024)
def _bits_of_set(text: str, codes: _Codes) -> int:
    """Return the bits of a row by its set of codes, joined by commas."""
    held = set(text.split(","))
    return _bits_where([one is None or not held.isdisjoint(one) for one in codes])


@lru_cache(maxsize=256)
def _bits_of_code(name: str, column: str, listed: tuple[str, ...], codes: _Codes) -> Bits:
    """Return the bits of a row by its code's position in the list; the last are those of a missing code, -1."""
    bits = np.full(len(listed) + 1, _bits_where([one is None for one in codes]), np.uint8)
    for bit, one in enumerate(codes):
        for code in one or ():
            bits[position(name, column, listed, code)] |= 1 << bit
    return bits
