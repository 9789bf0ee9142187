"""All rows that an export holds of one record table, each with where it comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from relapse_risk.datasets.exports import reject_reasons
from relapse_risk.datasets.exports.cells import Flags
from relapse_risk.datasets.exports.raw import RowNumbers
from relapse_risk.datasets.exports.rows import Part
from relapse_risk.datasets.exports.spill import Spill
from relapse_risk.records.columns import Table
from relapse_risk.records.groups import number_groups
from relapse_risk.records.rules import compared_with
from relapse_risk.records.schema import arrow_schema


@dataclass(frozen=True)
class Origin:
    """Where some rows of a table come from.

    Parameters
    ----------
    source : str
        File and sheet, or database table.
    headers : dict of str to str
        The county's column of each record column.
    account : int
        See ``Part``.
    """

    source: str
    headers: Mapping[str, str]
    account: int


@dataclass(frozen=True)
class TableRows:
    """Rows of one record table, with where each comes from.

    Parameters
    ----------
    table : type of Table
        Which table.
    data : pyarrow.Table
        The rows.
    parts : sequence of Part or Origin
        Their sources.
    part, rows : ndarray
        Each row's part and number in the source.
    account : ndarray of int64
        Equal for rows that were made of one row of a source and stand or fall together; -1 for all others.
    """

    table: type[Table]
    data: pa.Table
    parts: Sequence[Part | Origin]
    part: npt.NDArray[np.int32]
    rows: RowNumbers
    account: RowNumbers

    @classmethod
    def of_parts(cls, table: type[Table], parts: Sequence[Part]) -> TableRows:
        """Return the parts one below the other."""
        data = pa.concat_tables([arrow_schema(table).empty_table(), *(part.data for part in parts)])
        part = np.repeat(np.arange(len(parts), dtype=np.int32), [p.data.num_rows for p in parts])
        rows = np.concatenate([np.zeros(0, np.int64), *(p.rows for p in parts)])
        return cls(table, data.combine_chunks(), parts, part, rows, _accounts(parts, part, rows))

    @classmethod
    def of_range(cls, table: type[Table], origins: Sequence[Origin], spill: Spill, number: int) -> TableRows:
        """Return the rows of a range of household ids."""
        data, part, rows = spill.read(table, number)
        return cls(table, data, origins, part, rows, _accounts(origins, part, rows))

    def keep(self, good: Flags) -> TableRows:
        """Return the rows marked."""
        if good.all():
            return self
        data = self.data.filter(pa.array(good))
        return TableRows(self.table, data, self.parts, self.part[good], self.rows[good], self.account[good])

    def with_accounts(self, bad: Flags) -> Flags:
        """Return the rows marked, and all others of their accounts."""
        fallen = np.unique(self.account[bad])
        fallen = fallen[fallen >= 0]
        return bad | np.isin(self.account, fallen) if fallen.size else bad

    @cached_property
    def sharing(self) -> tuple[npt.NDArray[np.intp], RowNumbers]:
        """The places of rows that share their key with another row, and a number for each one's key."""
        key, n_keys = number_groups(self.data, self.table.key)
        at = np.flatnonzero(np.bincount(key, minlength=n_keys)[key] > 1)
        return at, key[at]

    def by_source(self) -> Counter[tuple[str, str]]:
        """Return how many rows are of each source, by table and source."""
        found: Counter[tuple[str, str]] = Counter()
        for part, n_rows in enumerate(np.bincount(self.part, minlength=len(self.parts)).tolist()):
            found[self.table.name, self.parts[part].source] += n_rows
        return found

    def rejects(self, code: str, column: str, at: npt.NDArray[np.intp]) -> list[reject_reasons.Rejects]:
        """Return rows as rejects, by the county's own column where it is one."""
        found = []
        declared = self.table.columns.get(column)  # none where several columns make a key
        other = compared_with(declared, code) if declared else None
        for number in np.unique(self.part[at]):
            part = self.parts[number]
            rows = self.rows[at[self.part[at] == number]]
            header = part.headers.get(column, "")
            with_column = (part.headers.get(other) or other) if other else ""
            found.append(
                reject_reasons.Rejects(self.table.name, part.source, header, code, rows, other=with_column)
            )
        return found


def _accounts(
    parts: Sequence[Part | Origin], part: npt.NDArray[np.int32], rows: RowNumbers
) -> npt.NDArray[np.int64]:
    source = np.array([p.account for p in parts], np.int64)[part]
    last = int(rows.max(initial=0)) + 1
    return np.where(source < 0, np.int64(-1), source * last + rows)
