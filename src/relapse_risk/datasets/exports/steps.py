"""What the reading of a source finds, check by check, where it takes all of its batches to say what it means.

A batch of rows is read with the same checks in the same order as every other, so what they found is put together
place by place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from relapse_risk.datasets.exports import reject_reasons
from relapse_risk.datasets.exports.cells import Cells, Flags
from relapse_risk.datasets.exports.date_cells import AGE
from relapse_risk.datasets.exports.national_form import valid_codes
from relapse_risk.datasets.exports.personal import WITHHELD, may_be_of_person, mostly_names
from relapse_risk.datasets.exports.raw import RowNumbers
from relapse_risk.datasets.exports.texts import are_cut, long_numbers
from relapse_risk.records.citizen_ids import dated_and_right, share_counts
from relapse_risk.records.columns import Column

#: From this share of a column's cells on, a fault is the file's and not the rows'.
OF_THE_FILE = {
    reject_reasons.ID_NUMERIC: 0.5,
    reject_reasons.TEXT_GARBLED: 0.1,
    reject_reasons.CITIZEN_ID: 0.5,
}
#: Reasons with texts listed in the rejects file.
_TEXTS_LISTED = (reject_reasons.CODE_UNKNOWN, reject_reasons.FLAG_UNREADABLE)
#: So many different texts that look like names are no chance: a list of codes has fewer that nobody knows.
_FEWEST_NAMES = 5
_MEND = {
    reject_reasons.ID_NUMERIC: "ids stored as numbers (digits beyond the 15th and leading zeros are lost); export "
    "the column as text from the source system: making it text in the spreadsheet does not bring them back",
    reject_reasons.TEXT_GARBLED: "garbled text: it was decoded in a wrong encoding before it reached this file; "
    "export it again from the source system as UTF-8 or GBK",
    reject_reasons.CITIZEN_ID: "citizen ids (身份证号) are never stored; map the column of the system's own ids "
    "(户编号, 人员编号), or say pseudonym = true for this column, to have keyed hashes stored in their place",
}


class Distinct:
    """Texts of which only the number is asked for: each is kept as a hash of 64 bits."""

    def __init__(self) -> None:
        self._hashes: list[npt.NDArray[np.uint64]] = []
        self._n_loose = 0

    @classmethod
    def of(cls, texts: pa.Array) -> Distinct:
        """Return the distinct ones of some texts."""
        distinct = cls()
        if len(texts):
            distinct._hashes = [pd.util.hash_array(texts.to_numpy(zero_copy_only=False), categorize=False)]
            distinct._n_loose = len(texts)
        return distinct

    def add(self, other: Distinct) -> None:
        """Add other texts."""
        self._hashes += other._hashes
        self._n_loose += other._n_loose
        if self._n_loose > 1 << 22:
            self._pack()

    def __len__(self) -> int:
        self._pack()
        return len(self._hashes[0]) if self._hashes else 0

    def _pack(self) -> None:
        if self._hashes:
            self._hashes = [np.unique(np.concatenate(self._hashes))]
        self._n_loose = 0


@dataclass
class SetAside:
    """Rows that one check sets aside.

    Parameters
    ----------
    table, source, header : str
        For which table, of which source and column of it.
    code : str
        The reason.
    column : Column, optional
        What the texts should have stood for.
    rows : list of ndarray of int64
        Numbers of the rows, batch by batch.
    cells : list of Cells
        Their cells, where what is wrong with them is told from the texts.
    n_filled : int
        Cells that were looked at.
    """

    table: str
    source: str
    header: str
    code: str
    column: Column | None = None
    rows: list[RowNumbers] = field(default_factory=list)
    cells: list[Cells] = field(default_factory=list)
    n_filled: int = 0

    def take(self, rows: RowNumbers, bad: Flags, cells: Cells) -> None:
        """Note which rows of a batch are set aside."""
        if self.code in OF_THE_FILE:
            self.n_filled += int((cells.positions >= 0).sum())
        if bad.any():
            self.rows.append(rows[bad])
            if self._listed or self.code == reject_reasons.DATE_UNREADABLE:
                self.cells.append(cells.take(bad).compact())

    def add(self, later: SetAside) -> None:
        """Add what the check found in a later batch."""
        self.rows += later.rows
        self.cells += later.cells
        self.n_filled += later.n_filled

    def rejects(self) -> list[reject_reasons.Rejects]:
        """Return the rows as rejects: one, or none."""
        if not self.rows:
            return []
        cells = Cells.joined(self.cells) if self.cells else None
        valid, hint = "", ""
        texts: tuple[str, ...] = ()
        if cells is not None and self.column is not None and self._listed:
            valid, texts = ", ".join(valid_codes(self.column)), _listed(cells)
        elif cells is not None:
            hint = _date_hint(cells)
        rows = np.concatenate(self.rows)
        return [
            reject_reasons.Rejects(self.table, self.source, self.header, self.code, rows, valid, hint, "", texts)
        ]

    def faults(self) -> list[str]:
        """Return what is wrong with the source as a whole."""
        n_bad = sum(map(len, self.rows))
        if self.code in OF_THE_FILE and n_bad and n_bad >= OF_THE_FILE[self.code] * self.n_filled:
            return [f"{self.source}: column {self.header}: {_MEND[self.code]}"]
        return []

    @property
    def _listed(self) -> bool:
        return self.column is not None and self.code in _TEXTS_LISTED


@dataclass
class CutIds:
    """Whether a spreadsheet cut a column's long ids.

    Parameters
    ----------
    source, header : str
        The source and its column.
    long, cut : Distinct
        Ids of so many digits that they would be cut, and those of them that look it.
    """

    source: str
    header: str
    long: Distinct
    cut: Distinct

    @classmethod
    def of_batch(cls, source: str, header: str, ids: Cells) -> CutIds:
        """Return what a batch's distinct ids show."""
        long, cut = long_numbers(ids.texts)
        return cls(source, header, Distinct.of(long), Distinct.of(cut))

    def add(self, later: CutIds) -> None:
        """Add what a later batch shows."""
        self.long.add(later.long)
        self.cut.add(later.cut)

    def rejects(self) -> list[reject_reasons.Rejects]:
        """Return nothing: the file is at fault, no row."""
        return []

    def faults(self) -> list[str]:
        """Return what is wrong with the source as a whole."""
        if are_cut(len(self.long), len(self.cut)):
            return [f"{self.source}: column {self.header}: {_MEND[reject_reasons.ID_NUMERIC]}"]
        return []


@dataclass
class CitizenIds(SetAside):
    """Rows that hold citizen ids, if the column's texts are any.

    Only all distinct texts of a column together show whether those with the right check sign have it by chance.

    Parameters
    ----------
    dated, right : Distinct
        Texts with a date where a citizen id has it, and those of them with the right check sign.
    """

    dated: Distinct = field(default_factory=Distinct)
    right: Distinct = field(default_factory=Distinct)

    def judge(self, texts: pa.Array) -> Flags:
        """Return which distinct texts of a batch may be citizen ids, and count them."""
        dated, right = dated_and_right(texts)
        self.dated.add(Distinct.of(texts.filter(pa.array(dated))))
        self.right.add(Distinct.of(texts.filter(pa.array(right))))
        return right

    def add(self, later: SetAside) -> None:
        """Add what the check found in a later batch."""
        super().add(later)
        if isinstance(later, CitizenIds):
            self.dated.add(later.dated)
            self.right.add(later.right)

    @property
    def holds(self) -> bool:
        """Whether they are citizen ids."""
        return share_counts(len(self.dated), len(self.right))


Step = SetAside | CutIds


def add_steps(before: list[Step], later: Sequence[Step]) -> None:
    """Add to what was found so far what the same checks found in a later batch."""
    if not before:
        before += later
        return
    for one, other in zip(before, later, strict=True):
        one.add(other)  # type: ignore[arg-type]


def all_rows(steps: Iterable[Step]) -> RowNumbers:
    """Return the numbers of all rows set aside."""
    rows = [rows for step in steps if isinstance(step, SetAside) for rows in step.rows]
    return np.concatenate([np.zeros(0, np.int64), *rows])


def _date_hint(cells: Cells) -> str:
    """Return what a mapping lacks where most unreadable dates are ages or years."""
    texts = cells.texts.to_pylist()
    times = np.bincount(cells.positions, minlength=len(texts))
    most = len(cells) / 2
    if times[[bool(re.fullmatch(r"-?\d{1,3}岁?", text)) for text in texts]].sum() > most:
        return f'ages? Say unit = "{AGE}" for a month of birth; an age is from 0 to 130'
    if times[[bool(re.fullmatch(r"(19|20)\d\d年?", text)) for text in texts]].sum() > most:
        return 'years? Say coarsest = "year"'
    return ""


def _listed(cells: Cells) -> tuple[str, ...]:
    """Return each row's text for the rejects file, but none that may be of a person: a shifted row has names."""
    texts = cells.texts.to_pylist()
    names = len(texts) >= _FEWEST_NAMES and mostly_names(texts)
    shown = [WITHHELD if names or may_be_of_person(text) else text for text in texts]
    return tuple(shown[position] for position in cells.positions.tolist())
