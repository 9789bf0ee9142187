"""Visits: who comes, what there is to see, what the worker writes down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relapse_risk.datasets.county.parameters import CountyParameters
from relapse_risk.datasets.county.people import People
from relapse_risk.datasets.county.registry import SHOCKS, Standing
from relapse_risk.features.derive import LOOKS

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]


@dataclass
class Workers:
    """Grid workers of a township.

    Parameters
    ----------
    of_household : ndarray of int, shape (n,)
        Number of each household's worker.
    ticks_fine : ndarray of bool, shape (n_workers,)
        Whether a worker ticks fine whatever there is.
    accuracy : ndarray of float, shape (n_workers,)
        Share of what is there that a worker sees.
    """

    of_household: Codes
    ticks_fine: Flags
    accuracy: Numbers

    @classmethod
    def of(cls, grid: Codes, rng: np.random.Generator, p: CountyParameters) -> Workers:
        """Return the workers of grids; each household has one of its grid's."""
        n_workers = (int(grid.max(initial=0)) + 1) * p.workers_per_grid
        return cls(
            of_household=grid * p.workers_per_grid + rng.integers(0, p.workers_per_grid, len(grid)),
            ticks_fine=rng.random(n_workers) < p.ticks_fine,
            accuracy=rng.uniform(*p.accuracy, n_workers),
        )

    def sees(self) -> Numbers:
        """Return the chance that each household's worker sees what is there."""
        return np.where(self.ticks_fine, 0.08, self.accuracy)[self.of_household]


def what_there_is(
    standing: Standing,
    people: People,
    housing: Codes,
    tap_trouble: Flags,
    income_to_line: Numbers,
    recent_to_line: Numbers,
) -> Codes:
    """Return the six grades an all-seeing worker would give, shape (6, n), in the order of the looks."""
    shocks = {kind: standing.shocks[k] for k, kind in enumerate(SHOCKS)}
    counts = people.counts()
    disorder = 0.5 * standing.unseen + 0.6 * (housing >= 2)
    yard = _grade(disorder, 0.7, 1.5)
    house = np.where(housing >= 3, 2, np.where(housing == 2, 1, _grade(disorder, 1.5, 9.0)))
    want = 1.2 - recent_to_line + 0.2 * standing.unseen
    cupboard = _grade(want, 0.55, 1.15)
    tap = np.where(tap_trouble, 2, 0)
    ill = shocks["illness"] + shocks["accident"] + 0.5 * (counts[:, 5] > 0) + 0.3 * (counts[:, 4] > 0)
    health = _grade(ill, 0.28, 0.85)
    dropout = (people.dropout & people.here).any(axis=1)
    fees = (people.beyond_school().sum(axis=1) > 0) & (income_to_line < 1.6)
    children = np.where(dropout, 2, np.where(fees, 1, 0))
    return np.stack([yard, house, cupboard, tap, health, children]).astype(np.int64)


def _grade(trouble: Numbers, concern: float, serious: float) -> Codes:
    return (trouble >= concern).astype(np.int64) + (trouble >= serious)


def written_down(
    grades: Codes, sees: Numbers, has_children: Flags, absent: Flags, rng: np.random.Generator
) -> Numbers:
    """Return the grades as entered, shape (6, n): missed, overdone, or left out; NaN where not looked at."""
    shape = grades.shape
    draw = rng.random(shape)
    seen = np.where(draw < sees, grades, 0)
    slight = (draw > 0.985) & (sees > 0.3)
    entered = np.where(slight & (seen < 2), seen + 1, seen).astype(float)
    entered[rng.random(shape) < 0.04] = np.nan
    entered[:, absent] = np.nan
    entered[0, absent] = 0.0  # the yard can be seen from the road
    entered[LOOKS.index("children"), ~has_children] = np.nan
    return entered
