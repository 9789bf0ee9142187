"""The cohorts: which households are scored or trained on, on which dates, and the dates of the visit rounds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.dates import DateLike, Days, add_months, from_days, month_number, to_days
from relapse_risk.errors import UsageError
from relapse_risk.features.build import build_matrix, encode
from relapse_risk.features.declare import Aggregation, Feature, Series
from relapse_risk.features.plan import make_plan
from relapse_risk.pairs import Pairs, Positions, values_of_pairs
from relapse_risk.records.blocks import RecordBlocks, each_block
from relapse_risk.records.codes import Label
from relapse_risk.records.records import Records
from relapse_risk.settings import CycleSettings

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd

Flags: TypeAlias = npt.NDArray[np.bool_]
Purpose = Literal["score", "train"]


def cycles(settings: CycleSettings, start: DateLike, end: DateLike) -> list[dt.date]:
    """Return the first days of the visit rounds in ``[start, end)``.

    Rounds are whole calendar months before and after the anchor. Where a month has no such day, its last day is
    taken.

    Examples
    --------
    >>> import datetime as dt
    >>> rounds = cycles(CycleSettings(months=2, anchor=dt.date(2020, 1, 1)), "2023-02-01", "2023-08-01")
    >>> [day.isoformat() for day in rounds]
    ['2023-03-01', '2023-05-01', '2023-07-01']
    """
    low, high = to_days(start), to_days(end)
    anchor = to_days(settings.anchor)
    # Rounds begin whole steps of months from the anchor's month, so month numbers give them exactly.
    since, until = (month_number([low, high]) - month_number(anchor)).tolist()
    steps = range(-(-since // settings.months), until // settings.months + 1)
    # Always added to the anchor: adding to the round before would keep the last day of a short month.
    days = [int(add_months(anchor, step * settings.months)) for step in steps]
    return [from_days(day) for day in days if low <= day < high]


class Selection(NamedTuple):
    """Who of some records is in the cohort of each date, and how many households each rule removed.

    Parameters
    ----------
    pairs : Pairs
        Households and dates, sorted; the ids are those of every household of the records, sorted.
    rules : tuple of str
        What each rule removes, in the order of the rules.
    removed, left : ndarray of int64, shape (n_days, n_rules)
        Households that a rule removed on a date, and those left after it.
    """

    pairs: Pairs
    rules: tuple[str, ...]
    removed: Positions
    left: Positions


def cohort(
    records: Records | RecordBlocks, as_of: DateLike | Iterable[DateLike], *, purpose: Purpose = "score"
) -> pd.MultiIndex:
    """Return the households to score, or to train on, on each date.

    Parameters
    ----------
    records : Records or RecordBlocks
        Only records visible on a date decide about that date.
    as_of : date or iterable of dates
        The dates.
    purpose : {"score", "train"}
        ``score``: households not poor at their latest visible status and, unless the settings say otherwise,
        poor or lifted before. ``train``: by default every household not poor, lifted or not.

    Returns
    -------
    pandas.MultiIndex
        Levels ``household_id`` and ``as_of``, sorted. See ``attrition`` for how many each rule removed.
    """
    import pandas as pd  # noqa: PLC0415

    parts = [part.pairs for part in _selections(records, as_of, purpose)]
    ids = pa.concat_arrays([part.ids for part in parts])
    first = np.cumsum([0, *(len(part.ids) for part in parts)])
    household = np.concatenate([part.household + begun for part, begun in zip(parts, first, strict=False)])
    levels = [
        pd.Index(ids.to_pandas(), dtype="str"),
        pd.DatetimeIndex(parts[0].days.astype("datetime64[D]").astype("datetime64[s]")),
    ]
    codes: Any = [household, np.concatenate([part.date for part in parts])]
    return pd.MultiIndex(levels, codes, names=["household_id", "as_of"], verify_integrity=False)


def attrition(
    records: Records | RecordBlocks, as_of: DateLike | Iterable[DateLike], *, purpose: Purpose = "score"
) -> pd.DataFrame:
    """Return how many households each rule of the cohort removed, by date.

    Returns
    -------
    pandas.DataFrame
        Columns ``as_of``, ``rule``, ``removed`` and ``left``. For the first rule of a date,
        ``removed`` and ``left`` add up to all households of the records.
    """
    return attrition_of(_selections(records, as_of, purpose))


def attrition_of(parts: Sequence[Selection]) -> pd.DataFrame:
    """Return ``attrition`` of what was selected block by block."""
    import pandas as pd  # noqa: PLC0415

    days, rules = parts[0].pairs.days, parts[0].rules
    removed, left = (np.sum([getattr(part, name) for part in parts], axis=0) for name in ("removed", "left"))
    return pd.DataFrame(
        {
            "as_of": [from_days(day) for day in days.tolist() for _ in rules],
            "rule": list(rules) * len(days),
            "removed": removed.ravel(),
            "left": left.ravel(),
        }
    )


def cohort_flags(records: Records | RecordBlocks, index: pd.MultiIndex) -> tuple[Flags, Flags]:
    """Return which pairs of household and date were not poor, and which had been poor or lifted before.

    Returns
    -------
    not_poor, poor_before : ndarray of bool, shape (n,)
        As visible on each date.
    """
    plan = make_plan(_cohort_features(records.settings.cohort.status_within_months))

    def flags(block: Records, pairs: Pairs) -> tuple[Flags, Flags]:
        values = build_matrix(block, *pairs, plan)
        return _status_known(block, values) & ~_poor(values), _poor_before(values)

    not_poor, poor_before = values_of_pairs(records, index, flags)
    return not_poor, poor_before


def _cohort_features(status_within_months: int | None) -> tuple[Feature, ...]:
    """Return the features that the rules need; the engine computes them as it does the model's."""

    def feature(name: str, series: Series, aggregation: Aggregation, window: int | None = None) -> Feature:
        return Feature(name, Label(name, name), "", series, aggregation, window)

    return (
        feature("profile", Series("households"), Aggregation.COUNT),
        feature("status", Series("statuses", "poor"), Aggregation.LAST, status_within_months),
        feature("poor_ever", Series("statuses", where=(("poor", ("true",)),)), Aggregation.COUNT),
        feature("lifted", Series("households", "lifted_on"), Aggregation.ELAPSED),
    )


def _status_known(records: Records, values: npt.NDArray[np.float32]) -> Flags:
    """Return whose status is known: all, where every identification is recorded; no status means not poor."""
    registry = records.settings.outcome.kind == "registry"
    return np.full(len(values), True) if registry else ~np.isnan(values[:, 1])


def _poor(values: npt.NDArray[np.float32]) -> Flags:
    return values[:, 1] > 0


def _poor_before(values: npt.NDArray[np.float32]) -> Flags:
    return (values[:, 2] > 0) | (values[:, 3] > 0)


def _selections(
    records: Records | RecordBlocks, as_of: DateLike | Iterable[DateLike], purpose: Purpose
) -> list[Selection]:
    days = as_days(as_of)
    return list(each_block(records, lambda block: select(block, days, purpose)))


def select(records: Records, days: Days, purpose: Purpose) -> Selection:
    """Apply the rules of the cohort to one block of records.

    Parameters
    ----------
    records : Records
        All records, or a block of them.
    days : ndarray of int32
        Distinct dates, in order, days since 1970-01-01.
    purpose : {"score", "train"}
        See ``cohort``.
    """
    if purpose not in ("score", "train"):
        raise UsageError(f"purpose={purpose!r}. Valid: 'score', 'train'.")
    ids = _in_order(encode(records).ids)
    household, date = (codes.ravel() for codes in np.indices((len(ids), len(days))))
    rules = records.settings.cohort
    plan = make_plan(_cohort_features(rules.status_within_months))
    values = build_matrix(records, ids, household, days, date, plan)
    everyone = np.full(len(values), True)
    only_poor_before = rules.previously_poor_only if purpose == "score" else rules.train_on == "cohort"
    poor_too = purpose == "train" and rules.train_on == "observed"
    within = f" within {rules.status_within_months} months" if rules.status_within_months else ""
    steps = {
        "no profile yet": values[:, 0] > 0,
        f"no status{within}": _status_known(records, values),
        "poor at the latest status": everyone if poor_too else ~_poor(values),
        "never poor or lifted before": _poor_before(values) if only_poor_before else everyone,
    }
    passed = np.logical_and.accumulate([everyone, *steps.values()])
    left = np.stack([np.bincount(date[passing], minlength=len(days)) for passing in passed], axis=1)
    chosen = passed[-1]
    pairs = Pairs(ids, household[chosen], days, date[chosen])
    return Selection(pairs, tuple(steps), -np.diff(left), left[:, 1:])


def _in_order(ids: pa.Array) -> pa.Array:
    """Return distinct ids in their order; records mostly lie in it."""
    if len(ids) < 2 or pc.all(pc.less(ids[:-1], ids[1:])).as_py():
        return ids
    return ids.take(pc.array_sort_indices(ids))


def as_days(as_of: DateLike | Iterable[DateLike]) -> Days:
    """Return one or several dates as distinct days, in order.

    Raises
    ------
    UsageError
        If there is none, or one is not a date.
    """
    if isinstance(as_of, str) or not isinstance(as_of, Iterable):
        as_of = [as_of]
    days = np.unique(np.array([to_days(day) for day in as_of], np.int32))
    if not days.size:
        raise UsageError("no as_of date given; give at least one")
    return days
