"""Requests as records: read, laid out as tables, and checked by the rules that files are checked by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from relapse_risk.dates import to_days
from relapse_risk.features.encode import Encoded, EncodedTable
from relapse_risk.records.columns import Kind
from relapse_risk.records.records import Records
from relapse_risk.records.schema import ARROW_TYPES, empty
from relapse_risk.records.tables import TABLES
from relapse_risk.records.validate import violations_of
from relapse_risk.records.violations import Violation
from relapse_risk.settings import Settings
from relapse_serve.posted import Household, PostedColumns, day, encode_sound
from relapse_serve.refusals import MAX_LISTED, RequestInvalid, RequestViolation, Where
from relapse_serve.shape import HISTORY, read

_EMPTY = {name: empty(table) for name, table in TABLES.items()}
_DATE = ARROW_TYPES[Kind.DATE]
_DATES = {name: [c for c, column in TABLES[name].columns.items() if column.kind is Kind.DATE] for name in HISTORY}
_AS_POSTED = {
    name: pa.struct([f.with_type(pa.string()) if f.name in _DATES[name] else f for f in _EMPTY[name].schema])
    for name in HISTORY
}
_NOT_STATED = "Send its rows, or [] if the household has no rows of it."
_NOT_A_DAY = "Valid: a day of the calendar, as 2024-03-01."


def parse(body: bytes, settings: Settings, needed: Collection[str]) -> tuple[dt.date, list[str], Records]:
    """Read a request and check it by the rules of records.

    Parameters
    ----------
    body : bytes
        JSON.
    settings : Settings
        The model's: which items there are, and since when a monitoring line. Where its training data ended does
        not matter here.
    needed : collection of str
        Tables that the model's features come from (``Scorer.tables``). Each household states its rows of all of
        them, an empty list where it has none.

    Returns
    -------
    as_of : date
        Day to score for.
    ids : list of str
        Households, in the order asked.
    records : Records
        Their histories.

    Raises
    ------
    RequestInvalid
        With the violations found, or as unreadable where the body is not JSON.
    """
    request = read(body)
    households: list[Household] = request["households"]
    as_of = day(request["as_of"])
    found = list(_of_request(as_of, households, needed))
    posted = {name: PostedColumns(name, households) for name in HISTORY}
    if settings.data.end is not None:
        settings = settings.model_copy(update={"data": settings.data.model_copy(update={"end": None})})
    # Nearly every request is sound: whoever breaks a rule waits until it is found where.
    encoded = encode_sound(posted, settings, as_of) if as_of and not found else None
    if encoded is None:
        tables = _checked(as_of, found, households, posted, settings)
        records = Records.from_valid(tables, settings, frozenset(TABLES))
    else:
        records = _records_of(encoded, posted, households, settings)
    assert as_of is not None  # noqa: S101
    return as_of, [household["household_id"] for household in households], records


def _records_of(
    encoded: Mapping[str, EncodedTable],
    posted: Mapping[str, PostedColumns],
    households: Sequence[Household],
    settings: Settings,
) -> Records:
    """Return records of encoded tables; Arrow's are made of what was posted, should someone ask for them."""
    end = 1 + max(int(columns.numbers("known_on").max()) for columns in posted.values() if columns.n_rows)
    records = Records(_ArrowTables(posted), settings, frozenset(TABLES), end)
    ids = pa.array([household["household_id"] for household in households], pa.string())
    records.cache["encoded"] = Encoded(records, encoded, ids)  # where build_matrix looks first
    return records


def _checked(
    as_of: dt.date | None,
    found: Sequence[RequestViolation],
    households: Sequence[Household],
    posted: Mapping[str, PostedColumns],
    settings: Settings,
) -> dict[str, pa.Table]:
    """Return posted tables in Arrow, checked rule by rule.

    Raises
    ------
    RequestInvalid
        With every rule that is broken.
    """
    tables = {name: _PostedTable(columns) for name, columns in posted.items()}
    not_days = chain.from_iterable(table.not_days for table in tables.values())
    _refuse(found, not_days, tables)
    assert as_of is not None  # noqa: S101
    arrow = {name: table.data for name, table in tables.items()} | {"grids": _EMPTY["grids"]}
    _refuse((), violations_of(arrow, settings, to_days(as_of) + 1), tables)
    _refuse(_without_profile(households), (), tables)
    return arrow


def _of_request(
    as_of: dt.date | None, households: Sequence[Household], needed: Collection[str]
) -> Iterator[RequestViolation]:
    """Yield what is wrong with the day and the households asked for, whatever their rows are."""
    needed_in_order = [name for name in HISTORY if name in needed and name != "households"]
    if as_of is None:
        yield RequestViolation(("as_of",), "RR004", _NOT_A_DAY)
    seen: set[str] = set()
    for h, household in enumerate(households):
        household_id = household.get("household_id")
        if household_id in seen:
            yield _of_household(h, "RR011", "Each household once.")
        if household_id is not None:
            seen.add(household_id)
        for name in needed_in_order:
            if name not in household:
                yield RequestViolation(("households", h, name), "RR203", _NOT_STATED)


def _without_profile(households: Sequence[Household]) -> Iterator[RequestViolation]:
    for h, household in enumerate(households):
        if not household.get("households"):
            yield _of_household(h, "RR017", "At least one profile row.")


def _of_household(h: int, code: str, valid: str) -> RequestViolation:
    """Return a violation of a household as a whole; ids and profiles are posted once, whatever rows lack them."""
    column = "households" if code == "RR017" else "household_id"
    return RequestViolation(("households", h, column), code, valid)


class _PostedTable:
    """The rows of one table in Arrow.

    Parameters
    ----------
    posted : PostedColumns
        As they were posted.
    """

    def __init__(self, posted: PostedColumns) -> None:
        self.name = name = posted.name
        #: Dates that are no days of the calendar.
        self.not_days: list[Violation] = []
        self._n_rows = posted.each_n_rows
        self.data = _EMPTY[name]
        if posted.n_rows:
            as_posted = pa.array(posted.rows, _AS_POSTED[name])
            arrays = dict(zip(TABLES[name].columns, as_posted.flatten(), strict=True))
            arrays["household_id"] = pa.array(posted.values("household_id"), pa.string())
            for column in _DATES[name]:
                arrays[column] = self._days(column, arrays[column])
            self.data = pa.Table.from_arrays(list(arrays.values()), schema=self.data.schema)

    def _days(self, column: str, texts: pa.Array) -> pa.Array:
        """Return dates, which are posted as texts; Arrow takes YYYY-MM-DD alone."""
        try:
            return texts.cast(_DATE)
        except pa.ArrowInvalid:
            rows = [row for row, text in enumerate(texts.to_pylist()) if text is not None and not day(text)]
            self.not_days.append(Violation.of_rows("RR004", self.name, column, _NOT_A_DAY, np.array(rows)))
            return pa.nulls(len(texts), _DATE)

    def household(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """Return the positions of the households that rows belong to."""
        return np.searchsorted(np.cumsum(self._n_rows), rows, side="right")

    def place(self, row: int) -> Where:
        """Return where in the request a row was posted."""
        h = int(self.household(np.array([row]))[0])
        return ("households", h, self.name, row - sum(self._n_rows[:h]))


class _ArrowTables(Mapping[str, pa.Table]):
    """Posted tables in Arrow, each made when asked for."""

    def __init__(self, posted: Mapping[str, PostedColumns]) -> None:
        self._posted = posted
        self._made = {"grids": _EMPTY["grids"]}

    def __getitem__(self, name: str) -> pa.Table:
        if name not in self._made:
            self._made[name] = _PostedTable(self._posted[name]).data
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(TABLES)

    def __len__(self) -> int:
        return len(TABLES)


def _refuse(
    found: Iterable[RequestViolation], of_tables: Iterable[Violation], posted: Mapping[str, _PostedTable]
) -> None:
    """Raise what was found, if anything, those of tables at their places in the request."""
    of_households = dict.fromkeys(found)
    of_rows: list[Iterator[RequestViolation]] = []
    n_rows = 0
    for violation in of_tables:
        table = posted[violation.table]
        valid = "Valid: not after as_of." if violation.code == "RR010" else violation.valid
        if violation.column == "household_id":
            positions = np.unique(table.household(violation.at)).tolist()
            of_households |= dict.fromkeys(_of_household(h, violation.code, valid) for h in positions)
        else:
            of_rows.append(_of_rows(violation, table, valid))
            n_rows += violation.n_rows
    if of_households or of_rows:
        listed = list(islice(chain(of_households, *of_rows), MAX_LISTED))
        raise RequestInvalid(listed, len(of_households) + n_rows)


def _of_rows(violation: Violation, table: _PostedTable, valid: str) -> Iterator[RequestViolation]:
    column = () if violation.code == "RR011" else (violation.column,)
    for row in violation.at.tolist():
        yield RequestViolation((*table.place(row), *column), violation.code, valid)
