"""Checks of tables against their classes: all violations in one go, none with a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from relapse_risk.dates import to_days
from relapse_risk.records.columns import Table
from relapse_risk.records.conform import conform
from relapse_risk.records.groups import number_groups
from relapse_risk.records.rules import violations_of_rows
from relapse_risk.records.rules_between import violations_between
from relapse_risk.records.schema import empty
from relapse_risk.records.tables import TABLES
from relapse_risk.records.violations import Violation
from relapse_risk.settings import Settings


def check_tables(tables: Mapping[str, pa.Table], settings: Settings) -> tuple[dict[str, pa.Table], list[Violation]]:
    """Return the tables conformed (those absent without rows), and every violation of every rule.

    Parameters
    ----------
    tables : dict of str to pyarrow.Table
        As they were read.
    settings : Settings
        For the data's end, the items and the monitoring line.
    """
    found = missing_tables(tables)
    conformed: dict[str, pa.Table] = {}
    for name, table in TABLES.items():
        data, of_types = conform(table, tables[name]) if name in tables else (empty(table), [])
        found += of_types
        if data is not None and not any(violation.code == "RR002" for violation in of_types):
            conformed[name] = data
    end = end_of(settings)
    if found:
        return conformed, [*found, *_within_tables(conformed, end)]
    return conformed, violations_of(conformed, settings, end)


def violations_of(tables: Mapping[str, pa.Table], settings: Settings, end: int | None) -> list[Violation]:
    """Return every violation of conformed tables.

    Rules between tables are checked once the tables themselves are sound.

    Parameters
    ----------
    tables : dict of str to pyarrow.Table
        All tables, as ``conform`` returns them.
    settings : Settings
        For the items and the monitoring line.
    end : int, optional
        First day that the records do not cover, days since 1970-01-01.
    """
    return _within_tables(tables, end) or violations_between(tables, settings)


def end_of(settings: Settings) -> int | None:
    """Return the first day that the records do not cover (days since 1970-01-01), None where it is not set."""
    return None if settings.data.end is None else to_days(settings.data.end)


def missing_tables(names: Mapping[str, Any]) -> list[Violation]:
    """Return the violations of required tables that are missing."""
    return [
        Violation("RR001", name, "", f"Add {name}.parquet: {(table.__doc__ or '').splitlines()[0]}")
        for name, table in TABLES.items()
        if table.required and name not in names
    ]


def _within_tables(tables: Mapping[str, pa.Table], end: int | None) -> list[Violation]:
    found = []
    for name, data in tables.items():
        table = TABLES[name]
        if not data.num_rows:
            continue
        found += violations_of_rows(table, data, end)
        at = _same_key(table, data)
        if at.size:
            key = ", ".join(table.key)
            valid = f"({key}, known_on) names one row. Keep one; a correction has a later known_on."
            found.append(Violation.of_rows("RR011", name, key, valid, at))
    return found


def _same_key(table: type[Table], data: pa.Table) -> npt.NDArray[np.intp]:
    """Return the rows that share their key and day known with another row."""
    group, n_groups = number_groups(data, (*table.key, "known_on"))
    if n_groups == data.num_rows:
        return np.zeros(0, np.intp)
    return np.flatnonzero(np.bincount(group)[group] > 1)
