"""Posted rows as columns, straight from their dictionaries: what rules read, and what the engine encodes.

A request holds few rows, of which Arrow would make columns at more cost than all that is done with them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa

from relapse_risk.dates import Days, to_days
from relapse_risk.features.columns import Codes, Flags, Numbers, Texts, code_type
from relapse_risk.features.encode import EncodedTable
from relapse_risk.records import citizen_ids, ids
from relapse_risk.records.columns import Kind
from relapse_risk.records.rules import ROW_RULES, Rule, rules_of_end
from relapse_risk.records.rules_between import first_covered_day
from relapse_risk.records.tables import MONEY_TABLES, TABLES
from relapse_risk.settings import Settings

Household = dict[str, Any]

_WRITTEN_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


_GETTERS = {column: itemgetter(column) for table in TABLES.values() for column in table.columns}


class NotADayError(ValueError):
    """A text that writes no day of the calendar as YYYY-MM-DD; it does not hold the text."""


def day(text: str) -> dt.date | None:
    """Return the day that a text writes as YYYY-MM-DD, None where it does not."""
    try:
        return dt.date.fromisoformat(text) if _WRITTEN_DAY.fullmatch(text) else None
    except ValueError:
        return None


@lru_cache(maxsize=2**15)
def _days(text: str | None) -> int | None:
    """Return days since 1970-01-01; requests name the same few thousand days."""
    if text is None:
        return None
    found = day(text)
    if found is None:
        raise NotADayError
    return to_days(found)


class PostedColumns:
    """The rows of one table, of all households of a request, column by column.

    They are ``records.rules.Values`` and ``features.columns.Columns``.

    Parameters
    ----------
    name : str
        Table name.
    households : list of dict
        As they were posted, of the shape that ``shape.read`` returns.
    """

    def __init__(self, name: str, households: Sequence[Household]) -> None:
        self.name = name
        self._kinds = TABLES[name].columns
        posted: list[list[dict[str, Any]]] = [household.get(name, []) for household in households]
        self._households = households
        #: Rows of each household.
        self.each_n_rows = [len(rows) for rows in posted]
        self.rows = posted[0] if len(posted) == 1 else [row for rows in posted for row in rows]
        self.n_rows = len(self.rows)
        self._values: dict[str, list[Any]] = {}
        self._numbers: dict[str, Numbers] = {}
        self._texts: dict[str, Texts] = {}
        self._n_missing: dict[str, int] = {}
        self._not_well_formed: dict[str, dict[str, str]] = {}

    def values(self, name: str) -> list[Any]:
        """Return a column as it was posted, None where a row does not have it."""
        values = self._values.get(name)
        if values is None:
            if name == "household_id":
                each = zip(self._households, self.each_n_rows, strict=True)
                values = [household.get(name) for household, n in each for _ in range(n)]
            else:
                values = self._of_rows(name)
            self._values[name] = values
        return values

    def _of_rows(self, name: str) -> list[Any]:
        try:
            return list(map(_GETTERS[name], self.rows))  # mostly every row has the column
        except KeyError:
            return [row.get(name) for row in self.rows]

    # What rules read.

    def n_missing(self, name: str) -> int:
        """Return how many values of a column are missing."""
        n = self._n_missing.get(name)
        if n is None:
            n = self._n_missing[name] = self.values(name).count(None)
        return n

    def missing(self, name: str) -> Flags | None:
        """Return where a column has no value, None where it has one everywhere."""
        return self.is_missing(name) if self.n_missing(name) else None

    def span(self, _: str) -> None:
        """Return that no least and greatest number is known: the few there are are looked at."""

    def distinct(self, name: str) -> set[str]:
        """Return the distinct texts of a column."""
        distinct = set(self.values(name))
        distinct.discard(None)
        return distinct

    def not_well_formed(self, name: str) -> dict[str, str]:
        """Return the distinct ids of a column that are not well-formed, each with what is valid."""
        found = self._not_well_formed.get(name)
        if found is None:
            broken = ((text, ids.rule_broken(text)) for text in self.distinct(name))
            found = self._not_well_formed[name] = {text: valid for text, valid in broken if valid}
        return found

    def citizen_ids(self, name: str) -> Collection[str]:
        """Return the distinct ids of a column that hold citizen ids."""
        distinct = list(self.distinct(name))
        found = citizen_ids.citizen_ids(pa.array(distinct, pa.string()))
        return [distinct[k] for k in np.flatnonzero(found)]

    def among(self, name: str, texts: Collection[str]) -> Flags | None:
        """Return where a column has one of some texts, None for nowhere."""
        return np.array([value in texts for value in self.values(name)], bool) if texts else None

    # What the engine reads.

    def households(self) -> Days:
        """Return the position of each row's household."""
        return np.repeat(np.arange(len(self.each_n_rows), dtype=np.int32), self.each_n_rows)

    def days(self, name: str) -> Days:
        """Return a column of dates without missing ones, as days since 1970-01-01."""
        return self.numbers(name).astype(np.int32)

    def numbers(self, name: str) -> Numbers:
        """Return a column of numbers, flags or dates (days since 1970-01-01); NaN where missing."""
        numbers = self._numbers.get(name)
        if numbers is None:
            values = self.values(name)
            if self._kinds[name].kind is Kind.DATE:
                values = list(map(_days, values))
            numbers = self._numbers[name] = np.array(values, np.float64)
        return numbers

    def codes(self, name: str, listed: Sequence[str]) -> Codes:
        """Return the position of each text in a list, -1 where it is not there."""
        at = _positions(tuple(listed))
        return np.array([at.get(value, -1) for value in self.values(name)], code_type(listed))

    def texts(self, name: str) -> Texts:
        """Return a column of texts, the distinct ones in their order."""
        texts = self._texts.get(name)
        if texts is None:
            distinct = sorted(self.distinct(name))
            at = {text: k for k, text in enumerate(distinct)}
            code = np.array([at.get(value, -1) for value in self.values(name)], np.int32)
            texts = self._texts[name] = Texts(code, pa.array(distinct, pa.string()))
        return texts

    def is_missing(self, name: str) -> Flags:
        """Return where a column has no value."""
        return np.array([value is None for value in self.values(name)], bool)

    def all_missing(self, name: str) -> bool:
        """Return whether a column has no value at all."""
        return self.n_missing(name) == self.n_rows


@lru_cache(maxsize=256)
def _positions(listed: tuple[str, ...]) -> dict[str | None, int]:
    return {value: k for k, value in enumerate(listed)}


def encode_sound(
    posted: Mapping[str, PostedColumns], settings: Settings, as_of: dt.date
) -> dict[str, EncodedTable] | None:
    """Return posted tables as the engine reads them, None if they may break a rule.

    Parameters
    ----------
    posted : dict of str to PostedColumns
        All tables of households' histories.
    settings : Settings
        For the items and the monitoring line.
    as_of : date
        Day to score for; nothing may be known later.
    """
    if not all(posted["households"].each_n_rows):
        return None  # a household without a profile
    of_end = rules_of_end(to_days(as_of) + 1)
    items = tuple(settings.items)
    encoded = {}
    try:
        for name, columns in posted.items():
            if not columns.n_rows:
                encoded[name] = _without_rows(name, items)
                continue
            if any(rule.broken_by(columns) is not None for rule in (*_RULES[name], *of_end)):
                return None
            encoded[name] = EncodedTable(name, columns, items)
    except NotADayError:
        return None
    if any(table.repeats_rows for table in encoded.values()) or not _fit_together(posted, encoded, settings):
        return None
    return encoded


#: Rules of a table's rows; each household's id is checked once, with its profiles.
_RULES: dict[str, tuple[Rule, ...]] = {
    name: tuple(rule for rule in ROW_RULES[name] if name == "households" or rule.column != "household_id")
    for name in TABLES
}


def _fit_together(
    posted: Mapping[str, PostedColumns], encoded: Mapping[str, EncodedTable], settings: Settings
) -> bool:
    """Return whether the rules between tables hold, as ``violations_between`` finds them."""
    if not posted["observations"].distinct("item") <= settings.items.keys():
        return False
    amounts = [encoded[name].occurred.min() for name in MONEY_TABLES if len(encoded[name])]
    if not amounts:
        return True
    since = first_covered_day(settings, set(posted["households"].values("township_id")))
    return since is not None and min(amounts) >= to_days(since)


@lru_cache(maxsize=64)
def _without_rows(name: str, items: tuple[str, ...]) -> EncodedTable:
    return EncodedTable(name, PostedColumns(name, []), items)
