"""Tables brought to their declared columns and types."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.records.columns import Column, Kind, Table
from relapse_risk.records.schema import ARROW_TYPES, DICTIONARY, encoded, held_schema
from relapse_risk.records.violations import Violation

_OF_TEXTS = (Kind.ID, Kind.TEXT, Kind.CODE, Kind.CODE_SET)


def conform(table: type[Table], data: pa.Table) -> tuple[pa.Table | None, list[Violation]]:
    """Bring a table's columns to their declared types and order.

    Parameters
    ----------
    table : type of Table
        What the data should be.
    data : pyarrow.Table
        Columns in any order; lossless conversions (whole floats to integers, midnights to dates) are made.

    Returns
    -------
    pyarrow.Table or None
        The conformed table, its texts as dictionaries; None where a column cannot be used at all.
    violations : list of Violation
        Missing and unknown columns, wrong types, ids stored as numbers.
    """
    valid = f"Valid columns: {', '.join(table.columns)}. Rename or drop it."
    violations = [
        Violation("RR003", table.name, name, valid) for name in data.column_names if name not in table.columns
    ]
    schema = held_schema(table)
    arrays: list[pa.ChunkedArray] = []
    for name, column in table.columns.items():
        if name not in data.column_names:
            if not column.optional:
                what = f"{column.kind.value}: {column.en}"
                violations.append(Violation("RR002", table.name, name, f"Add it ({what})."))
            arrays.append(pa.chunked_array([pa.nulls(data.num_rows, schema.field(name).type)]))
            continue
        try:
            arrays.append(_texts(data[name], column) if column.kind in _OF_TEXTS else _cast(data[name], column))
        except pa.ArrowInvalid as error:
            violations.append(_wrong_type(table.name, name, column, str(error)))
    if len(arrays) < len(table.columns):
        return None, violations
    return pa.Table.from_arrays(arrays, schema=schema), violations


def _texts(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    """Return texts as one dictionary, each distinct one once; raise ArrowInvalid where they are no texts."""
    source = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if pa.types.is_null(source):
        return pa.chunked_array([pa.nulls(len(values), DICTIONARY)])
    if not (pa.types.is_string(source) or pa.types.is_large_string(source) or pa.types.is_string_view(source)):
        raise pa.ArrowInvalid("id" if column.kind is Kind.ID else "text")
    whole = encoded(values if values.type == DICTIONARY else values.cast(pa.string()))
    if pc.count_distinct(whole.dictionary).as_py() < len(whole.dictionary):  # one is missing or there twice
        whole = whole.cast(pa.string()).dictionary_encode()
    whole.dictionary.validate(full=True)  # texts are UTF-8
    return pa.chunked_array([whole])


def _cast(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    """Return the values in the declared type; raise ArrowInvalid where that would lose or invent something."""
    target = ARROW_TYPES[column.kind]
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    source = values.type
    if source.equals(target) or pa.types.is_null(source):
        values = values.cast(target)
    elif column.kind is Kind.DATE:
        if not (pa.types.is_timestamp(source) or pa.types.is_date(source)):
            raise pa.ArrowInvalid("date")
        days = values.cast(target)
        if not pc.all(pc.equal(days.cast(source), values)).as_py() and days.null_count < len(days):
            raise pa.ArrowInvalid("a time of day")  # the cast alone would drop it in silence
        values = days
    elif column.kind in (Kind.INTEGER, Kind.NUMBER):
        if not (pa.types.is_integer(source) or pa.types.is_floating(source)):
            raise pa.ArrowInvalid("number")
        values = _without_nan(values).cast(target, safe=True)
    else:
        raise pa.ArrowInvalid("flag")
    return _without_nan(values)


def _without_nan(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_floating(values.type) or not pc.any(pc.is_nan(values)).as_py():
        return values
    return pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)


def _wrong_type(table: str, name: str, column: Column, reason: str) -> Violation:
    if reason == "id":
        return Violation(
            "RR005",
            table,
            name,
            "Ids are text: a number loses digits beyond the 15th and leading zeros. "
            "Export the column as text from the source; converting it here would not bring them back.",
        )
    stored = "UTF-8 text" if column.kind in _OF_TEXTS else ARROW_TYPES[column.kind]
    return Violation("RR004", table, name, f"Valid: {column.kind.value}, stored as {stored}.")
