"""The record rules on rows of an export: rows that break one are set aside instead of ending the import."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.datasets.exports import reject_reasons
from relapse_risk.datasets.exports.cells import Flags
from relapse_risk.datasets.exports.steps import Distinct
from relapse_risk.datasets.exports.tablerows import TableRows
from relapse_risk.records.citizen_ids import dated_and_right, share_counts
from relapse_risk.records.columns import Table
from relapse_risk.records.rules import violations_of_rows
from relapse_risk.records.rules_between import first_covered_day, violations_between
from relapse_risk.records.schema import empty
from relapse_risk.records.tables import TABLES
from relapse_risk.records.validate import end_of
from relapse_risk.records.violations import Violation
from relapse_risk.settings import Settings

RowsByTable = dict[str, TableRows]
#: The record rule that all rows of a table together keep or break.
CITIZEN_ID = "RR020"


def own_rules(rows: TableRows, settings: Settings) -> tuple[TableRows, list[reject_reasons.Rejects]]:
    """Return the rows that keep the rules a row keeps or breaks by itself, and those that do not.

    With a row goes its account: what is left of it would be taken for the whole. Whether ids of persons are citizen
    ids is left to ``CitizenSuspects``: it takes all rows of the table.
    """
    found: list[reject_reasons.Rejects] = []
    bad = np.zeros(rows.data.num_rows, bool)
    for violation in violations_of_rows(rows.table, rows.data, end_of(settings), lambda _: False):
        found += rows.rejects(violation.code, violation.column, violation.at)
        bad[violation.at] = True
    return rows.keep(~rows.with_accounts(bad)), found


@dataclass
class CitizenSuspects:
    """Ids of persons that may be citizen ids, and the rows of one table that have them.

    Parameters
    ----------
    dated, right : dict of str to Distinct
        By column, the ids with a date where a citizen id has it, and those of them with the right check sign.
    ids : dict of str to set of str
        By column, the latter.
    rows : dict of str to list of Rejects
        By column, their rows.
    """

    dated: dict[str, Distinct] = field(default_factory=lambda: defaultdict(Distinct))
    right: dict[str, Distinct] = field(default_factory=lambda: defaultdict(Distinct))
    ids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    rows: dict[str, list[reject_reasons.Rejects]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of_rows(cls, rows: TableRows) -> CitizenSuspects:
        """Return those of a batch of rows."""
        found = cls()
        for name, column in rows.table.columns.items():
            if column.of_person:
                right = found.note(name, rows.data[name])
                if right.size:
                    found.rows[name] += rows.rejects(CITIZEN_ID, name, right)
        return found

    def note(self, name: str, values: pa.ChunkedArray) -> npt.NDArray[np.intp]:
        """Count the distinct ids of a column, and return the rows that have one with the right check sign."""
        distinct = pc.unique(values)
        dated, right = dated_and_right(distinct)
        if not dated.any():
            return np.zeros(0, np.intp)
        self.dated[name].add(Distinct.of(distinct.filter(pa.array(dated))))
        texts = distinct.filter(pa.array(right))
        self.right[name].add(Distinct.of(texts))
        self.ids[name].update(texts.to_pylist())
        return np.flatnonzero(np.asarray(pc.is_in(values, value_set=texts)))

    def add(self, other: CitizenSuspects) -> None:
        """Add those of other rows."""
        for name in other.dated:
            self.dated[name].add(other.dated[name])
            self.right[name].add(other.right[name])
            self.ids[name] |= other.ids[name]
            self.rows[name] += other.rows[name]

    def columns(self) -> list[str]:
        """Return the columns that hold citizen ids."""
        return [
            name
            for name in self.ids
            if self.ids[name] and share_counts(len(self.dated[name]), len(self.right[name]))
        ]

    def rejects(self) -> list[reject_reasons.Rejects]:
        """Return the rows set aside for citizen ids."""
        return [found for name in self.columns() for found in self.rows[name]]

    def of(self, rows: TableRows) -> Flags:
        """Return which rows have a citizen id."""
        bad = np.zeros(rows.data.num_rows, bool)
        for name in self.columns():
            bad |= np.asarray(pc.is_in(rows.data[name], value_set=pa.array(sorted(self.ids[name]), pa.string())))
        return bad


def rules_between(
    held: Mapping[str, pa.Table], rows: RowsByTable, settings: Settings
) -> tuple[RowsByTable, list[reject_reasons.Rejects], list[Violation]]:
    """Return the rows that keep the rules between tables, and those that do not.

    Rows held already would come to break a rule where the export has grids for the first time, say: their
    violations are returned as well, and end the import.

    Parameters
    ----------
    held : dict of str to pyarrow.Table
        Rows held already, which count as well.
    rows : dict of str to TableRows
        The export's rows.
    settings : Settings
        For the monitoring line and the items.
    """
    found: list[reject_reasons.Rejects] = []
    n_held = {name: held[name].num_rows if name in held else 0 for name in TABLES}
    while True:
        whole = {name: _below(table, held.get(name), rows.get(name)) for name, table in TABLES.items()}
        bad: dict[str, Any] = {}
        violations = violations_between(whole, settings)
        broken = [_of_rows(v, v.at[v.at < n_held[v.table]]) for v in violations if v.at[0] < n_held[v.table]]
        if broken:
            return rows, found, broken
        for violation in violations:
            name = violation.table
            places = violation.at - n_held[name]
            found += rows[name].rejects(violation.code, violation.column, places)
            bad.setdefault(name, np.zeros(rows[name].data.num_rows, bool))[places] = True
        if not bad:
            return rows, found, []
        rows = {name: of.keep(~of.with_accounts(bad[name])) if name in bad else of for name, of in rows.items()}


def _of_rows(violation: Violation, at: npt.NDArray[np.intp]) -> Violation:
    return Violation.of_rows(violation.code, violation.table, violation.column, violation.valid, at, violation.rank)


def _below(table: type[Table], held: pa.Table | None, rows: TableRows | None) -> pa.Table:
    return pa.concat_tables([empty(table) if held is None else held, rows.data if rows else empty(table)])


def line_fault(settings: Settings, townships: Collection[str | None]) -> str | None:
    """Return what is wrong where no monitoring line can hold on any day in some townships, None otherwise."""
    if not townships or first_covered_day(settings, townships) is not None:
        return None
    return "settings: no monitoring line holds in every township; add line.steps to [settings.line] of the mapping"
