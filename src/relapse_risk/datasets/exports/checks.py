"""The record rules on rows of an export: rows that break one are set aside instead of ending the import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.datasets.exports import reject_reasons
from relapse_risk.datasets.exports.tablerows import TableRows
from relapse_risk.errors import ImportRefused
from relapse_risk.records.columns import Table
from relapse_risk.records.rules import violations_of_rows
from relapse_risk.records.rules_between import first_covered_day, violations_between
from relapse_risk.records.schema import empty
from relapse_risk.records.tables import MONEY_TABLES, TABLES
from relapse_risk.records.validate import end_of
from relapse_risk.settings import Settings

RowsByTable = dict[str, TableRows]


def own_rules(rows: TableRows, settings: Settings) -> tuple[TableRows, list[reject_reasons.Rejects]]:
    """Return the rows that keep the rules a row keeps or breaks by itself, and those that do not.

    With a row goes its account: what is left of it would be taken for the whole.
    """
    found: list[reject_reasons.Rejects] = []
    bad = np.zeros(rows.data.num_rows, bool)
    for violation in violations_of_rows(rows.table, rows.data, end_of(settings)):
        found += rows.rejects(violation.code, violation.column, violation.at)
        bad[violation.at] = True
    return rows.keep(~rows.with_accounts(bad)), found


def rules_between(
    held: Mapping[str, pa.Table], rows: RowsByTable, settings: Settings
) -> tuple[RowsByTable, list[reject_reasons.Rejects]]:
    """Return the rows that keep the rules between tables, and those that do not.

    Parameters
    ----------
    held : dict of str to pyarrow.Table
        Rows held already, which count as well.
    rows : dict of str to TableRows
        The export's rows.
    settings : Settings
        For the monitoring line and the items.

    Raises
    ------
    ImportRefused
        If rows already held would come to break a rule (grids that the export has for the first time, say).
    """
    found: list[reject_reasons.Rejects] = []
    n_held = {name: held[name].num_rows if name in held else 0 for name in TABLES}
    while True:
        whole = {name: _below(table, held.get(name), rows.get(name)) for name, table in TABLES.items()}
        bad: dict[str, Any] = {}
        for violation in violations_between(whole, settings):
            name = violation.table
            places = violation.at - n_held[name]
            if (places < 0).any():
                raise ImportRefused(f"rows already held would break a rule: {violation}")
            found += rows[name].rejects(violation.code, violation.column, places)
            bad.setdefault(name, np.zeros(rows[name].data.num_rows, bool))[places] = True
        if not bad:
            return rows, found
        rows = {name: of.keep(~of.with_accounts(bad[name])) if name in bad else of for name, of in rows.items()}


def _below(table: type[Table], held: pa.Table | None, rows: TableRows | None) -> pa.Table:
    return pa.concat_tables([empty(table) if held is None else held, rows.data if rows else empty(table)])


def line_fault(rows: RowsByTable, settings: Settings) -> str | None:
    """Return what is wrong where no monitoring line can hold on any day, None otherwise."""
    if not any(rows[name].data.num_rows for name in MONEY_TABLES if name in rows):
        return None
    townships = (
        set(pc.unique(rows["households"].data["township_id"]).to_pylist()) if "households" in rows else set()
    )
    if first_covered_day(settings, townships) is not None or not townships:
        return None
    return "settings: no monitoring line holds in every township; add line.steps to [settings.line] of the mapping"
