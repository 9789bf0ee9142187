"""Records as sorted arrays: the form the compiled engine reads.

Every table is put in one order (household, day, codes of the key in the order of their lists, texts of the key, day
known) whatever order its rows came in, and every row learns when a later version replaced it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from relapse_risk.dates import Days, month_number, to_days
from relapse_risk.errors import UsageError
from relapse_risk.features.account import Account
from relapse_risk.features.columns import ArrowColumns, Codes, Columns, Texts
from relapse_risk.features.declare import ACCOUNT_OF
from relapse_risk.features.line import Line
from relapse_risk.features.order import Keys, lie_in_order, superseded
from relapse_risk.features.periods import parts_of, pieces_of
from relapse_risk.features.person_rows import Persons
from relapse_risk.records.columns import Kind
from relapse_risk.records.records import Records
from relapse_risk.records.schema import distinct_texts, positions
from relapse_risk.records.tables import TABLES
from relapse_risk.settings import LineSettings

Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class EncodedTable:
    """One table's visible rows as arrays, sorted by household and day.

    Parameters
    ----------
    name : str
        Table name.
    columns : Columns
        Its rows, in any order.
    items : tuple of str
        Items that the records' settings declare.

    Attributes
    ----------
    household, occurred, known, superseded, month : ndarray of int32, shape (n_rows,)
        Position of each row's household; days since 1970-01-01 on which it happened, was first known, and was
        replaced by a later version (far in the future if never); months since 1970-01.
    repeats_rows : bool
        Whether two rows share their key and the day they were known, which those of valid records never do.
    """

    def __init__(self, name: str, columns: Columns, items: tuple[str, ...]) -> None:
        self.name = name
        self._columns = columns
        self._kinds = TABLES[name].columns
        self._items = items
        #: Where each row lies in the columns, None where all lie as they are.
        self._rows: Integers | None = None
        self._codes: dict[str, Codes] = {}
        self._numbers: dict[str, Numbers] = {}
        self.derived: dict[str, Numbers] = {}
        keys, texts = self._keys()
        if not lie_in_order(keys, None if texts is None else texts.distinct):
            ranked = keys if texts is None else keys._replace(text=texts.ranks())
            self._take(ranked.order())
            keys = keys.take(cast(Integers, self._rows))
        self.household, self.occurred, self.known = keys.household, keys.occurred, keys.known
        self.superseded = superseded(keys, by_day="occurred_on" in TABLES[name].key)
        self.repeats_rows = bool((self.superseded == self.known).any())
        if "months" in self._kinds and not columns.all_missing("months"):
            self._split_by_month(keys)
        self.month = _months(self.occurred)

    def __len__(self) -> int:
        return len(self.household)

    def _keys(self) -> tuple[Keys, Texts | None]:
        """Return the keys of the rows as they lie in the columns, and the texts that ``Keys.text`` is made of."""
        columns = self._columns
        rest = [c for c in TABLES[self.name].key if c not in ("household_id", "occurred_on")]
        text = next((c for c in rest if self._kinds[c].kind is not Kind.CODE), None)
        code, texts = _NONE, None
        for column in rest:
            if column != text:
                codes = self.code(column)
                code = code * (len(self.listed(column)) + 1) + codes if code.size else codes.astype(np.int32)
        if text is not None:
            texts = columns.texts(text)
        of_text = _NONE if texts is None else np.array(texts.code)
        return Keys(
            columns.households(), columns.days("occurred_on"), code, of_text, columns.days("known_on")
        ), texts

    def _take(self, rows: Integers) -> None:
        """Take rows of those there are; what is known of columns follows."""
        self._rows = rows if self._rows is None else self._rows[rows]
        self._codes = {column: codes[rows] for column, codes in self._codes.items()}
        self._numbers = {column: numbers[rows] for column, numbers in self._numbers.items()}

    def _split_by_month(self, keys: Keys) -> None:
        """Split rows of several months into rows of one month each."""
        recorded = self.number("months")
        months = np.where(np.isnan(recorded), 1.0, recorded).astype(np.int64)
        if months.max() == 1:
            return
        row, occurred = parts_of(self.occurred, months)
        group = self.household.astype(np.int64)
        if keys.code.size:
            group = (group << 32) + keys.code
        pieces = pieces_of(
            group[row],
            month_number(occurred),
            self.occurred[row],
            self.known[row],
            self.superseded[row],
            months[row] > 1,
        )
        row, occurred = row[pieces.part], occurred[pieces.part]
        amounts = self.number("amount_yuan")[row] * (1.0 / months[row])
        parts = keys.take(row)._replace(occurred=occurred, known=pieces.known)
        order = parts.order()
        self._take(row[order])
        self._numbers["amount_yuan"] = amounts[order]
        self.household, self.occurred, _, _, self.known = parts.take(order)
        self.superseded = pieces.superseded[order]

    def _lie(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Return values of the columns' rows in this table's order."""
        return values if self._rows is None else values[self._rows]

    def number(self, column: str) -> Numbers:
        """Return a column as float64, NaN where missing; codes by their position in the list, dates as days."""
        if column not in self._numbers:
            self._numbers[column] = self._to_number(column)
        return self._numbers[column]

    def _to_number(self, column: str) -> Numbers:
        if self._kinds[column].kind not in (Kind.CODE, Kind.TEXT):
            return cast(Numbers, self._lie(self._columns.numbers(column)))
        numbers = self.code(column).astype(np.float64)
        numbers[numbers < 0] = np.nan
        return numbers

    def code(self, column: str) -> Codes:
        """Return each code's or item's position in its list, -1 where there is none."""
        if column not in self._codes:
            self._codes[column] = cast(Codes, self._lie(self._columns.codes(column, self.listed(column))))
        return self._codes[column]

    def listed(self, column: str) -> tuple[str, ...]:
        """Return the codes of a column, or the items that the records' settings declare."""
        codes = self._kinds[column].codes
        return codes.values if codes else self._items

    def texts(self, column: str) -> Texts:
        """Return a column of texts as positions among its distinct texts."""
        code, distinct = self._columns.texts(column)
        return Texts(cast("npt.NDArray[np.int32]", self._lie(code)), distinct)

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a column of texts as an Arrow array."""
        code, distinct = self.texts(name)
        return pa.chunked_array([distinct.take(pa.array(code, mask=code < 0))])

    def position(self, column: str, value: str) -> int:
        """Return the number of a code or an item.

        Raises
        ------
        UsageError
            If the records' settings do not declare the item.
        """
        return position(self.name, column, self.listed(column), value)


def position(name: str, column: str, listed: tuple[str, ...], value: str) -> int:
    """Return the number of a code or an item of a table's column; see ``EncodedTable.position``."""
    if value not in listed:
        raise UsageError(
            f"{name}.{column}: {value!r} is not declared in these records' settings, "
            f"which declare {', '.join(listed) or 'none'}. Add it under items."
        )
    return listed.index(value)


class Encoded:
    """All tables of records as arrays, each made when first asked for.

    Parameters
    ----------
    records : Records
        What to encode; all the rows it shows.
    tables : dict of str to EncodedTable, optional
        Its tables, where they are not to be made of the records' Arrow tables.
    ids : pyarrow.StringArray, optional
        The households that those tables give the positions of.
    """

    def __init__(
        self,
        records: Records,
        tables: Mapping[str, EncodedTable] | None = None,
        ids: pa.StringArray | None = None,
    ) -> None:
        self._records = records
        self.ids: pa.StringArray = (
            distinct_texts(records.table("households")["household_id"]) if ids is None else ids
        )
        self._each_household = np.arange(len(self.ids) + 1, dtype=np.int32)
        self._tables = dict(tables or {})
        self._line: Line | None = None
        self._account: Account | None = None
        self._persons: Persons | None = None
        #: Whether a source without a row in an account brought nothing.
        self.complete = records.settings.data.accounts_complete

    def table(self, name: str) -> EncodedTable:
        """Return a table's arrays."""
        if name not in self._tables:
            columns = ArrowColumns(self._records.table(name), self.ids)
            self._tables[name] = EncodedTable(name, columns, tuple(self._records.settings.items))
        return self._tables[name]

    @property
    def account(self) -> Account:
        """Every household's account, month by month."""
        if self._account is None:
            self._account = Account(*(self.table(name) for name in ACCOUNT_OF))
        return self._account

    @property
    def persons(self) -> Persons:
        """Every household's persons."""
        if self._persons is None:
            self._persons = Persons(self.table("members"), self.table("employment"), len(self.ids))
        return self._persons

    def households(self, ids: pa.Array) -> npt.NDArray[np.int32]:
        """Return each id's position, -1 where the records do not have it."""
        return positions(ids, self.ids)

    def offsets(self, household: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        """Return where each household's rows begin and end in a sorted array."""
        return household.searchsorted(self._each_household)

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


@lru_cache(maxsize=64)
def days_of_change(line: LineSettings) -> Days:
    """Return the days on which the line changes in some area, in order."""
    return np.array(sorted({to_days(step.since) for step in line.steps}), np.int32)


@lru_cache(maxsize=64)
def line_by_step(line: LineSettings, areas: tuple[str | None, ...]) -> Numbers:
    """Return the line per counted member and month.

    Parameters
    ----------
    line : LineSettings
        The steps.
    areas : tuple of str or None
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


def _areas(profiles: EncodedTable, line: LineSettings) -> tuple[tuple[str | None, ...], Days]:
    named = sorted({step.area for step in line.steps if step.area is not None})
    if not named:
        return (None,), np.zeros(len(profiles), np.int32)
    code, distinct = profiles.texts("township_id")
    at = np.append(positions(distinct, pa.array(named, pa.string())), -1)[code]
    return (*named, None), np.where(at < 0, len(named), at).astype(np.int32)


_NONE = np.zeros(0, np.int32)
#: Tables shorter than this are not worth a second look.
_LONG = 10_000


def _months(days: Days) -> Days:
    """Return each day's month, looked up where days are many and few are different."""
    if len(days) < _LONG:
        return month_number(days)
    first = int(days.min())
    months: Days = month_number(np.arange(first, int(days.max()) + 1))[days - first]
    return months
