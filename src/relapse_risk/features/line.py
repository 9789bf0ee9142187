"""The monitoring line of households, as compiled functions read it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from relapse_risk.compiled import inlined_part
from relapse_risk.dates import Days
from relapse_risk.records import visibility


class Line(NamedTuple):
    """The monitoring line of each household and day, as far as its profiles were visible.

    Parameters
    ----------
    offsets : ndarray of int64, shape (n_households + 1,)
        Household h's profiles are ``offsets[h]:offsets[h + 1]``, oldest first.
    occurred, known, superseded : ndarray of int32, shape (n_profiles,)
        Days since 1970-01-01.
    units : ndarray of float64, shape (n_profiles,)
        Members the line counts.
    area : ndarray of int32, shape (n_profiles,)
        Row of ``yuan``.
    yuan : ndarray of float64, shape (n_areas, n_steps + 1)
        Line per counted member and month, from each day on which a line changes somewhere; NaN before any holds.
    """

    offsets: npt.NDArray[np.int64]
    occurred: Days
    known: Days
    superseded: Days
    units: npt.NDArray[np.float64]
    area: Days
    yuan: npt.NDArray[np.float64]


#: An empty line, for plans without money.
NO_LINE = Line(
    offsets=np.zeros(1, np.int64),
    occurred=np.zeros(0, np.int32),
    known=np.zeros(0, np.int32),
    superseded=np.zeros(0, np.int32),
    units=np.zeros(0),
    area=np.zeros(0, np.int32),
    yuan=np.full((1, 1), np.nan),
)

is_visible = inlined_part(visibility.is_visible)


@inlined_part
def line_on(line, household, day, step, as_of):  # type: ignore[no-untyped-def]
    """Return a household's line and that of one head on a day, yuan a month.

    The members are those of the latest visible profile at or before the day, else of the earliest visible one. NaN
    where there is no profile, no number of members or no line yet.

    Parameters
    ----------
    step : int
        Column of ``line.yuan`` on the day.
    as_of : int
        Profiles known before this day are used.
    """
    chosen = -1
    for p in range(line.offsets[household], line.offsets[household + 1]):
        if not is_visible(line.known[p], as_of) or is_visible(line.superseded[p], as_of):
            continue
        if line.occurred[p] > day and chosen >= 0:
            break
        chosen = p
        if line.occurred[p] > day:
            break
    if chosen < 0:
        return np.nan, np.nan
    head = line.yuan[line.area[chosen], step]
    return line.units[chosen] * head, head
