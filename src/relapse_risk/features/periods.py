"""Amounts that stand for several months, told month by month.

A row of m months is m rows of an m-th of its amount: the last on its own day, the earlier ones on the last days of
the months before. All become known, and are replaced by a later version, as the row itself. A longer account also
replaces what rows of earlier days said of its months: two accounts of a year, drawn up half a year apart, both tell
of the months between, and those months count once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from relapse_risk.dates import FAR_FUTURE, Days, month_number

Positions = npt.NDArray[np.int64]


class Parts(NamedTuple):
    """The months of longer rows, row by row, the latest month first.

    Parameters
    ----------
    row : ndarray of int64, shape (n_parts,)
        The row each is a part of.
    occurred : ndarray of int32, shape (n_parts,)
        The day each stands on.
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
        Months each row stands for, 1 or more.
    """
    row = np.repeat(np.arange(len(months)), months)
    back = np.arange(len(row)) - np.repeat(np.cumsum(months) - months, months)
    ends = (month_number(occurred)[row] - back + 1).astype("datetime64[M]").astype("datetime64[D]").astype(
        np.int32
    ) - 1
    return Parts(row, np.where(back > 0, ends, occurred[row]).astype(np.int32))


def replaced_on(alike: Positions, month: Days, drawn_up: Days, known: Days, longer: npt.NDArray[np.bool_]) -> Days:
    """Return the day from which a later, longer row tells of each part's month instead; far in the future for most.

    Parameters
    ----------
    alike : ndarray of int64, shape (n_parts,)
        Equal where household, source and part of the source are.
    month : ndarray of int32, shape (n_parts,)
        Each part's month.
    drawn_up, known : ndarray of int32, shape (n_parts,)
        Day of the row each is a part of, and the day it was known.
    longer : ndarray of bool, shape (n_parts,)
        Whether that row stands for several months.
    """
    by = np.lexsort((drawn_up, month, alike))
    alike, month, drawn_up = alike[by], month[by], drawn_up[by]
    other_month = np.concatenate([[False], (alike[1:] != alike[:-1]) | (month[1:] != month[:-1])])
    other_row = other_month | np.concatenate([[False], drawn_up[1:] != drawn_up[:-1]])
    # The earliest day a longer row was known, among this and all later ones of the month: a running minimum from
    # the end, where each month's days lie so far above those of the month before that it begins anew.
    base = np.cumsum(other_month) << 33
    earliest = np.where(longer[by], known[by].astype(np.int64), int(FAR_FUTURE)) + base
    earliest = np.minimum.accumulate(earliest[::-1])[::-1]
    # Of the rows drawn up later: the first part after this one that another row of the month has.
    n = len(by)
    following = np.append(np.flatnonzero(other_row), n)
    later = following[np.cumsum(other_row)]
    has_later = later < n
    same = np.zeros(n, bool)
    same[has_later] = base[later[has_later]] == base[has_later]
    found = np.full(n, FAR_FUTURE, np.int32)
    found[same] = (earliest[later[same]] - base[same]).astype(np.int32)
    back = np.empty(n, np.int32)
    back[by] = found
    return back
