"""Checks of tables against their classes: all violations in one go, none with a value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa

from relapse_risk.dates import to_days
from relapse_risk.records.conform import conform
from relapse_risk.records.groups import repeated
from relapse_risk.records.rules import ROW_RULES, violations_of_rows
from relapse_risk.records.rules_between import violations_between
from relapse_risk.records.schema import held_schema
from relapse_risk.records.tables import TABLES
from relapse_risk.records.violations import Violation
from relapse_risk.settings import Settings


@dataclass
class Findings:
    """What the rules say of tables, or of a block of them, apart by what was checked.

    Parameters
    ----------
    of_tables : list of Violation
        Of files, tables and columns as wholes.
    unusable : set of str
        Tables that lack a column, a type or a readable file: of them no rows are reported.
    of_rows : list of Violation
        Of rows within their table.
    between : list of Violation
        Of rows that refer to other tables. They count only if nothing else was found: a profile that is not sound
        would make others' rows look wrong.
    """

    of_tables: list[Violation] = field(default_factory=list)
    unusable: set[str] = field(default_factory=set)
    of_rows: list[Violation] = field(default_factory=list)
    between: list[Violation] = field(default_factory=list)

    @property
    def are_none(self) -> bool:
        """Whether no rule is broken."""
        return not (self.of_tables or self.of_rows or self.between)

    @property
    def within(self) -> list[Violation]:
        """All but those between tables."""
        return [*self.of_tables, *self.of_rows]


def reported(findings: Sequence[Findings]) -> list[Violation]:
    """Return the violations of all blocks as those of the whole: the same whatever the blocks.

    Parameters
    ----------
    findings : sequence of Findings
        Of each block, row numbers being those of the files.
    """
    of_tables = list(dict.fromkeys(violation for one in findings for violation in one.of_tables))
    unusable = {name for one in findings for name in one.unusable}
    of_rows = [v for one in findings for v in one.of_rows if v.table not in unusable]
    if of_tables or of_rows:
        return [*sorted(of_tables, key=_place_of_tables), *_merged(of_rows, _place_of_rows)]
    return _merged([violation for one in findings for violation in one.between], _place_between)


def check_tables(tables: Mapping[str, pa.Table], settings: Settings) -> tuple[dict[str, pa.Table], list[Violation]]:
    """Return the tables conformed (those absent without rows), and every violation of every rule.

    Parameters
    ----------
    tables : dict of str to pyarrow.Table
        As they were read.
    settings : Settings
        For the data's end, the items and the monitoring line.
    """
    conformed, found = conform_tables(TABLES, tables)
    found.of_tables[:0] = missing_tables(tables)
    found.of_rows += violations_within(conformed, end_of(settings))
    if not found.within:
        found.between += violations_between(conformed, settings)
    return conformed, reported([found])


def conform_tables(names: Iterable[str], tables: Mapping[str, pa.Table]) -> tuple[dict[str, pa.Table], Findings]:
    """Return tables conformed, without those that cannot be used, and what was found on the way.

    Parameters
    ----------
    names : iterable of str
        The tables wanted; those absent are without rows.
    tables : dict of str to pyarrow.Table
        As they were read.
    """
    found = Findings()
    conformed: dict[str, pa.Table] = {}
    for name in names:
        table = TABLES[name]
        data, violations = (
            conform(table, tables[name]) if name in tables else (held_schema(table).empty_table(), [])
        )
        found.of_tables.extend(violations)
        if data is not None and not any(violation.code == "RR002" for violation in violations):
            conformed[name] = data
        else:
            found.unusable.add(name)
    return conformed, found


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
    return violations_within(tables, end) or violations_between(tables, settings)


def end_of(settings: Settings) -> int | None:
    """Return the first day that the records do not cover (days since 1970-01-01), None where it is not set."""
    return None if settings.data.end is None else to_days(settings.data.end)


def missing_tables(names: Collection[str]) -> list[Violation]:
    """Return the violations of required tables that are missing."""
    return [
        Violation("RR001", name, "", f"Add {name}.parquet: {(table.__doc__ or '').splitlines()[0]}")
        for name, table in TABLES.items()
        if table.required and name not in names
    ]


def violations_within(
    tables: Mapping[str, pa.Table], end: int | None, count_as_citizen_ids: Callable[[str, str], bool] | None = None
) -> list[Violation]:
    """Return every violation of the rules within tables.

    Parameters
    ----------
    tables : dict of str to pyarrow.Table
        Some tables, as ``conform`` returns them.
    end : int, optional
        First day that the records do not cover, days since 1970-01-01.
    count_as_citizen_ids : callable, optional
        Returns whether ids of a table's column that look like citizen ids are such, where these rows are only some
        of the table's.
    """
    found = []
    for name, data in tables.items():
        table = TABLES[name]
        if not data.num_rows:
            continue
        found += violations_of_rows(
            table, data, end, partial(count_as_citizen_ids, name) if count_as_citizen_ids else None
        )
        at = repeated(data, (*table.key, "known_on"))
        if at.size:
            key = ", ".join(table.key)
            valid = f"({key}, known_on) names one row. Keep one; a correction has a later known_on."
            found.append(Violation.of_rows("RR011", name, key, valid, at))
    return found


def _merged(violations: Iterable[Violation], place: Callable[[Violation], Any]) -> list[Violation]:
    """Return violations of blocks, one a rule, in the order in which a whole is checked."""
    by_rule: dict[Any, list[Violation]] = {}
    for violation in violations:
        by_rule.setdefault((violation.code, violation.table, violation.column, place(violation)), []).append(
            violation
        )
    return sorted((Violation.merged(of) for of in by_rule.values()), key=place)


_TABLES = {name: place for place, name in enumerate(TABLES)}
_RULES = {
    (name, rule.code, rule.column, rule.valid): place
    for name, rules in ROW_RULES.items()
    for place, rule in enumerate(rules)
}
_COLUMNS = {(name, column): place for name, table in TABLES.items() for place, column in enumerate(table.columns)}


def _place_of_tables(violation: Violation) -> tuple[Any, ...]:
    """Files first, then missing tables, then columns of each table, those not known first."""
    if violation.code == "RR016":
        return 0, violation.table
    stage = 1 if violation.code == "RR001" else 2
    return stage, _TABLES[violation.table], _COLUMNS.get((violation.table, violation.column), -1)


def _place_of_rows(violation: Violation) -> tuple[int, int]:
    """Table by table: the rules of its columns, then of the data's end, then of its key."""
    key = (violation.table, violation.code, violation.column, violation.valid)
    after = len(_RULES) + _COLUMNS.get((violation.table, violation.column), len(_COLUMNS))
    return _TABLES[violation.table], _RULES.get(key, after)


def _place_between(violation: Violation) -> tuple[int, int]:
    """Grids and items first, then table by table: profiles, then lines."""
    order = ("RR012", "RR013", "RR017", "RR015").index(violation.code)
    return (order, 0) if violation.code in ("RR012", "RR013") else (2 + _TABLES[violation.table], order)
