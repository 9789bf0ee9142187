"""Where households live: ids, villages, grids as first drawn and as redrawn, and their workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.datasets.county.arrays import Flags, Ints, Numbers
from relapse_risk.datasets.county.parameters import CountyParameters
from relapse_risk.dates import to_days
from relapse_risk.records.schema import arrow_schema
from relapse_risk.records.tables import TABLES


@dataclass(frozen=True)
class Plan:
    """Grids as drawn from a day on, and who visits whom."""

    since: int
    ids: pa.Array
    grid: Ints  # of each household
    worker: Ints  # of each household
    ticks_fine: Flags  # workers who tick fine whatever there is
    accuracy: Numbers  # share of what there is that a worker sees
    ticker_sees: float  # the same, of those who tick fine

    def sees(self) -> Numbers:
        """Return the chance that each household's worker sees what there is."""
        return np.where(self.ticks_fine, self.ticker_sees, self.accuracy)[self.worker]


class Place:
    """A township's villages and grids, and where in them each household lives.

    Parameters
    ----------
    number, size : int
        Which township; households.
    rng : Generator
        Of the township as it is founded.
    random : callable
        The township's random numbers, by purpose.
    p : CountyParameters
        Numbers.
    """

    def __init__(
        self, number: int, size: int, rng: np.random.Generator, random: Callable[..., np.random.Generator],
        p: CountyParameters,
    ) -> None:  # fmt: skip
        n_villages = max(1, min(p.villages_per_township, size // p.smallest_village))
        self.village = np.sort(rng.integers(0, n_villages, size))
        within = np.arange(size) - np.searchsorted(self.village, self.village)
        self.township_id = f"T{padded(number, p.n_townships, 2)}"
        villages = [f"{self.township_id}V{padded(v, n_villages, 2)}" for v in range(n_villages)]
        largest = int(within.max(initial=0)) + 1
        self.ids = pa.array(
            [f"{villages[v]}H{padded(k, largest, 4)}" for v, k in zip(self.village, within.tolist(), strict=True)]
        )
        self.village_ids = pa.array(villages)
        self.workers_per_grid = p.workers_per_grid
        self.plans = []
        drawn = (p.start, p.households_per_grid), (p.grids_redrawn_on, p.households_per_grid_redrawn)
        for k, (since, households) in enumerate(drawn):
            per_village = np.bincount(self.village, minlength=n_villages) // households + 1
            grid = (np.cumsum(per_village) - per_village)[self.village] + within // households
            ids = [
                f"{v}G{k + 1}{padded(g, max(per_village), 2)}"
                for v, of in zip(villages, per_village, strict=True)
                for g in range(of)
            ]
            own, n_workers = random(2, k), (int(grid.max(initial=0)) + 1) * p.workers_per_grid
            worker = grid * p.workers_per_grid + own.integers(0, p.workers_per_grid, size)
            ticks, accuracy = own.random(n_workers) < p.ticks_fine, own.uniform(*p.accuracy, n_workers)
            self.plans.append(Plan(to_days(since), pa.array(ids), grid, worker, ticks, accuracy, p.ticker_sees))

    def plan(self, day: int) -> Plan:
        """Return the plan that holds on a day."""
        return [self.plans[0], *(plan for plan in self.plans if plan.since <= day)][-1]

    def worker_ids(self, plan: Plan, rows: Ints) -> pa.Array:
        """Return the ids of the workers of some households."""
        grid, number = np.divmod(plan.worker[rows], self.workers_per_grid)
        numbers = pa.array([f"W{k + 1}" for k in range(self.workers_per_grid)])
        return joined(plan.ids.take(pa.array(grid)), numbers.take(pa.array(number)))

    def grids(self, end: int) -> pa.Table:
        """Return the grids as first drawn and, once it is known, as redrawn."""
        parts = []
        for plan in self.plans:
            if plan.since >= end:
                continue
            day = pa.array([plan.since] * len(plan.ids), pa.int32()).cast(pa.date32())
            columns = {
                "occurred_on": day,
                "known_on": day,
                "grid_id": plan.ids,
                "village_id": pc.utf8_slice_codeunits(plan.ids, 0, len(self.village_ids[0].as_py())),
                "township_id": pa.array([self.township_id] * len(plan.ids)),
                "worker_id": joined(plan.ids, pa.scalar("W1")),
            }
            parts.append(pa.table(columns, schema=arrow_schema(TABLES["grids"])))
        return pa.concat_tables(parts)


def padded(number: int, of: int, digits: int) -> str:
    """Return a number counted from 0 as a text counted from 1, so long that all in order are in order as texts."""
    return f"{number + 1:0{max(digits, len(str(of)))}d}"


def joined(left: pa.Array, right: pa.Array | pa.Scalar) -> pa.Array:
    """Return texts joined by a hyphen."""
    return pc.binary_join_element_wise(left, right, "-")
