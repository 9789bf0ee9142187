"""The shape of a request: what JSON alone raises, its fields and the types of values, made of the table classes.

What a value may be is left to the rules of records.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from itertools import chain
from typing import Annotated, Any, NotRequired, Required

from pydantic import ConfigDict, FailFast, Field, TypeAdapter, ValidationError, WithJsonSchema, with_config
from typing_extensions import TypedDict

from relapse_risk.records import ids
from relapse_risk.records.columns import Column, Kind, Table
from relapse_risk.records.rules import most_codes, valid_range
from relapse_risk.records.tables import TABLES
from relapse_serve.refusals import MAX_LISTED, RequestInvalid, RequestViolation, Where, not_json

MAX_HOUSEHOLDS = 100
#: More rows than any household's table holds in ten years of weekly records.
MAX_ROWS = 5_000
#: Tables that a household's history consists of; grids belong to no household.
HISTORY = tuple(name for name in TABLES if name != "grids")

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
    alone = column.codes.alone
    code = f"({'|'.join(code for code in column.codes.values if code != alone)})"
    several = f"{code}(,{code}){{0,{most_codes(column) - 1}}}"
    return text | {"pattern": f"^({alone}|{several})$" if alone else f"^{several}$"}


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


def request_schema(needed: Collection[str]) -> dict[str, Any]:
    """Return the JSON schema of a request to a model that needs some tables, for the API's description."""
    schema = _ADAPTER.json_schema()
    history = schema["$defs"]["HouseholdHistory"]
    history["required"] = ["household_id", *(name for name in HISTORY if name in {"households", *needed})]
    return schema


def read(body: bytes) -> dict[str, Any]:
    """Return a body as JSON of the shape of a request.

    Raises
    ------
    RequestInvalid
        If it is not JSON, or of another shape.
    """
    try:
        request: dict[str, Any] = _ADAPTER.validate_json(body, strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        if any(e["type"] == "json_invalid" for e in found):
            raise not_json() from None
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
            raise not_json()

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
