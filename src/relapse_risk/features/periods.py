"""Amounts of several months, split month by month.

A row of m months is m rows of an m-th of its amount: the last on its own day, the earlier ones on the last days of
the months before. All become known, and are replaced by a later version, as the row itself. A longer account also
replaces what rows of earlier days say of its months: two accounts of a year, drawn up half a year apart, both
cover the months between, and those months count once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from relapse_risk.compiled import compiled
from relapse_risk.dates import Days, month_number

Positions = npt.NDArray[np.int64]


class Parts(NamedTuple):
    """The months of longer rows, row by row, the latest month first.

    Parameters
    ----------
    row : ndarray of int64, shape (n_parts,)
        The row each is a part of.
    occurred : ndarray of int32, shape (n_parts,)
        The day of each.
    """

    row: Positions
    occurred: Days


def parts_of(occurred: Days, months: npt.NDArray[np.int64]) -> Parts:
    """Return the parts of rows.

    Parameters
    ----------
    occurred : ndarray of int32, shape (n_rows,)
        Days since 1970-01-01.
    months : ndarray of int64, shape (n_rows,)
        Months each row covers, 1 or more.
    """
    row = np.repeat(np.arange(len(months)), months)
    back = np.arange(len(row)) - np.repeat(np.cumsum(months) - months, months)
    ends = (month_number(occurred)[row] - back + 1).astype("datetime64[M]").astype("datetime64[D]").astype(
        np.int32
    ) - 1
    return Parts(row, np.where(back > 0, ends, occurred[row]).astype(np.int32))


class Pieces(NamedTuple):
    """The times in which parts hold.

    Parameters
    ----------
    part : ndarray of int64, shape (n_pieces,)
        The part each is of.
    known, superseded : ndarray of int32, shape (n_pieces,)
        Days from and until which it holds; equal where it never does.
    """

    part: Positions
    known: Days
    superseded: Days


def pieces_of(
    group: Positions, month: Days, drawn_up: Days, known: Days, superseded: Days, longer: npt.NDArray[np.bool_]
) -> Pieces:
    """Return when parts hold: while no other version of the row does, and no longer row covers the month.

    A longer row that is corrected to fewer months gives back those that it no longer covers, so a part may hold
    twice. A part that does not hold from its first day has a piece without a day there: it was on record.

    Parameters
    ----------
    group : ndarray of int64, shape (n_parts,)
        Equal where household, source and part of the source are.
    month : ndarray of int32, shape (n_parts,)
        Each part's month.
    drawn_up, known, superseded : ndarray of int32, shape (n_parts,)
        Day of the row each is a part of, the day it was known, and the day its next version was.
    longer : ndarray of bool, shape (n_parts,)
        Whether that row covers several months.
    """
    by = np.lexsort((known, drawn_up, month, group))
    ordered = (group[by], month[by], drawn_up[by], known[by], superseded[by], longer[by])
    nothing = np.empty(0, np.int64)
    n_pieces = _pieces(*ordered, nothing, nothing, nothing)
    part, begun, ended = (np.empty(n_pieces, np.int64) for _ in range(3))
    _pieces(*ordered, part, begun, ended)
    return Pieces(by[part], begun.astype(np.int32), ended.astype(np.int32))


@compiled
def _pieces(group, month, drawn_up, known, superseded, longer, part, begun, ended):  # type: ignore[no-untyped-def]
    """Write the pieces of parts that lie month by month, where there is room; return how many there are."""
    n_pieces = 0
    low = 0
    while low < len(group):
        high = low + 1
        while high < len(group) and group[high] == group[low] and month[high] == month[low]:
            high += 1
        for i in range(low, high):
            day = known[i]
            until = superseded[i]
            begins = True
            while True:
                covered = True
                while covered:
                    covered = False
                    for j in range(i + 1, high):
                        if longer[j] and drawn_up[j] > drawn_up[i] and known[j] <= day < superseded[j]:
                            day = superseded[j]
                            covered = True
                if begins and (day > known[i] or day >= until):
                    if len(part):
                        part[n_pieces], begun[n_pieces], ended[n_pieces] = i, known[i], known[i]
                    n_pieces += 1
                begins = False
                if day >= until:
                    break
                end = until
                for j in range(i + 1, high):
                    if longer[j] and drawn_up[j] > drawn_up[i] and day < known[j] < min(end, superseded[j]):
                        end = known[j]
                if len(part):
                    part[n_pieces], begun[n_pieces], ended[n_pieces] = i, day, end
                n_pieces += 1
                day = end
        low = high
    return n_pieces
