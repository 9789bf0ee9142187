"""Scores as a ranked list: the households of each grid, riskiest first."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from relapse_risk.cohorts import cycles
from relapse_risk.dates import add_months, from_days, to_days
from relapse_risk.errors import UsageError
from relapse_risk.model.bundle import Bundle
from relapse_risk.records.records import Records
from relapse_risk.settings import CycleSettings

if TYPE_CHECKING:
    import pandas as pd


def as_of_date(as_of: dt.date | None, cycle: str | None, settings: CycleSettings) -> dt.date:
    """Return the day to score for: the given one, or the first day of the cycle that begins in a month.

    Raises
    ------
    UsageError
        If neither or both are given, or no cycle begins in the month.
    """
    if (as_of is None) == (cycle is None):
        raise UsageError("give --as-of YYYY-MM-DD or --cycle YYYY-MM, one of them")
    if as_of is not None or cycle is None:
        assert as_of is not None  # noqa: S101
        return as_of
    if not re.fullmatch(r"(?!0000)\d{4}-(0[1-9]|1[0-2])", cycle):
        raise UsageError(f"--cycle {cycle!r}: a month is needed, as 2024-03")
    first = to_days(f"{cycle}-01")
    within = cycles(settings, from_days(first), _months_on(first, 1))
    if not within:
        around = max(12, settings.months)
        near = cycles(settings, _months_on(first, -around), _months_on(first, around + 1))
        months = ", ".join(day.isoformat()[:7] for day in near)
        raise UsageError(f"no visit cycle begins in {cycle}. Cycles near it begin in {months}.")
    return within[0]  # the only one: a cycle is at least a month long


def _months_on(days: int, months: int) -> dt.date:
    """Return the date some months later, at most the last date of the calendar."""
    moved = int(add_months(days, months))
    return from_days(min(max(moved, to_days(dt.date.min)), to_days(dt.date.max)))


def ranked(bundle: Bundle, records: Records, as_of: dt.date) -> pd.DataFrame:
    """Return the scores of the cohort with the grid of each household and its place in it.

    Parameters
    ----------
    bundle : Bundle
        The model and its settings.
    records : Records
        Histories.
    as_of : date
        Day the scores are made for.

    Returns
    -------
    pandas.DataFrame
        ``household_id``, ``as_of``, ``township_id``, ``village_id``, ``grid_id``, ``place_in_grid`` (1 is visited
        first; equal probabilities are in the order of their ids), the columns of ``score`` and
        ``model_version``, sorted by grid and place. For a day before the records there are no rows.

    Raises
    ------
    UsageError
        As ``score``.
    """
    scores = bundle.score(records, as_of=as_of).reset_index()
    where = _where(records.visible(as_of))
    rows = scores.merge(where, on="household_id", how="left", validate="one_to_one")
    rows = rows.sort_values(["grid_id", "probability", "household_id"], ascending=[True, False, True])
    rows["place_in_grid"] = rows.groupby("grid_id").cumcount() + 1
    first = ["household_id", "as_of", "township_id", "village_id", "grid_id", "place_in_grid"]
    rows["model_version"] = bundle.version
    return rows[first + [column for column in rows if column not in first]].reset_index(drop=True)


def _where(records: Records) -> pd.DataFrame:
    """Return the latest known grid, village and township of each household."""
    profiles = records.frame("households").sort_values(["household_id", "occurred_on", "known_on"])
    latest = profiles.drop_duplicates("household_id", keep="last")
    return latest[["household_id", "township_id", "village_id", "grid_id"]]
