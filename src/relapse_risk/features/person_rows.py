"""Persons of households: their rows in ``members`` and ``employment``, and where each one's lie.

A person is a household and a person id, in the order of the households and, within one, of the ids as texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.dates import Days
from relapse_risk.features.declare import PERSON_TABLES

if TYPE_CHECKING:
    from relapse_risk.features.columns import Texts
    from relapse_risk.features.encode import EncodedTable

Integers = npt.NDArray[np.int64]
#: Fewer texts than this are ranked faster here than by Arrow, in the same order.
_FEW = 64


class PersonRows(NamedTuple):
    """A table's rows person by person.

    Parameters
    ----------
    order : ndarray of int64, shape (n_rows,)
        Positions of the table's rows, sorted by person; one person's in the table's order.
    person : ndarray of int32, shape (n_rows,)
        Each row's person, in that order.
    """

    order: Integers
    person: Days


class Persons:
    """All persons of some records.

    Parameters
    ----------
    members, employment : EncodedTable
        The tables that record persons; a person may be in one of them alone.
    n_households : int
        Households of the records.

    Attributes
    ----------
    household : ndarray of int32, shape (n_persons,)
        Each person's household.
    offsets : ndarray of int64, shape (n_households + 1,)
        Household h's persons are ``offsets[h]:offsets[h + 1]``.
    """

    def __init__(self, members: EncodedTable, employment: EncodedTable, n_households: int) -> None:
        tables = (members, employment)
        rank = _ranks([t.texts("person_id") for t in tables])
        n_ids = int(rank.max(initial=0)) + 1
        household = np.concatenate([t.household for t in tables]).astype(np.int64)
        keys, of_row = np.unique(household * n_ids + rank, return_inverse=True)
        self.household: Days = (keys // n_ids).astype(np.int32)
        self.offsets: Integers = np.searchsorted(self.household, np.arange(n_households + 1))
        self._rows: dict[str, PersonRows] = {}
        for name, of_table in zip(PERSON_TABLES, (of_row[: len(members)], of_row[len(members) :]), strict=True):
            order = np.argsort(of_table, kind="stable")
            self._rows[name] = PersonRows(order, of_table[order].astype(np.int32))

    def __len__(self) -> int:
        return len(self.household)

    def rows(self, table: str) -> PersonRows:
        """Return a table's rows person by person."""
        return self._rows[table]


def _ranks(columns: Sequence[Texts]) -> Integers:
    """Return each row's rank among the different texts of all columns, one column after another."""
    n_distinct = sum(len(of.distinct) for of in columns)
    if n_distinct < _FEW:
        texts = [text for of in columns for text in of.distinct.to_pylist()]
        place = {text: k for k, text in enumerate(sorted(set(texts)))}
        rank = np.array([place[text] for text in texts], np.int64)
    else:
        distinct = pa.concat_arrays([of.distinct for of in columns])
        rank = np.asarray(pc.rank(distinct, tiebreaker="dense")).astype(np.int64) - 1
    of_rows, low = [], 0
    for of in columns:
        of_rows.append(rank[low : low + len(of.distinct)][of.code])
        low += len(of.distinct)
    return np.concatenate(of_rows)
