"""Arrow schemas and storage types that follow from the table classes."""

from __future__ import annotations

import pyarrow as pa

from relapse_risk.records.columns import Column, Kind, Table

ARROW_TYPES: dict[Kind, pa.DataType] = {
    Kind.ID: pa.string(),
    Kind.TEXT: pa.string(),
    Kind.CODE: pa.string(),
    Kind.CODE_SET: pa.string(),
    Kind.DATE: pa.date32(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.FLAG: pa.bool_(),
}


def arrow_field(name: str, column: Column) -> pa.Field:
    """Return the Arrow field of a column."""
    return pa.field(name, ARROW_TYPES[column.kind], nullable=True)


def arrow_schema(table: type[Table]) -> pa.Schema:
    """Return the Arrow schema of a table, optional columns included."""
    return pa.schema([arrow_field(name, column) for name, column in table.columns.items()])


def empty(table: type[Table]) -> pa.Table:
    """Return the table without rows."""
    return arrow_schema(table).empty_table()
