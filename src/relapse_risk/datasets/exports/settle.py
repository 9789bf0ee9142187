"""What becomes of the rows of a range of households: versions and sums, on top of the records held."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from relapse_risk.datasets.exports import reject_reasons
from relapse_risk.datasets.exports.checks import CitizenSuspects, RowsByTable, rules_between
from relapse_risk.datasets.exports.gather import contradictions, gather, repeated_rows
from relapse_risk.datasets.exports.held import Held
from relapse_risk.datasets.exports.merge import Counts, first_import, merge
from relapse_risk.datasets.exports.reading import TableRead
from relapse_risk.datasets.exports.same_key import SameKey
from relapse_risk.datasets.exports.spill import Spill
from relapse_risk.datasets.exports.tablerows import TableRows
from relapse_risk.dates import to_days
from relapse_risk.records.order import in_order
from relapse_risk.records.rules_between import violations_between
from relapse_risk.records.schema import empty
from relapse_risk.records.tables import TABLES
from relapse_risk.records.validate import Findings, end_of, violations_within
from relapse_risk.records.violations import Violation
from relapse_risk.settings import Settings


@dataclass
class Settled:
    """What became of some rows.

    Parameters
    ----------
    tables : dict of str to pyarrow.Table
        All tables of the range with the export merged in, in order.
    counts : dict of str to Counts
        By table, what the export changed.
    made : Counter
        Rows made that were not set aside, by table and source.
    rejects : list of Rejects
        Rows set aside.
    broken : list of Violation
        Rules that rows held already would come to break; nothing else is filled then.
    n_held : dict of str to int
        Rows held already.
    findings : Findings
        Rules that the tables break, taking ids with the check sign of a citizen id for such.
    suspects : dict of str to CitizenSuspects
        By table, ids of persons.
    """

    tables: dict[str, pa.Table] = field(default_factory=dict)
    counts: dict[str, Counts] = field(default_factory=dict)
    made: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejects: list[reject_reasons.Rejects] = field(default_factory=list)
    broken: list[Violation] = field(default_factory=list)
    n_held: dict[str, int] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)
    suspects: dict[str, CitizenSuspects] = field(default_factory=dict)


class Settling:
    """Settles the rows of one range of household ids after another; ranges may be settled in any order.

    Tables without households (grids) are settled first, since those with households refer to them.

    Parameters
    ----------
    read : dict of str to TableRead
        What was read.
    rules : dict of str to {"sum", "sum_of_day", "latest", "refuse"}
        By table, what rows that share a key are.
    spill : Spill
        The rows.
    held : Held, optional
        The records held already.
    settings : Settings
        Of the new records.
    exported_on : int
        Day of the export, days since 1970-01-01.
    """

    def __init__(
        self,
        read: Mapping[str, TableRead],
        rules: Mapping[str, SameKey],
        spill: Spill,
        held: Held | None,
        settings: Settings,
        exported_on: int,
    ) -> None:
        self._read = read
        self._rules = rules
        self._spill = spill
        self._held = held
        self._settings = settings
        self._exported_on = exported_on
        self.whole = Settled()
        self._sound_whole: RowsByTable = {}
        self._left_whole: RowsByTable = {}
        self._settle_whole()

    def _settle_whole(self) -> None:
        """Settle the tables without households."""
        held = self._held.tables(0) if self._held else {}
        for name in TABLES:
            if "household_id" in TABLES[name].columns:
                continue
            if name in held:
                self.whole.tables[name] = held[name]
            if name in self._read:
                sound, again = self._rows(name, 0)
                left, found = contradictions(sound, self._rules[name])
                self.whole.rejects += found
                self._sound_whole[name], self._left_whole[name] = sound, left
                self._merge(self.whole, name, left, again, held.get(name))
        self.whole.findings.of_rows += violations_within(self.whole.tables, end_of(self._settings))

    def settle(self, number: int) -> Settled:
        """Settle a range of households."""
        done = Settled()
        held = self._held.tables(number) if self._held else {}
        done.n_held = {name: data.num_rows for name, data in held.items()}
        rows, again = dict(self._sound_whole), {}
        for name in self._read:
            if name not in rows:
                rows[name], again[name] = self._rows(name, number)
        rows, found, done.broken = rules_between(held, rows, self._settings)
        done.rejects += found
        if done.broken:
            return done
        n_sound = len(done.rejects)
        for name in again:
            rows[name], found = contradictions(rows[name], self._rules[name])
            done.rejects += found
        if len(done.rejects) > n_sound or self.whole.rejects:  # a household may have lost its profile or grid
            rows, found, done.broken = rules_between(held, rows | self._left_whole, self._settings)
            done.rejects += found
            if done.broken:
                return done
        for name, repeated in again.items():
            self._merge(done, name, rows.pop(name), repeated, held.get(name))
        kept = held.keys() - self._read.keys() - self.whole.tables.keys()
        done.tables |= {name: in_order(held[name], name) for name in kept}
        self._check(done)
        return done

    def _rows(self, name: str, number: int) -> tuple[TableRows, TableRows]:
        """Return the sound rows of a range of a table, apart from those that repeat another, and the latter."""
        rows = TableRows.of_range(TABLES[name], self._read[name].origins, self._spill, number)
        citizens = self._read[name].suspects.of(rows)
        sound = rows.keep(~rows.with_accounts(citizens))
        repeats = repeated_rows(sound)
        return sound.keep(~repeats), sound.keep(repeats)

    def _merge(self, done: Settled, name: str, fresh: TableRows, again: TableRows, held: pa.Table | None) -> None:
        table, rule = TABLES[name], self._rules[name]
        while True:
            gathered = gather(fresh, rule, self._exported_on)
            if held is not None and self._held is not None:
                merged = merge(table, held, gathered.data, self._exported_on, to_days(self._held.end))
            else:
                merged = first_import(table, gathered.data)
            if not merged.stuck.size:
                break
            stuck = gathered.rows_of(merged.stuck)
            done.rejects += fresh.rejects(reject_reasons.NOTHING_LATER, table.key[-1], stuck)
            fresh = fresh.keep(~np.isin(np.arange(fresh.data.num_rows), stuck))
        done.made += fresh.by_source() + again.by_source()
        done.tables[name] = merged.data
        done.counts[name] = dataclasses.replace(
            merged.counts,
            repeated=again.data.num_rows + gathered.repeated,
            added=gathered.added,
            sums=gathered.sums,
            ends=gathered.ends,
        )

    def _check(self, done: Settled) -> None:
        """Hold the new records to the rules, as whoever reads them does."""
        found = done.findings
        found.of_rows += violations_within(done.tables, end_of(self._settings), lambda _name, _column: True)
        if not found.of_rows:
            every = {name: empty(table) for name, table in TABLES.items()} | self.whole.tables | done.tables
            found.between += violations_between(every, self._settings)
        for name, data in done.tables.items():
            for column, of in TABLES[name].columns.items():
                if of.of_person:
                    done.suspects.setdefault(name, CitizenSuspects()).note(column, data[column])
