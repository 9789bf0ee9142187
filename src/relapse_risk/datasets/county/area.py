"""Events that hit a whole area: epidemic, flood, drought, price slump."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relapse_risk.datasets.county.livelihoods import LIVELIHOODS
from relapse_risk.datasets.county.parameters import AREA_SHOCKS
from relapse_risk.dates import add_months, to_days

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Area:
    """What area-wide events do to a township's households in a month.

    Parameters
    ----------
    hazard, income, job_loss, migration : ndarray of float, shape (n,)
        Added to the log hazard; what is left of income; added to the chance of losing work; factor on the chance
        of leaving for work.
    hit : dict of str to ndarray of bool
        Whom the events that begin this month touch, by kind.
    """

    hazard: Numbers
    income: Numbers
    job_loss: Numbers
    migration: Numbers
    hit: dict[str, Flags]


def area_of(month: dt.date, livelihood: npt.NDArray[np.int64], rng: Callable[..., np.random.Generator]) -> Area:
    """Return what area-wide events do to a township in a month.

    Parameters
    ----------
    month : date
        Its first day.
    livelihood : ndarray of int, shape (n,)
        Of each household.
    rng : callable
        The township's random numbers, by purpose.
    """
    n = len(livelihood)
    area = Area(np.zeros(n), np.ones(n), np.zeros(n), np.ones(n), {})
    for number, event in enumerate(AREA_SHOCKS):
        begins = to_days(event.first)
        lasts = begins <= to_days(month) < int(add_months(begins, event.months))
        if not lasts or rng(4, number).random() >= event.townships:
            continue
        touched = np.array([name in event.income for name in LIVELIHOODS])[livelihood]
        area.hazard[touched] += event.hazard
        area.income[:] *= np.array([event.income.get(name, 1.0) for name in LIVELIHOODS])[livelihood]
        area.job_loss[touched] += event.job_loss
        area.migration[touched] *= event.migration
        if month == event.first:
            area.hit[event.kind] = touched
    return area
