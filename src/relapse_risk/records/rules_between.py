"""The rules between tables: what rows refer to, and the monitoring line of their day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.dates import FAR_FUTURE, Days, to_days
from relapse_risk.records.schema import distinct_texts, encoded, positions
from relapse_risk.records.tables import MONEY_TABLES
from relapse_risk.records.violations import Violation
from relapse_risk.settings import Settings

_Flags = npt.NDArray[np.bool_]


def violations_between(tables: Mapping[str, pa.Table], settings: Settings) -> list[Violation]:
    """Return every violation of the rules between tables.

    Parameters
    ----------
    tables : dict of str to pyarrow.Table
        All tables, conformed, each sound by itself.
    settings : Settings
        For the items and the monitoring line.
    """
    found: list[Violation] = []

    def refuse(code: str, table: str, column: str, broken: _Flags | None, valid: str, rank: int = 0) -> None:
        if broken is not None and broken.any():
            found.append(Violation.of_rows(code, table, column, valid, np.flatnonzero(broken), rank))

    profiles = tables["households"]
    if tables["grids"].num_rows:
        unknown = _not_among(profiles["grid_id"], distinct_texts(tables["grids"]["grid_id"]))
        refuse("RR012", "households", "grid_id", unknown, "Add the grid to table grids, or correct the profile.")
    if tables["observations"].num_rows:
        declared = pa.array(list(settings.items), pa.string())
        items = ", ".join(settings.items) or "none"
        valid = f"Items declared in the settings: {items}. Declare it there, or remove the rows."
        refuse("RR013", "observations", "item", _not_among(tables["observations"]["item"], declared), valid)
    households = distinct_texts(profiles["household_id"])
    since = _covered_since(profiles, households, settings)
    for name, data in tables.items():
        if name in ("households", "grids") or not data.num_rows:
            continue
        valid = "Add a profile row to table households, or remove the rows."
        refuse("RR017", name, "household_id", _not_among(data["household_id"], households), valid)
        if name in MONEY_TABLES and pc.min(_days(data["occurred_on"])).as_py() < int(since.max()):
            since_day = since[_positions(data["household_id"], households)]
            uncovered = np.asarray(_days(data["occurred_on"])) < since_day
            if uncovered.any():
                latest = int(since_day[uncovered].max())
                refuse("RR015", name, "occurred_on", uncovered, _missing_line(latest), rank=latest)
    return found


def first_covered_day(settings: Settings, townships: Collection[str | None]) -> dt.date | None:
    """Return the first day on which a monitoring line holds in all these townships, None if there is none."""
    steps = settings.line.steps
    firsts = []
    for township in townships:
        since = [step.since for step in steps if step.area in (None, township)]
        if not since:
            return None
        firsts.append(min(since))
    return max(firsts, default=None)


def _covered_since(profiles: pa.Table, households: pa.Array, settings: Settings) -> Days:
    """Return the day from which on each household has a monitoring line, whichever of its profiles holds.

    Amounts are compared with the line of their day, in the township of the household. The last element, at position
    -1, is for households that are not known.
    """
    township = encoded(profiles["township_id"])
    firsts = [first_covered_day(settings, [name]) for name in (*township.dictionary.to_pylist(), None)]
    of_township = np.array([FAR_FUTURE if day is None else to_days(day) for day in firsts], np.int32)
    since = np.full(len(households) + 1, np.iinfo(np.int32).min, np.int32)
    household = _positions(profiles["household_id"], households)
    np.maximum.at(since, household, of_township[np.asarray(township.indices.fill_null(-1))])
    return since


def _missing_line(latest: int) -> str:
    """Return what is valid where the last of some households has a line from this day on."""
    if latest == FAR_FUTURE:
        return "A township of these households has no line on any day; add line.steps to the settings."
    day = np.datetime64(latest, "D")
    return f"Valid: {day} or later, since no line holds before; add line.steps to the settings, or remove the rows."


def _not_among(texts: pa.ChunkedArray, among: pa.Array) -> _Flags | None:
    """Return which texts do not lie in an array, None where all do."""
    of_distinct = encoded(texts)
    known = pc.is_in(of_distinct.dictionary, value_set=among)
    if pc.all(known, min_count=0).as_py() and not of_distinct.null_count:
        return None
    unknown: _Flags = np.append(~np.asarray(known), True)[np.asarray(of_distinct.indices.fill_null(-1))]
    return unknown


def _positions(texts: pa.ChunkedArray, among: pa.Array) -> npt.NDArray[np.int32]:
    """Return where each text lies in an array, -1 where it does not."""
    of_distinct = encoded(texts)
    place = positions(of_distinct.dictionary, among)
    places: npt.NDArray[np.int32] = np.append(place, np.int32(-1))[np.asarray(of_distinct.indices.fill_null(-1))]
    return places


def _days(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return values.cast(pa.int32())
