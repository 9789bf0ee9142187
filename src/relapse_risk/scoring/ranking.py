"""Scores as a ranked list: the households of each grid, riskiest first."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.cohorts import Selection, attrition_of, cycles, select
from relapse_risk.dates import add_months, from_days, to_days
from relapse_risk.errors import UsageError
from relapse_risk.features.build import encode
from relapse_risk.model.bundle import Bundle
from relapse_risk.records.blocks import RecordBlocks, each_block
from relapse_risk.records.records import Records
from relapse_risk.records.visibility import is_visible
from relapse_risk.scoring.reach import check_reach
from relapse_risk.scoring.score import Scorer
from relapse_risk.settings import CycleSettings

if TYPE_CHECKING:
    import pandas as pd

#: Type of texts in result tables: that of pandas.
_TEXT = pa.large_string()


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


class Ranking(NamedTuple):
    """The scores of a cohort as a ranked list, and how the cohort came about.

    Parameters
    ----------
    rows : pyarrow.Table
        A row per household, see ``ranked``; the texts of reasons are dictionaries.
    attrition : pandas.DataFrame
        How many households each rule of the cohort removed, see ``attrition``.
    first_profile : date or None
        First day on which a household's profile became known, None where there is none.
    """

    rows: pa.Table
    attrition: pd.DataFrame
    first_profile: dt.date | None


def ranked(bundle: Bundle, records: Records | RecordBlocks, as_of: dt.date) -> pd.DataFrame:
    """Return the scores of the cohort with the grid of each household and its place in it.

    Parameters
    ----------
    bundle : Bundle
        The model and its settings.
    records : Records or RecordBlocks
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
    return to_frame(rank(bundle, records, as_of).rows)


def to_frame(rows: pa.Table) -> pd.DataFrame:
    """Return a ranked list as a pandas frame, reasons as lists of dictionaries."""
    frame: pd.DataFrame = rows.drop_columns(["reasons"]).to_pandas()
    reasons = np.empty(len(frame), object)
    reasons[:] = rows["reasons"].to_pylist()
    frame.insert(rows.column_names.index("reasons"), "reasons", reasons)
    return frame


def rank(
    bundle: Bundle,
    records: Records | RecordBlocks,
    as_of: dt.date,
    *,
    on_done: Callable[[int, int], None] | None = None,
) -> Ranking:
    """Score the cohort block by block, and rank the households of each grid.

    Parameters
    ----------
    bundle, records, as_of
        See ``ranked``.
    on_done : callable, optional
        Called with the households done, and of how many.
    """
    records = records.with_model_settings(bundle.settings)
    scorer = Scorer(bundle.model, bundle.settings)
    scorer.check_tables(records.present)
    check_reach(records, [as_of])
    n_threads = 1 if len(records.blocks) > 1 else None  # each block has a thread of its own
    blocks = each_block(records, lambda block: _score_block(scorer, block, as_of, n_threads), on_done=on_done)
    parts, selections = zip(*blocks, strict=True)
    rows = _in_order(pa.concat_tables(parts))
    rows = rows.append_column("model_version", pa.repeat(pa.scalar(bundle.version, _TEXT), len(rows)))
    return Ranking(rows, attrition_of(selections), records.first_known("households"))


def _score_block(
    scorer: Scorer, block: Records, as_of: dt.date, n_threads: int | None
) -> tuple[pa.Table, Selection]:
    """Return a block's scores in the order of its ids, and who was selected."""
    day = to_days(as_of)
    selection = select(block, np.array([day], np.int32), "score")
    pairs = selection.pairs
    scores = scorer.score(block, *pairs, n_threads=n_threads)
    chosen = pairs.ids.take(pa.array(pairs.household))
    rows = pa.table(
        {
            "household_id": chosen.cast(_TEXT),
            "as_of": pa.array(np.full(len(chosen), np.datetime64(as_of, "s"))),
            **_where(block, chosen, day),
            "probability": scores.probability,
            "band": pa.array(scores.band, _TEXT),
            "raw_score": scores.raw,
            "base_score": scores.base,
            "reasons": scores.reasons.to_arrow(),
            **{f"contribution_{group}": scores.by_group[:, k] for k, group in enumerate(scores.groups)},
        }
    )
    return rows, selection


def _where(records: Records, ids: pa.Array, day: int) -> dict[str, pa.Array]:
    """Return the township, village and grid of households by their latest profile known before a day."""
    encoded = encode(records)
    profiles = encoded.table("households")
    visible = np.flatnonzero(is_visible(profiles.known, day))
    last = visible[np.searchsorted(profiles.household[visible], encoded.households(ids), side="right") - 1]
    names = ("township_id", "village_id", "grid_id")
    return {name: profiles.column(name).take(pa.array(last)).cast(_TEXT) for name in names}


def _in_order(rows: pa.Table) -> pa.Table:
    """Return rows by grid, probability and id, with each one's place in its grid."""
    order = [("grid_id", "ascending"), ("probability", "descending"), ("household_id", "ascending")]
    rows = rows.combine_chunks().sort_by(order)
    grids = rows["grid_id"].combine_chunks()
    position = np.arange(len(rows))
    begins = np.ones(len(rows), bool)
    begins[1:] = np.asarray(pc.not_equal(grids[1:], grids[:-1]))
    first = np.maximum.accumulate(np.where(begins, position, 0))
    return rows.add_column(5, "place_in_grid", pa.array(position - first + 1))
