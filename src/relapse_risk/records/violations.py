"""Violations of the rules of tables, described without any value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

#: How many row numbers a message lists.
ROWS_NAMED = 5


@dataclass(frozen=True)
class Violation:
    """One rule broken in one place.

    Parameters
    ----------
    code : str
        Stable code of the rule (see ``RULES``).
    table, column : str
        Where; the column is empty where the whole table or row is meant.
    valid : str
        What is valid, and what to do.
    n_rows : int
        Rows that break the rule; 0 where it is not a matter of rows.
    rows : tuple of int
        The first few row numbers, the first row being 1.
    at : ndarray of int
        All rows, the first being 0: an import sets them aside. Left out where violations of several blocks were
        merged.
    rank : int
        Of the sentences on what is valid that several blocks give for one rule, that of the highest rank holds.
    """

    code: str
    table: str
    column: str
    valid: str
    n_rows: int = 0
    rows: tuple[int, ...] = ()
    at: npt.NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp), compare=False, repr=False)
    rank: int = field(default=0, compare=False, repr=False)

    @classmethod
    def of_rows(
        cls, code: str, table: str, column: str, valid: str, at: npt.NDArray[np.intp], rank: int = 0
    ) -> Violation:
        """Return the violation of the rows ``at``, the first row being 0."""
        first = tuple(int(row) + 1 for row in at[:ROWS_NAMED])
        return cls(code, table, column, valid, int(at.size), first, at, rank)

    def in_file(self, place: Callable[[npt.NDArray[np.intp]], npt.NDArray[np.intp]]) -> Violation:
        """Return the violation with the rows' numbers in their file, and without the list of all rows.

        Parameters
        ----------
        place : callable
            Returns where rows lie in the file, in the same order.
        """
        if not self.n_rows:
            return self
        rows = tuple(int(row) + 1 for row in place(self.at[:ROWS_NAMED]))
        return replace(self, rows=rows, at=np.zeros(0, np.intp))

    @classmethod
    def merged(cls, of_blocks: Sequence[Violation]) -> Violation:
        """Return violations of one rule in several blocks as one."""
        first = max(of_blocks, key=lambda one: one.rank)
        rows = sorted(row for one in of_blocks for row in one.rows)[:ROWS_NAMED]
        return replace(first, n_rows=sum(one.n_rows for one in of_blocks), rows=tuple(rows))

    def __str__(self) -> str:
        place = f"{self.table}.{self.column}" if self.column else self.table
        where = ""
        if self.n_rows:
            more = ", ..." if self.n_rows > len(self.rows) else ""
            where = f", {self.n_rows} row(s): {', '.join(map(str, self.rows))}{more}"
        return f"[{self.code}] {place}: {RULES[self.code]}{where}. {self.valid}"


RULES: dict[str, str] = {
    "RR001": "table is missing",
    "RR002": "column is missing",
    "RR003": "column is not known",
    "RR004": "wrong type",
    "RR005": "id stored as a number",
    "RR006": "value is missing",
    "RR007": "code is not in the list",
    "RR008": "number is out of range",
    "RR009": "date lies before the date it must follow",
    "RR010": "date lies in the future",
    "RR011": "key is used twice",
    "RR012": "grid is not known",
    "RR013": "item is not declared",
    "RR014": "number exceeds the number it is part of",
    "RR015": "no monitoring line holds",
    "RR016": "file cannot be read",
    "RR017": "household has no profile",
    "RR018": "id is not well-formed",
    "RR019": "date lies after the date it must not follow",
    "RR020": "id is a citizen id",
    "RR021": "codes do not go together",
}
"""The text of each rule; a code never changes its meaning."""
