"""Records as sorted arrays: the form the compiled engine reads.

Every table is put in one order (household, day, codes of the key in the order of their lists, texts of the key, day
known) whatever order its rows came in, and every row learns when a later version replaced it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.dates import FAR_FUTURE, Days, month_number, to_days
from relapse_risk.errors import UsageError
from relapse_risk.features.account import Account, make_account
from relapse_risk.features.declare import ACCOUNT_OF
from relapse_risk.features.hashing import hash_with
from relapse_risk.features.kernel import Line
from relapse_risk.features.periods import parts_of, pieces_of
from relapse_risk.features.person_rows import Persons
from relapse_risk.records.columns import Kind
from relapse_risk.records.records import Records
from relapse_risk.records.tables import TABLES
from relapse_risk.settings import LineSettings

Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class EncodedTable:
    """One table's visible rows as arrays, sorted by household and day.

    Parameters
    ----------
    records : Records
        Where the rows are.
    name : str
        Table name.
    ids : pyarrow.Array
        Household ids; a household is its position here.
    """

    def __init__(self, records: Records, name: str, ids: pa.Array) -> None:
        self.name = name
        self._columns = TABLES[name].columns
        self._items = tuple(records.settings.items)
        data = records.table(name)
        household = _positions(data["household_id"], ids)
        occurred = _days(data["occurred_on"])
        known = _days(data["known_on"])
        rest = [c for c in TABLES[name].key if c not in ("household_id", "occurred_on")]
        coded = [c for c in rest if self._columns[c].kind is Kind.CODE]
        self._codes = {column: self._listed(data[column], column) for column in coded}
        place = self._place(household, occurred)
        order = _order(place, known, [data[c] for c in rest if c not in coded])
        self._data = data
        self.household, self.occurred, self.known = household, occurred, known
        if order is not None:
            self._take(order)
            place = place[order]
        self.superseded = self._superseded(place)
        self._numbers: dict[str, Numbers] = {}
        self.derived: dict[str, Numbers] = {}
        if "months" in self._columns and (pc.max(data["months"]).as_py() or 1) > 1:
            self._split_by_month()
        self.month = _months(self.occurred)

    def __len__(self) -> int:
        return len(self.household)

    def _place(self, household: npt.NDArray[np.int32], occurred: Days) -> Integers:
        """Return numbers that order rows by household, day and the codes of the key."""
        place = _pair(household.astype(np.int64), occurred)
        for codes in self._codes.values():
            place = _pair(place, codes)
        return place

    def _take(self, rows: Integers) -> None:
        self._data = self._data.take(pa.array(rows))
        self.household, self.occurred, self.known = (a[rows] for a in (self.household, self.occurred, self.known))
        self._codes = {column: codes[rows] for column, codes in self._codes.items()}

    def _split_by_month(self) -> None:
        """Split rows of several months into rows of one month each."""
        months = pc.fill_null(self._data["months"], 1).to_numpy().astype(np.int64)
        row, occurred = parts_of(self.occurred, months)
        group = self.household[row].astype(np.int64)
        for codes in self._codes.values():
            group = _pair(group, codes[row])
        pieces = pieces_of(
            group,
            month_number(occurred),
            self.occurred[row],
            self.known[row],
            self.superseded[row],
            months[row] > 1,
        )
        row, occurred = row[pieces.part], occurred[pieces.part]
        share = 1.0 / months[row]
        self._take(row)
        self.occurred, self.known, self.superseded = occurred, pieces.known, pieces.superseded
        self._numbers["amount_yuan"] = self._to_number("amount_yuan") * share
        order = _order(self._place(self.household, occurred), self.known, [])
        if order is not None:
            self._take(order)
            self.superseded = self.superseded[order]
            self._numbers = {column: values[order] for column, values in self._numbers.items()}

    def number(self, column: str) -> Numbers:
        """Return a column as float64, NaN where missing; codes by their position in the list, dates as days."""
        if column not in self._numbers:
            self._numbers[column] = self._to_number(column)
        return self._numbers[column]

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a column's values."""
        return self._data[name]

    def is_missing(self, name: str) -> npt.NDArray[np.bool_]:
        """Return where a column has no value."""
        return cast("npt.NDArray[np.bool_]", np.asarray(self._data[name].is_null()))

    def holds_code(self, column: str, *codes: str) -> npt.NDArray[np.bool_]:
        """Return where a set of codes, joined by commas, holds one of some."""
        found = pc.match_substring_regex(self._data[column], f"(^|,)({'|'.join(codes)})(,|$)")
        return cast("npt.NDArray[np.bool_]", np.asarray(found.fill_null(False)))

    def position(self, column: str, value: str) -> int:
        """Return the number of a code or an item.

        Raises
        ------
        UsageError
            If the records' settings do not declare the item.
        """
        codes = self._columns[column].codes
        listed = codes.values if codes else self._items
        if value not in listed:
            raise UsageError(
                f"{self.name}.{column}: {value!r} is not declared in these records' settings, "
                f"which declare {', '.join(listed) or 'none'}. Add it under items."
            )
        return listed.index(value)

    @cached_property
    def days(self) -> tuple[Integers, Integers, Days]:
        """Each household's days: the one a row lies on, each one's first row, and when any row of it was known."""
        if not len(self):
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int32)
        another = (self.household[1:] != self.household[:-1]) | (self.occurred[1:] != self.occurred[:-1])
        starts = np.flatnonzero(np.concatenate([[True], another]))
        day = np.concatenate([[0], np.cumsum(another)])
        return day, starts, np.minimum.reduceat(self.known, starts)

    def _to_number(self, column: str) -> Numbers:
        values = self._data[column]
        kind = self._columns[column].kind
        if kind in (Kind.CODE, Kind.TEXT):
            codes = self.code(column)
            return np.where(codes < 0, np.nan, codes)
        if kind is Kind.DATE:
            values = values.cast(pa.int32())
        return cast(Numbers, values.cast(pa.float64()).to_numpy())

    def code(self, column: str) -> npt.NDArray[np.int32]:
        """Return each code's or item's position in its list, -1 where there is none."""
        if column not in self._codes:
            self._codes[column] = self._listed(self._data[column], column)
        return self._codes[column]

    def _listed(self, values: pa.ChunkedArray, column: str) -> npt.NDArray[np.int32]:
        codes = self._columns[column].codes
        return _positions(values, pa.array(codes.values if codes else self._items, pa.string()))

    def _superseded(self, place: Integers) -> Days:
        """Return the day each row's next version was known; rows that share a key are versions of one fact.

        Parameters
        ----------
        place : ndarray of int64
            Numbers that are equal where household, day and the codes of the key are.
        """
        superseded = np.full(len(self), FAR_FUTURE, np.int32)
        key = TABLES[self.name].key
        code = place if "occurred_on" in key else self.household.astype(np.int64)
        kinds = {column: self._columns[column].kind for column in key if column != "household_id"}
        texts = [self._data[column] for column, kind in kinds.items() if kind in (Kind.ID, Kind.TEXT)]
        # Nearly every row is its fact's only version: find the few that may not be by a hash, then by the texts.
        hashed = code
        for values in texts:
            hashed = hash_with(hashed, values)
        rows = np.flatnonzero(_duplicated(hashed))
        if rows.size:
            code = code[rows]
            for values in texts:
                code = _pair(code, _identity(values.take(pa.array(rows))))
            by = np.lexsort((self.known[rows], code))
            same = code[by[1:]] == code[by[:-1]]
            superseded[rows[by[:-1]][same]] = self.known[rows[by[1:]][same]]
        return superseded


class Encoded:
    """All tables of records as arrays, each made when first asked for.

    Parameters
    ----------
    records : Records
        What to encode; all the rows it shows.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self.ids: pa.Array = _unique(records.table("households")["household_id"])
        self._tables: dict[str, EncodedTable] = {}
        self._line: Line | None = None
        self._account: Account | None = None
        self._persons: Persons | None = None
        #: Whether a source without a row in an account brought nothing.
        self.complete = records.settings.data.accounts_complete

    def table(self, name: str) -> EncodedTable:
        """Return a table's arrays."""
        if name not in self._tables:
            self._tables[name] = EncodedTable(self._records, name, self.ids)
        return self._tables[name]

    @property
    def account(self) -> Account:
        """Every household's account, month by month."""
        if self._account is None:
            self._account = make_account(*(self.table(name) for name in ACCOUNT_OF))
        return self._account

    @property
    def persons(self) -> Persons:
        """Every household's persons."""
        if self._persons is None:
            self._persons = Persons(self.table("members"), self.table("employment"), len(self.ids))
        return self._persons

    def households(self, ids: pa.Array) -> npt.NDArray[np.int32]:
        """Return each id's position, -1 where the records do not have it."""
        return _positions(ids, self.ids)

    @cached_property
    def each_household(self) -> Days:
        """Every household's position."""
        return np.arange(len(self.ids), dtype=np.int32)

    def offsets(self, household: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        """Return where each household's rows begin and end in a sorted array."""
        return np.searchsorted(household, np.arange(len(self.ids) + 1))

    @property
    def line(self) -> Line:
        """The monitoring line of each household and day."""
        if self._line is None:
            self._line = self._make_line()
        return self._line

    def _make_line(self) -> Line:
        profiles = self.table("households")
        units = profiles.number("line_units")
        units = np.where(np.isnan(units), profiles.number("n_members"), units)
        areas, area = _areas(profiles, self._records.settings.line)
        return Line(
            offsets=self.offsets(profiles.household),
            occurred=profiles.occurred,
            known=profiles.known,
            superseded=profiles.superseded,
            units=units,
            area=area,
            yuan=line_by_step(self._records.settings.line, areas),
        )

    def step(self, days: Days) -> Days:
        """Return which of the line's days of change each day lies on or after: a column of ``line.yuan``."""
        return np.searchsorted(days_of_change(self._records.settings.line), days, side="right").astype(np.int32)


def days_of_change(line: LineSettings) -> Days:
    """Return the days on which the line changes in some area, in order."""
    return np.array(sorted({to_days(step.since) for step in line.steps}), np.int32)


def line_by_step(line: LineSettings, areas: Sequence[str | None]) -> Numbers:
    """Return the line per counted member and month.

    Parameters
    ----------
    line : LineSettings
        The steps.
    areas : sequence of str or None
        Townships; None is everywhere else.

    Returns
    -------
    ndarray of float64, shape (len(areas), n_days_of_change + 1)
        From each day of change on; NaN before the first step that holds. An area's own steps go before those of
        everywhere once they begin.
    """
    days = days_of_change(line)
    yuan = np.full((len(areas), len(days) + 1), np.nan)
    for row, area in enumerate(areas):
        for among in (None, area):
            for step in sorted((s for s in line.steps if s.area == among), key=lambda s: s.since):
                yuan[row, 1 + int(np.searchsorted(days, to_days(step.since))) :] = step.yuan / line.months
    return yuan


def _areas(profiles: EncodedTable, line: LineSettings) -> tuple[list[str | None], Days]:
    named = sorted({step.area for step in line.steps if step.area is not None})
    if not named:
        return [None], np.zeros(len(profiles), np.int32)
    townships = profiles.column("township_id")
    return [*named, None], _positions(townships, pa.array(named, pa.string()), absent=len(named))


def _unique(ids: pa.ChunkedArray) -> pa.Array:
    unique = pc.unique(ids)
    return unique.combine_chunks() if isinstance(unique, pa.ChunkedArray) else unique


#: Tables shorter than this are not worth a second look.
_LONG = 10_000


def _positions(values: pa.ChunkedArray | pa.Array, among: pa.Array, absent: int = -1) -> npt.NDArray[np.int32]:
    if len(values) > _LONG and isinstance(values, pa.ChunkedArray):
        return np.concatenate([_positions(chunk, among, absent) for chunk in values.chunks])
    if len(values) > _LONG:
        # A household's rows mostly lie together: look up each run of equal ids once.
        runs = pc.run_end_encode(values)
        if len(runs.values) * 4 < len(values):
            return np.repeat(_positions(runs.values, among, absent), np.diff(np.asarray(runs.run_ends), prepend=0))
    found = pc.index_in(values, value_set=among).fill_null(absent)
    return np.asarray(found)


def _months(days: Days) -> Days:
    """Return each day's month, looked up where days are many and few are different."""
    if len(days) < _LONG:
        return month_number(days)
    first = int(days.min())
    months: Days = month_number(np.arange(first, int(days.max()) + 1))[days - first]
    return months


def _days(values: pa.ChunkedArray) -> Days:
    return cast(Days, np.asarray(values.cast(pa.int32())))


def _identity(values: pa.ChunkedArray) -> Integers:
    """Return numbers that are equal where the values are; missing is a value of its own."""
    encoded = values.combine_chunks().dictionary_encode(null_encoding="encode")
    return np.asarray(encoded.indices).astype(np.int64)


def _pair(code: Integers, other: npt.NDArray[np.integer]) -> Integers:
    """Encode each pair as one integer that sorts like the pair; reuses the first array's memory where it can."""
    low = int(other.min(initial=0))
    width = int(other.max(initial=0)) - low + 1
    if code.size and int(code.max()) > (2**62) // width:
        code = np.unique(code, return_inverse=True)[1].astype(np.int64)
    code *= width
    code += other
    code -= low
    return code


def _duplicated(code: Integers) -> npt.NDArray[np.bool_]:
    """Return where a number occurs more than once."""
    if code.size < 2:
        return np.zeros(code.size, bool)
    order = np.argsort(code, kind="stable") if np.any(code[1:] < code[:-1]) else None
    if order is None:
        return _equals_neighbour(code)
    back = np.zeros(code.size, bool)
    back[order] = _equals_neighbour(code[order])
    return back


def _equals_neighbour(ordered: Integers) -> npt.NDArray[np.bool_]:
    """Return where a number equals the one before or after it."""
    same = ordered[1:] == ordered[:-1]
    equal = np.zeros(ordered.size, bool)
    equal[1:] |= same
    equal[:-1] |= same
    return equal


def _order(place: Integers, known: Days, texts: list[pa.ChunkedArray]) -> npt.NDArray[np.int64] | None:
    """Return the order of rows by place, the texts of the key and day known; None if they lie so."""
    n = len(place)
    if n < 2:
        return None
    order = np.argsort(place, kind="stable") if np.any(place[1:] < place[:-1]) else None
    ordered = place if order is None else place[order]
    tied = np.flatnonzero(_equals_neighbour(ordered))
    if tied.size:
        order = np.arange(n) if order is None else order
        rows = order[tied]
        ranks = [_ranks(values, rows) for values in texts]
        order[tied] = rows[np.lexsort(np.stack([known[rows], *reversed(ranks), ordered[tied]]))]
    return None if order is None or np.array_equal(order, np.arange(n)) else order


def _ranks(values: pa.ChunkedArray, rows: npt.NDArray[np.int64]) -> Integers:
    """Return numbers that order the rows as their texts do: the same in any batch."""
    encoded = values.take(pa.array(rows)).combine_chunks().dictionary_encode(null_encoding="encode")
    texts = encoded.dictionary.to_pylist()
    rank = np.empty(len(texts), np.int64)
    rank[sorted(range(len(texts)), key=lambda k: (texts[k] is not None, texts[k] or ""))] = np.arange(len(texts))
    return cast(Integers, rank[np.asarray(encoded.indices)])
