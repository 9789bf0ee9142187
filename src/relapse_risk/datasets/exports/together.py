"""What became of all ranges of an import together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from functools import partial

import numpy as np

from relapse_risk.datasets.exports import reject_reasons
from relapse_risk.datasets.exports.checks import CITIZEN_ID, CitizenSuspects
from relapse_risk.datasets.exports.merge import Counts
from relapse_risk.datasets.exports.settle import Settled
from relapse_risk.records.validate import Findings, reported
from relapse_risk.records.violations import Violation


class Together:
    """Sums of what became of ranges, added in their order.

    Attributes
    ----------
    counts : dict of str to Counts
        By table, what the export changed.
    made : Counter
        Rows made that were not set aside, by table and source.
    n_rows : Counter
        Rows of each table.
    rejects : list of Rejects
        Rows set aside.
    """

    def __init__(self) -> None:
        self.counts: dict[str, Counts] = {}
        self.made: Counter[tuple[str, str]] = Counter()
        self.n_rows: Counter[str] = Counter()
        self.rejects: list[reject_reasons.Rejects] = []
        self._n_held: Counter[str] = Counter()
        self._broken: list[Findings] = []
        self._findings: list[Findings] = []
        self._suspects: dict[str, CitizenSuspects] = defaultdict(CitizenSuspects)

    def add(self, done: Settled) -> None:
        """Add what became of the next range."""
        for name, counts in done.counts.items():
            before = self.counts.get(name, Counts(0))
            both = zip(astuple(before), astuple(counts), strict=True)
            self.counts[name] = Counts(*(one + other for one, other in both))
        self.made += done.made
        self.rejects += done.rejects
        self._broken.append(Findings(between=_further_down(done.broken, self._n_held)))
        of_rows, between = done.findings.of_rows, done.findings.between
        rows = Findings(of_rows=_further_down(of_rows, self.n_rows), between=_further_down(between, self.n_rows))
        self._findings.append(rows)
        for name, suspects in done.suspects.items():
            self._suspects[name].add(suspects)
        self._n_held.update(done.n_held)
        self.n_rows.update({name: data.num_rows for name, data in done.tables.items()})

    @property
    def broken(self) -> list[Violation]:
        """Rules that rows held already would come to break."""
        return reported(self._broken)

    def violations(self) -> list[Violation]:
        """Return the rules that the new records break, with the numbers of their rows."""
        citizens = {(name, column) for name, of in self._suspects.items() for column in of.columns()}
        for found in self._findings:
            found.of_rows = [v for v in found.of_rows if v.code != CITIZEN_ID or (v.table, v.column) in citizens]
        return reported(self._findings)


def _further_down(violations: Sequence[Violation], before: Mapping[str, int]) -> list[Violation]:
    """Return violations with the numbers that rows have below others of their table."""
    return [found.in_file(partial(np.add, before[found.table])) for found in violations]
