"""The rules that a row keeps or breaks by itself, derived from the columns of its table.

A rule is declared once. Files, imports and posted requests are all checked by it, a whole column at a time.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.dates import to_date, to_days
from relapse_risk.records import citizen_ids, ids
from relapse_risk.records.columns import Column, Kind, Table
from relapse_risk.records.schema import encoded
from relapse_risk.records.tables import TABLES
from relapse_risk.records.violations import Violation

#: No record of the mechanism, nor of a living person's household, is older.
EARLIEST = to_date("1900-01-01")
_MISSING = "RR006"
_DATE = pa.date32()


Rows = npt.NDArray[np.intp]
#: Which rows break a rule; None where no row does.
Broken = npt.NDArray[np.bool_] | None


class Values(Protocol):
    """The columns of one table, as rules read them; missing values are no texts.

    Attributes
    ----------
    n_rows : int
        Rows of the table.
    """

    n_rows: int

    def n_missing(self, name: str) -> int:
        """Return how many values of a column are missing."""

    def missing(self, name: str) -> Broken:
        """Return where a column has no value."""

    def span(self, name: str) -> tuple[float, float] | None:
        """Return a column's least and greatest number; None where that takes a look at each."""

    def numbers(self, name: str) -> npt.NDArray[Any]:
        """Return a column as numbers, dates as days since 1970-01-01; NaN where a value is missing."""

    def distinct(self, name: str) -> Collection[str]:
        """Return the distinct texts of a column; some may have no row."""

    def not_well_formed(self, name: str) -> Mapping[str, str]:
        """Return the distinct ids of a column that are not well-formed, each with what is valid."""

    def citizen_ids(self, name: str) -> Collection[str]:
        """Return the distinct ids of a column that hold citizen ids."""

    def among(self, name: str, texts: Collection[str]) -> Broken:
        """Return where a column has one of some texts."""


class ArrowValues:
    """The columns of an Arrow table as rules read them.

    Texts are judged once a distinct value, and numbers by the least and the greatest: which rows break a rule is
    looked up only if some do.

    Parameters
    ----------
    data : pyarrow.Table
        A table with the declared columns; its texts may be plain or dictionaries.
    count_as_citizen_ids : callable, optional
        See ``violations_of_rows``.
    """

    def __init__(self, data: pa.Table, count_as_citizen_ids: Callable[[str], bool] | None = None) -> None:
        self._count_as_citizen_ids = count_as_citizen_ids
        self.n_rows: int = data.num_rows
        self._columns = dict(zip(data.column_names, data.columns, strict=True))
        self._days: dict[str, npt.NDArray[Any]] = {}
        self._spans: dict[str, tuple[float, float] | None] = {}
        self._texts: dict[str, pa.DictionaryArray] = {}
        self._ids: dict[str, dict[str, str]] = {}

    def n_missing(self, name: str) -> int:
        """Return how many values of a column are missing."""
        return int(self._columns[name].null_count)

    def missing(self, name: str) -> Broken:
        """Return where a column has no value."""
        return np.asarray(pc.is_null(self._columns[name])) if self.n_missing(name) else None

    def span(self, name: str) -> tuple[float, float] | None:
        """Return a column's least and greatest number; None where it has none."""
        if name not in self._spans:
            values = self._columns[name]
            span = pc.min_max(values.cast(pa.int32()) if values.type == _DATE else values).as_py()
            self._spans[name] = None if span["min"] is None else (span["min"], span["max"])
        return self._spans[name]

    def numbers(self, name: str) -> npt.NDArray[Any]:
        """Return a column as numbers, dates as days since 1970-01-01; NaN where a value is missing."""
        values = self._columns[name]
        if values.type != _DATE:
            numbers: npt.NDArray[Any] = values.to_numpy()
            return numbers
        if name not in self._days:
            self._days[name] = values.cast(pa.int32()).to_numpy()
        return self._days[name]

    def distinct(self, name: str) -> list[str]:
        """Return the distinct texts of a column; some may have no row."""
        texts: list[str] = self._encoded(name).dictionary.to_pylist()
        return texts

    def not_well_formed(self, name: str) -> dict[str, str]:
        """Return the distinct ids of a column that are not well-formed, each with what is valid."""
        if name not in self._ids:
            self._ids[name] = ids.not_well_formed(self._encoded(name).dictionary)
        return self._ids[name]

    def citizen_ids(self, name: str) -> list[str]:
        """Return the distinct ids of a column that hold citizen ids."""
        distinct = pc.unique(self._encoded(name)).cast(pa.string())  # of those with rows
        count = partial(self._count_as_citizen_ids, name) if self._count_as_citizen_ids else None
        found: list[str] = distinct.filter(pa.array(citizen_ids.citizen_ids(distinct, count))).to_pylist()
        return found

    def among(self, name: str, texts: Collection[str]) -> Broken:
        """Return where a column has one of some texts."""
        if not texts:
            return None
        held = self._encoded(name)
        wanted = np.asarray(pc.is_in(held.dictionary, value_set=pa.array(list(texts), pa.string())))
        broken: npt.NDArray[np.bool_] = np.append(wanted, False)[np.asarray(held.indices.fill_null(-1))]
        return broken

    def _encoded(self, name: str) -> pa.DictionaryArray:
        if name not in self._texts:
            self._texts[name] = encoded(self._columns[name])
        return self._texts[name]


@dataclass(frozen=True)
class Rule:
    """A rule on the values of one column.

    Parameters
    ----------
    code : str
        Stable code (see ``violations.RULES``).
    column : str
        The column that is reported.
    valid : str
        What is valid, and what to do.
    breaks : callable
        Returns which rows of a table break the rule. Missing values break none but the rule that values be there.
    """

    code: str
    column: str
    valid: str
    breaks: Callable[[Values], Broken]

    def broken_by(self, values: Values) -> Rows | None:
        """Return the rows that break the rule, None where no row does."""
        if self.code != _MISSING and values.n_missing(self.column) == values.n_rows:
            return None
        broken = self.breaks(values)
        return None if broken is None or not broken.any() else np.flatnonzero(broken)


def violations_of_rows(
    table: type[Table],
    data: pa.Table,
    end: int | None,
    count_as_citizen_ids: Callable[[str], bool] | None = None,
) -> list[Violation]:
    """Return every violation of the rules that a row keeps or breaks by itself.

    Parameters
    ----------
    table : type of Table
        The rules.
    data : pyarrow.Table
        A table that ``conform`` returned.
    end : int, optional
        First day that the records do not cover, days since 1970-01-01.
    count_as_citizen_ids : callable, optional
        Returns whether ids of a column that look like citizen ids are such, where these rows are only some of the
        table's; judged by these rows otherwise.
    """
    if not data.num_rows:
        return []
    values = ArrowValues(data, count_as_citizen_ids)
    found = []
    for rule in (*ROW_RULES[table.name], *rules_of_end(end)):
        rows = rule.broken_by(values)
        if rows is not None:
            found.append(Violation.of_rows(rule.code, table.name, rule.column, rule.valid, rows))
    return found


def _rules_of(name: str, column: Column) -> Iterator[Rule]:
    required = not (column.nullable or column.optional)
    if required:
        yield Rule(_MISSING, name, f"Every row needs {column.en}.", partial(_absent, name))
    if column.kind is Kind.ID:
        yield Rule(_MISSING, name, ids.EMPTY, partial(_malformed, name, ids.EMPTY))
        yield Rule("RR005", name, ids.REWRITTEN, partial(_malformed, name, ids.REWRITTEN))
        yield Rule("RR018", name, ids.VALID, partial(_malformed, name, ids.VALID))
    if column.of_person:
        yield Rule("RR020", name, citizen_ids.VALID, partial(_citizen, name))
    if column.codes is not None:
        yield Rule("RR007", name, valid_codes(column), partial(_unlisted, name, column))
    if column.kind is Kind.CODE_SET:
        yield Rule("RR021", name, _valid_together(column), partial(_not_together, name, column))
    if column.kind in (Kind.INTEGER, Kind.NUMBER):
        yield Rule("RR008", name, valid_range(column), partial(_outside, name, *_bounds(column)))
    if column.kind is Kind.DATE:
        low, high = to_days(EARLIEST), to_days(dt.date.max)
        yield Rule("RR008", name, f"Valid: {EARLIEST} to {dt.date.max}.", partial(_outside, name, low, high))
    if column.not_before:
        valid = f"Valid: the same day as {column.not_before} of the same row or later; correct either."
        yield Rule("RR009", name, valid, partial(_compares, np.less, name, column.not_before))
    if column.not_after:
        valid = f"Valid: the same day as {column.not_after} of the same row or earlier; correct either."
        yield Rule("RR019", name, valid, partial(_compares, np.greater, name, column.not_after))
    if column.at_most:
        valid = f"Valid: no more than {column.at_most} of the same row; correct either."
        yield Rule("RR014", name, valid, partial(_compares, np.greater, name, column.at_most))


@lru_cache(maxsize=64)
def rules_of_end(end: int | None) -> tuple[Rule, ...]:
    """Return the rules that no row lies at or after the end of the data, if there is one."""
    if end is None:
        return ()
    valid = f"Valid: before the data's end ({np.datetime64(end, 'D')}, data.end in the settings)."
    days = ("occurred_on", "known_on")
    return tuple(Rule("RR010", name, valid, partial(_outside, name, -np.inf, end - 1)) for name in days)


def compared_with(column: Column, code: str) -> str | None:
    """Return the column of the same row that a rule compares a column with, None where it compares with none."""
    return {"RR009": column.not_before, "RR019": column.not_after, "RR014": column.at_most}.get(code)


def valid_codes(column: Column) -> str:
    """Return which codes a column may hold, as a sentence."""
    assert column.codes is not None  # noqa: S101
    codes = ", ".join(column.codes.values)
    if column.kind is Kind.CODE:
        return f"Valid codes: {codes}."
    return f"Valid: one to {most_codes(column)} of {codes}, joined by commas."


def _valid_together(column: Column) -> str:
    """Return which codes of a set go together, as a sentence."""
    assert column.codes is not None  # noqa: S101
    alone = f", {column.codes.alone} without any other" if column.codes.alone else ""
    return f"Valid: each code at most once{alone}; leave out what does not hold."


def most_codes(column: Column) -> int:
    """Return how many codes one value of a column may join."""
    assert column.codes is not None  # noqa: S101
    return len(column.codes.values) if column.maximum is None else int(column.maximum)


def valid_range(column: Column) -> str:
    """Return which numbers a column may hold, as a sentence."""
    low = "-" if column.minimum is None else f"{column.minimum:g}"
    high = "no bound" if column.maximum is None else f"{column.maximum:g}"
    return f"Valid: finite, {low} to {high} {column.unit}".rstrip() + "."


def _bounds(column: Column) -> tuple[float, float]:
    """Return a column's bounds; the largest finite numbers where it declares none."""
    most = sys.float_info.max
    return (
        -most if column.minimum is None else column.minimum,
        most if column.maximum is None else column.maximum,
    )


def _absent(name: str, values: Values) -> Broken:
    return values.missing(name)


def _citizen(name: str, values: Values) -> Broken:
    return values.among(name, values.citizen_ids(name))


def _malformed(name: str, valid: str, values: Values) -> Broken:
    return values.among(name, [text for text, said in values.not_well_formed(name).items() if said == valid])


def _unlisted(name: str, column: Column, values: Values) -> Broken:
    assert column.codes is not None  # noqa: S101
    codes, most = column.codes.labels, 1 if column.kind is Kind.CODE else most_codes(column)
    broken = []
    for text in values.distinct(name):
        parts = text.split(",", most)
        if len(parts) > most or not all(part in codes for part in parts):
            broken.append(text)
    return values.among(name, broken)


def _not_together(name: str, column: Column, values: Values) -> Broken:
    assert column.codes is not None  # noqa: S101
    codes, alone, broken = column.codes.labels, column.codes.alone, []
    for text in values.distinct(name):
        parts = text.split(",")
        distinct = set(parts)
        if len(parts) > 1 and distinct <= codes.keys() and (alone in distinct or len(distinct) < len(parts)):
            broken.append(text)
    return values.among(name, broken)


def _outside(name: str, low: float, high: float, values: Values) -> Broken:
    span = values.span(name)
    if span is not None and low <= span[0] and span[1] <= high:
        return None
    of = values.numbers(name)
    return (of < low) | (of > high)


def _compares(compare: Callable[..., Broken], name: str, other: str, values: Values) -> Broken:
    return compare(values.numbers(name), values.numbers(other))


ROW_RULES: dict[str, tuple[Rule, ...]] = {
    table.name: tuple(rule for name, column in table.columns.items() for rule in _rules_of(name, column))
    for table in TABLES.values()
}
"""The rules of each table's rows, by table name."""
