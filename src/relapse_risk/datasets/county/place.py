"""Where households live: ids, villages, grids as first drawn and as redrawn, and their workers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.datasets.county import visiting
from relapse_risk.datasets.county.parameters import CountyParameters
from relapse_risk.dates import to_days
from relapse_risk.records.schema import arrow_schema
from relapse_risk.records.tables import TABLES


class Place:
    """A township's villages and grids, and where in them each household lives.

    Parameters
    ----------
    number, size : int
        Which township; households.
    rng : Generator
        Of the township as it is found.
    rng_of : callable
        The township's random numbers, by purpose.
    p : CountyParameters
        Numbers.
    """

    def __init__(
        self,
        number: int,
        size: int,
        rng: np.random.Generator,
        rng_of: Callable[..., np.random.Generator],
        p: CountyParameters,
    ) -> None:
        n, t = size, number + 1
        self._redrawn_on, self._start = p.grids_redrawn_on, p.start
        n_villages = max(1, min(p.villages_per_township, n // 40))
        self.village = np.sort(rng.integers(0, n_villages, n))
        place = np.arange(n) - np.searchsorted(self.village, self.village)
        self.ids = pa.array([f"T{t:02d}V{v + 1:02d}H{k + 1:04d}" for v, k in zip(self.village, place, strict=True)])
        self.township_id = f"T{t:02d}"
        self.village_ids = pa.array([f"T{t:02d}V{v + 1:02d}" for v in range(n_villages)])
        self.grid_plans = []
        for plan, of in enumerate((p.households_per_grid, p.households_per_grid_redrawn)):
            grid = place // of
            first = np.concatenate([[0], np.cumsum(np.bincount(self.village, minlength=n_villages) // of + 1)])
            names = [
                f"T{t:02d}V{v + 1:02d}G{plan + 1}{k + 1:02d}"
                for v in range(n_villages)
                for k in range(first[v + 1] - first[v])
            ]
            of_household = first[self.village] + grid
            workers = visiting.Workers.of(of_household, rng_of(2, plan), p)
            self.grid_plans.append((of_household, pa.array(names), workers))

    def grids(self, end: int) -> pa.Table:
        """Return the grids as first drawn and, once it is known, as redrawn."""
        schema = arrow_schema(TABLES["grids"])
        parts = []
        for plan, since in enumerate((to_days(self._start), to_days(self._redrawn_on))):
            names = self.grid_plans[plan][1].to_pylist()
            if since >= end:
                continue
            day = pa.array([since] * len(names), pa.int32()).cast(pa.date32())
            columns = {
                "occurred_on": day,
                "known_on": day,
                "grid_id": pa.array(names),
                "village_id": pa.array([name[:6] for name in names]),
                "township_id": pa.array([self.township_id] * len(names)),
                "worker_id": pa.array([f"{name}-W1" for name in names]),
            }
            parts.append(pa.table(columns, schema=schema))
        return pa.concat_tables(parts)


def joined(left: pa.Array, right: pa.Array) -> pa.Array:
    """Return texts joined by a hyphen."""
    return pc.binary_join_element_wise(left, right, "-")
