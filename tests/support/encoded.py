"""What the engine reads of a table, as arrays to compare."""

from __future__ import annotations

from typing import Any

from relapse_risk.features.encode import EncodedTable
from relapse_risk.records.columns import Kind
from relapse_risk.records.tables import TABLES


def arrays(table: EncodedTable) -> dict[Any, Any]:
    """Return the arrays of a table, and each column in the forms it can be asked for."""
    found: dict[Any, Any] = {
        a: getattr(table, a) for a in ("household", "occurred", "known", "superseded", "month")
    }
    for name, column in TABLES[table.name].columns.items():
        if column.kind in (Kind.ID, Kind.CODE_SET):
            found[name] = table.column(name).to_pylist()
        else:
            found[name] = table.number(name)
    return found
