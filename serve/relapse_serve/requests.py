"""What may be posted: the record tables' own columns and rules, field by field, and nothing else."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired, Required

import pyarrow as pa
from pydantic import (
    AfterValidator,
    ConfigDict,
    FailFast,
    Field,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    with_config,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from relapse_risk.dates import to_date
from relapse_risk.records import ids
from relapse_risk.records.columns import Column, Kind, Table
from relapse_risk.records.records import Records
from relapse_risk.records.schema import arrow_schema
from relapse_risk.records.tables import MONEY_TABLES, TABLES
from relapse_risk.records.validate import EARLIEST, first_covered_day
from relapse_risk.settings import Settings

MAX_HOUSEHOLDS = 100
#: More rows than any household's table holds in ten years of weekly records.
MAX_ROWS = 5_000
_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
#: Tables a household's history consists of; grids say nothing of one.
HISTORY = tuple(name for name in TABLES if name != "grids")

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a request: where, by field names and positions, and what is valid. Never a value."""

    where: tuple[str | int, ...]
    valid: str


class RequestInvalid(ValueError):
    """A request that cannot be scored.

    Parameters
    ----------
    faults : list of Fault
        What was found.
    readable : bool
        Whether it was JSON at all.
    """

    def __init__(self, faults: list[Fault], *, readable: bool = True) -> None:
        self.faults = faults
        self.readable = readable
        super().__init__(f"{len(faults)} fault(s)")


NOT_JSON = Fault((), "The body must be JSON in UTF-8, not deeply nested, with each field once.")


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("day", "Input should be a day of the calendar") from None


#: Pydantic's own date takes "1704067200", a number of seconds, for a day.
Day = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    AfterValidator(_day),
    WithJsonSchema({"type": "string", "format": "date"}),
]


def _sound(text: str) -> str:
    valid = ids.fault(text)
    if valid is not None:
        raise PydanticCustomError("id", "{valid}", {"valid": valid.removesuffix(".")})
    return text


#: The records' own rule; its pattern holds characters that no schema should show.
Id = Annotated[
    str,
    AfterValidator(_sound),
    WithJsonSchema(
        {"type": "string", "minLength": 1, "maxLength": ids.MAX_LENGTH, "description": ids.VALID.split(";")[0]}
    ),
]


def _constrained(column: Column) -> Any:
    """Return the type of a column's values, with its bounds."""
    bounds = Field(ge=column.minimum, le=column.maximum)
    types: dict[Kind, Callable[[], Any]] = {
        Kind.ID: lambda: Id,
        Kind.TEXT: lambda: Annotated[str, Field(min_length=1, max_length=64)],
        Kind.CODE: lambda: Literal[column.codes.values],  # type: ignore[union-attr]
        Kind.CODE_SET: lambda: Annotated[str, Field(max_length=256, pattern=_code_set(column))],
        Kind.DATE: lambda: Day,
        Kind.INTEGER: lambda: Annotated[int, bounds],
        Kind.NUMBER: lambda: Annotated[float, bounds],
        Kind.FLAG: lambda: bool,
    }
    return types[column.kind]()


def _code_set(column: Column) -> str:
    assert column.codes is not None  # noqa: S101
    code = "(" + "|".join(column.codes.values) + ")"
    return f"^{code}(,{code}){{0,4}}$"


def _row_type(table: type[Table]) -> Any:
    fields = {}
    for name, column in table.columns.items():
        if name == "household_id":
            continue
        of = _constrained(column)
        fields[name] = NotRequired[of | None] if column.nullable or column.optional else Required[of]
    return with_config(_STRICT)(TypedDict(f"{table.__name__}Row", fields))  # type: ignore[operator]


def _request_type() -> Any:
    """Return the type of a request, made of the table classes.

    Of each list of rows the first bad row is told: telling all of a body full of them took gigabytes.
    """
    fields: dict[str, Any] = {"household_id": Required[Id]}
    for name in HISTORY:
        rows: Any = Annotated[list[_row_type(TABLES[name])], Field(max_length=MAX_ROWS), FailFast()]  # type: ignore[misc]
        fields[name] = Required[rows] if name == "households" else NotRequired[rows]
    history: Any = with_config(_STRICT)(TypedDict("HouseholdHistory", fields))  # type: ignore[operator]
    several: Any = Annotated[list[history], Field(min_length=1, max_length=MAX_HOUSEHOLDS)]
    request = {"as_of": Required[Day], "households": Required[several]}
    return with_config(_STRICT)(TypedDict("ScoreRequest", request))  # type: ignore[operator]


_ADAPTER: TypeAdapter[Any] = TypeAdapter(_request_type())


def request_schema() -> dict[str, Any]:
    """Return the JSON schema of a request, for the API's description."""
    return _ADAPTER.json_schema()


def parse(body: bytes, settings: Settings) -> tuple[dt.date, list[str], Records]:
    """Read a request.

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
        With the faults found, or as unreadable where the body is not JSON.
    """
    try:
        request = _ADAPTER.validate_json(body, strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        if any(e["type"] == "json_invalid" for e in found):
            raise RequestInvalid([NOT_JSON], readable=False) from None
        raise RequestInvalid([_fault(e) for e in found]) from None
    _refuse_repeated_fields(body)
    settings = settings.model_copy(update={"data": settings.data.model_copy(update={"end": None})})
    as_of, households = request["as_of"], request["households"]
    faults = list(_faults(as_of, households, settings))
    if faults:
        raise RequestInvalid(faults)
    tables = {name: _table(name, households) for name in HISTORY}
    tables["grids"] = arrow_schema(TABLES["grids"]).empty_table()
    return (
        as_of,
        [h["household_id"] for h in households],
        Records.from_valid(tables, settings, frozenset(TABLES)),
    )


def _refuse_repeated_fields(body: bytes) -> None:
    """Refuse an object that names a field twice: readers differ in which of the two they believe."""

    def once(pairs: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in pairs}) < len(pairs):
            raise RequestInvalid([NOT_JSON], readable=False)

    json.loads(body, object_pairs_hook=once)


def _fault(error: Any) -> Fault:
    """Return pydantic's finding without anything the client sent: its own field names are ours, others are not."""
    where = tuple(
        part if isinstance(part, int) or part in _OUR_WORDS else "(unknown field)" for part in error["loc"]
    )
    if error["type"] == "extra_forbidden":
        return Fault((*where[:-1], "(unknown field)"), "Leave it out: no such field.")
    return Fault(where, f"{error['msg']}.")


_OUR_WORDS = {
    "as_of",
    "households",
    *HISTORY,
    *(column for name in HISTORY for column in TABLES[name].columns),
}


def _faults(as_of: dt.date, households: Rows, settings: Settings) -> Iterator[Fault]:
    seen: set[str] = set()
    for h, household in enumerate(households):
        if household["household_id"] in seen:
            yield Fault(("households", h, "household_id"), "Each household once.")
        seen.add(household["household_id"])
        if not household["households"]:
            yield Fault(("households", h, "households"), "At least one profile row.")
        for name in HISTORY:
            for where, valid in _row_faults(TABLES[name], household.get(name, []), as_of, settings, household):
                yield Fault(("households", h, name, *where), valid)


def _row_faults(
    table: type[Table], rows: Rows, as_of: dt.date, settings: Settings, household: Mapping[str, Any]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Tell what single fields cannot: the table's rules between columns and rows."""
    seen: set[tuple[Any, ...]] = set()
    key = [column for column in (*table.key, "known_on") if column != "household_id"]
    earliest = to_date(EARLIEST)
    covered = first_covered_day(settings, {p.get("township_id") for p in household["households"]})
    for r, row in enumerate(rows):
        for name, column in table.columns.items():
            value = row.get(name)
            if value is None:
                continue
            if column.kind is Kind.DATE and value < earliest:
                yield (r, name), f"{EARLIEST} or later."
            if name in ("occurred_on", "known_on") and value > as_of:
                yield (r, name), "Not after as_of."
            before = row.get(column.not_before) if column.not_before else None
            if before is not None and value < before:
                yield (r, name), f"The same day as {column.not_before} or later."
            whole = row.get(column.at_most) if column.at_most else None
            if whole is not None and value > whole:
                yield (r, name), f"At most {column.at_most}."
        if table.name == "observations" and row["item"] not in settings.items:
            yield (r, "item"), f"One of {', '.join(settings.items) or 'none'}."
        if table.name in MONEY_TABLES and (covered is None or row["occurred_on"] < covered):
            since = covered or "any day"
            yield (
                (r, "occurred_on"),
                f"The model knows no monitoring line before {since}; leave older amounts out.",
            )
        names = tuple(row.get(column) for column in key)
        if names in seen:
            yield (r,), f"({', '.join(key)}) names one row; a correction has a later known_on."
        seen.add(names)


def _table(name: str, households: Rows) -> pa.Table:
    rows = [(h["household_id"], row) for h in households for row in h.get(name, ())]
    schema = arrow_schema(TABLES[name])
    columns = [
        pa.array(
            [i for i, _ in rows] if field.name == "household_id" else [r.get(field.name) for _, r in rows],
            field.type,
        )
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)
