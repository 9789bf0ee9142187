"""What may be posted: the record tables' own columns, and nothing else.

Reading a body settles what JSON alone raises: its shape, its fields, the types of values. What a value may be is
left to the rules of records, by which files are checked too.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Annotated, Any, NotRequired, Required

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import ConfigDict, FailFast, Field, TypeAdapter, ValidationError, WithJsonSchema, with_config
from typing_extensions import TypedDict

from relapse_risk.dates import to_days
from relapse_risk.records import ids
from relapse_risk.records.columns import Column, Kind, Table
from relapse_risk.records.records import Records
from relapse_risk.records.rules import most_codes, valid_range
from relapse_risk.records.schema import ARROW_TYPES, empty
from relapse_risk.records.tables import TABLES
from relapse_risk.records.validate import violations_of
from relapse_risk.records.violations import RULES, Violation
from relapse_risk.settings import Settings

MAX_HOUSEHOLDS = 100
#: More rows than any household's table holds in ten years of weekly records.
MAX_ROWS = 5_000
#: Violations that an answer lists.
MAX_LISTED = 100
#: Tables that a household's history consists of; grids belong to no household.
HISTORY = tuple(name for name in TABLES if name != "grids")

REQUEST_RULES = {
    "RR201": "body cannot be read",
    "RR202": "more or fewer than one request takes",
}
"""Rules of requests alone, beside ``records.violations.RULES``; a code never changes its meaning."""

_EMPTY = {name: empty(table) for name, table in TABLES.items()}
_DATE = ARROW_TYPES[Kind.DATE]
_DATES = {name: [c for c, column in TABLES[name].columns.items() if column.kind is Kind.DATE] for name in HISTORY}
_AS_POSTED = {
    name: pa.struct([f.with_type(pa.string()) if f.name in _DATES[name] else f for f in _EMPTY[name].schema])
    for name in HISTORY
}
_WRITTEN_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

Where = tuple[str | int, ...]
Household = dict[str, Any]


@dataclass(frozen=True)
class RequestViolation:
    """One rule that a request breaks: where, by field names and positions, and what is valid. Never a value."""

    where: Where
    code: str
    valid: str

    def as_json(self) -> dict[str, Any]:
        """Return what the answer holds of it."""
        rule = REQUEST_RULES.get(self.code) or RULES[self.code]
        return {"where": list(self.where), "code": self.code, "rule": rule, "valid": self.valid}


class RequestInvalid(ValueError):
    """A request that cannot be scored.

    Parameters
    ----------
    violations : list of RequestViolation
        The first of those found.
    n_violations : int
        How many were found.
    readable : bool
        Whether it was JSON at all.
    """

    def __init__(self, violations: list[RequestViolation], n_violations: int, *, readable: bool = True) -> None:
        self.violations = violations
        self.n_violations = n_violations
        self.readable = readable
        super().__init__(f"{n_violations} violation(s)")


def _not_json() -> RequestInvalid:
    valid = "The body must be JSON in UTF-8, not deeply nested, with each field once."
    return RequestInvalid([RequestViolation((), "RR201", valid)], 1, readable=False)


_TYPES: dict[Kind, Any] = {
    Kind.INTEGER: Annotated[int, Field(ge=-(2**63), lt=2**63)],
    Kind.NUMBER: float,
    Kind.FLAG: bool,
}


def _json_schema(column: Column) -> dict[str, Any]:
    """Return what the API's description says of a column's values."""
    text: dict[str, Any] = {"type": "string", "description": column.en}
    bounds = {"minimum": column.minimum, "maximum": column.maximum}
    bounds = {name: bound for name, bound in bounds.items() if bound is not None}
    of_kind: dict[Kind, dict[str, Any]] = {
        Kind.ID: text | {"minLength": 1, "maxLength": ids.MAX_LENGTH},
        Kind.TEXT: text,
        Kind.DATE: text | {"format": "date"},
        Kind.INTEGER: {"type": "integer", "description": column.en} | bounds,
        Kind.NUMBER: {"type": "number", "description": column.en} | bounds,
        Kind.FLAG: {"type": "boolean", "description": column.en},
    }
    if column.codes is None:
        return of_kind[column.kind]
    if column.kind is Kind.CODE:
        return text | {"enum": list(column.codes.values)}
    code = f"({'|'.join(column.codes.values)})"
    return text | {"pattern": f"^{code}(,{code}){{0,{most_codes(column) - 1}}}$"}


def _object_type(name: str, fields: dict[str, Any], required: list[str]) -> Any:
    """Return the type of an object with some fields, of which the description names those that are required."""
    extra: dict[str, Any] = {"required": required}
    strict = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, json_schema_extra=extra)
    return with_config(strict)(TypedDict(name, fields))  # type: ignore[operator]


def _may_be_missing(column: Column) -> bool:
    return column.nullable or column.optional


def _value_type(column: Column) -> Any:
    schema = _json_schema(column)
    if _may_be_missing(column):
        schema = {"anyOf": [schema, {"type": "null"}]}
    return Annotated[_TYPES.get(column.kind, str) | None, WithJsonSchema(schema)]


def _row_type(table: type[Table]) -> Any:
    """Return the type of a table's rows: that a value must be there is a rule of records, and checked as one."""
    columns = {name: column for name, column in table.columns.items() if name != "household_id"}
    fields = {name: NotRequired[_value_type(column)] for name, column in columns.items()}
    required = [name for name, column in columns.items() if not _may_be_missing(column)]
    return _object_type(f"{table.__name__}Row", fields, required)


def _request_type() -> Any:
    """Return the type of a request, made of the table classes.

    Of each list of rows the first row of a wrong type is reported: all of a body full of them took gigabytes.
    """
    household_id = TABLES["households"].columns["household_id"]
    fields: dict[str, Any] = {"household_id": NotRequired[_value_type(household_id)]}
    for name in HISTORY:
        rows: Any = Annotated[list[_row_type(TABLES[name])], Field(max_length=MAX_ROWS), FailFast()]  # type: ignore[misc]
        fields[name] = NotRequired[rows]
    history: Any = _object_type("HouseholdHistory", fields, ["household_id", "households"])
    several: Any = Annotated[list[history], Field(min_length=1, max_length=MAX_HOUSEHOLDS)]
    as_of = Annotated[str, WithJsonSchema({"type": "string", "format": "date", "description": "day to score for"})]
    return _object_type(
        "ScoreRequest", {"as_of": Required[as_of], "households": Required[several]}, ["as_of", "households"]
    )


_ADAPTER: TypeAdapter[Any] = TypeAdapter(_request_type())


def request_schema() -> dict[str, Any]:
    """Return the JSON schema of a request, for the API's description."""
    return _ADAPTER.json_schema()


def parse(body: bytes, settings: Settings) -> tuple[dt.date, list[str], Records]:
    """Read a request and check it by the rules of records.

    Parameters
    ----------
    body : bytes
        JSON.
    settings : Settings
        The model's: which items there are, and since when a monitoring line. Where its training data ended does
        not matter here.

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
    request = _read(body)
    households: list[Household] = request["households"]
    tables = [_PostedTable(name, households) for name in HISTORY]
    as_of = _day(request["as_of"])
    found = [*(() if as_of else (_not_a_day(("as_of",)),)), *_repeated(households)]
    n_found = len(found) + sum(len(table.not_days) for table in tables)
    if as_of is None or n_found:
        of_tables = chain.from_iterable(table.not_days for table in tables)
        raise RequestInvalid(list(islice(chain(found, of_tables), MAX_LISTED)), n_found)
    records = {table.name: table.data for table in tables} | {"grids": _EMPTY["grids"]}
    _refuse(violations_of(records, settings, to_days(as_of) + 1), {table.name: table for table in tables})
    without = [h for h, household in enumerate(households) if not household.get("households")]
    if without:
        raise RequestInvalid(
            [_of_household(h, "RR017", "At least one profile row.") for h in without], len(without)
        )
    settings = settings.model_copy(update={"data": settings.data.model_copy(update={"end": None})})
    return as_of, [h["household_id"] for h in households], Records.from_valid(records, settings, frozenset(TABLES))


def _read(body: bytes) -> dict[str, Any]:
    """Return a body as JSON of the shape of a request."""
    try:
        request: dict[str, Any] = _ADAPTER.validate_json(body, strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        if any(e["type"] == "json_invalid" for e in found):
            raise _not_json() from None
        listed = [_of_shape(e["type"], e["loc"], e["msg"]) for e in found[:MAX_LISTED]]
        raise RequestInvalid(listed, len(found)) from None
    _refuse_repeated_fields(body, request)
    return request


def _refuse_repeated_fields(body: bytes, request: dict[str, Any]) -> None:
    """Refuse an object that names a field twice: readers differ in which of the two they believe."""
    households = request["households"]
    rows = chain.from_iterable(chain.from_iterable(h.get(name, ()) for name in HISTORY) for h in households)
    if body.count(b":") == len(request) + sum(map(len, households)) + sum(map(len, rows)):
        return  # a colon for each field that was read: none was repeated

    def once(pairs: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in pairs}) < len(pairs):
            raise _not_json()

    json.loads(body, object_pairs_hook=once)


_OUR_WORDS = {
    "as_of",
    "households",
    *HISTORY,
    *(column for name in HISTORY for column in TABLES[name].columns),
}


def _of_shape(kind: str, loc: Where, message: str) -> RequestViolation:
    """Return pydantic's finding without anything the client sent: its own field names are ours, others are not."""
    where = tuple(part if isinstance(part, int) or part in _OUR_WORDS else "(unknown field)" for part in loc)
    if kind == "extra_forbidden":
        return RequestViolation((*where[:-1], "(unknown field)"), "RR003", "Leave it out: no such field.")
    if kind == "missing":
        return RequestViolation(where, "RR006", "Every request needs it.")
    if kind in ("too_short", "too_long"):
        valid = f"Valid: 1 to {MAX_HOUSEHOLDS} households, at most {MAX_ROWS:,} rows a table of each."
        return RequestViolation(where, "RR202", valid)
    column = _column_at(loc)
    if column is None:
        return RequestViolation(where, "RR004", f"{message}.")
    if kind in ("finite_number", "greater_than_equal", "less_than"):
        return RequestViolation(where, "RR008", valid_range(column))
    return RequestViolation(where, "RR004", f"Valid: {column.kind.value}.")


def _column_at(loc: Where) -> Column | None:
    """Return the column whose value lies at a place of a request."""
    match loc:
        case ("households", int(), str(table), int(), str(column)) if table in HISTORY:
            return TABLES[table].columns.get(column)
        case ("households", int(), "household_id"):
            return TABLES["households"].columns["household_id"]
    return None


def _repeated(households: list[Household]) -> Iterator[RequestViolation]:
    seen: set[str] = set()
    for h, household in enumerate(households):
        household_id = household.get("household_id")
        if household_id in seen:
            yield _of_household(h, "RR011", "Each household once.")
        if household_id is not None:
            seen.add(household_id)


def _of_household(h: int, code: str, valid: str) -> RequestViolation:
    """Return a violation of a household as a whole; ids and profiles are posted once, whatever rows lack them."""
    column = "households" if code == "RR017" else "household_id"
    return RequestViolation(("households", h, column), code, valid)


class _PostedTable:
    """The rows of one table, of all households of a request.

    Parameters
    ----------
    name : str
        Table name.
    households : list of dict
        As they were posted.
    """

    def __init__(self, name: str, households: list[Household]) -> None:
        self.name = name
        #: Dates that are no days of the calendar.
        self.not_days: list[RequestViolation] = []
        posted: list[list[dict[str, Any]]] = [household.get(name, []) for household in households]
        self._n_rows = [len(rows) for rows in posted]
        self.data = _EMPTY[name]
        if any(self._n_rows):
            as_posted = pa.array(list(chain.from_iterable(posted)), _AS_POSTED[name])
            household_ids = pa.array([household.get("household_id") for household in households], pa.string())
            owners = pa.array(np.repeat(np.arange(len(households)), self._n_rows))
            arrays = dict(zip(TABLES[name].columns, as_posted.flatten(), strict=True))
            arrays["household_id"] = household_ids.take(owners)
            for column in _DATES[name]:
                arrays[column] = self._days(column, arrays[column])
            self.data = pa.Table.from_arrays(list(arrays.values()), schema=self.data.schema)

    def _days(self, column: str, texts: pa.Array) -> pa.Array:
        """Return dates, which are posted as texts; Arrow takes YYYY-MM-DD alone."""
        try:
            return texts.cast(_DATE)
        except pa.ArrowInvalid:
            rows = [row for row, text in enumerate(texts.to_pylist()) if text is not None and not _day(text)]
            self.not_days += [_not_a_day((*self.place(row), column)) for row in rows]
            return pa.nulls(len(texts), _DATE)

    def household(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """Return the positions of the households that rows belong to."""
        return np.searchsorted(np.cumsum(self._n_rows), rows, side="right")

    def place(self, row: int) -> Where:
        """Return where in the request a row was posted."""
        h = int(self.household(np.array([row]))[0])
        return ("households", h, self.name, row - sum(self._n_rows[:h]))


def _day(text: str) -> dt.date | None:
    """Return the day that a text writes as YYYY-MM-DD, None where it does not."""
    try:
        return dt.date.fromisoformat(text) if _WRITTEN_DAY.fullmatch(text) else None
    except ValueError:
        return None


def _not_a_day(where: Where) -> RequestViolation:
    return RequestViolation(where, "RR004", "Valid: a day of the calendar, as 2024-03-01.")


def _refuse(violations: list[Violation], tables: dict[str, _PostedTable]) -> None:
    """Raise what the rules of records found, at its places in the request."""
    of_households: dict[RequestViolation, None] = {}
    of_rows: list[Iterator[RequestViolation]] = []
    n_rows = 0
    for violation in violations:
        table = tables[violation.table]
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
